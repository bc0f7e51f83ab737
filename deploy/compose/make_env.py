"""Writes `.env` for docker-compose.yml, with passwords that nobody has chosen: `make env`."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from pathlib import Path

SECRETS = ("REDIS_PASSWORD", "NEO4J_PASSWORD", "FLOWER_PASSWORD", "GRAFANA_PASSWORD")
REST = """\
# The graph, once the profile `full` runs; empty keeps runs without one.
COMPOSE_NEO4J_URI=bolt://neo4j:7687
# -E lets Flower and the exporter see tasks; it costs throughput (docs/observability.md).
WORKER_OPTIONS=-E
WORKER_CONCURRENCY=2
# A language model, such as openai:gpt-4o with OPENAI_API_KEY below it; empty keeps crews offline.
COMPOSE_MODEL=
# Another server that speaks OpenAI's protocol, with its key: COMPOSE_MODEL=openai:name-of-the-model.
COMPOSE_MODEL_BASE_URL=
COMPOSE_MODEL_API_KEY=
# A key (`zts key new`) encrypts what runs are about, in Redis and in files (docs/security.md); empty keeps it plain.
COMPOSE_ENCRYPTION_KEY=
"""

ROUTE = Path(__file__).parents[1] / "alertmanager" / "alertmanager.yml"
NOBODY = "http://127.0.0.1:9095/alerts"
"""Where the route of the repository leads: to a port that nobody listens on."""


def owner() -> tuple[int, int]:
    """User and group of the containers: whoever calls this, so that ./shipped is theirs; for root, the image's own."""
    return (os.getuid(), os.getgid()) if os.getuid() else (10001, 10001)


def told(folder: Path, webhook: str) -> str:
    """The line for `.env` once `folder` holds a route that leads there."""
    folder.mkdir(exist_ok=True)
    # Alertmanager's container is another user, who has to read it.
    (folder / ROUTE.name).write_text(ROUTE.read_text("utf-8").replace(NOBODY, json.dumps(webhook)), "utf-8")
    return f"ALERTMANAGER_FOLDER=./{folder.name}\n"


def main(path: Path = Path(".env")) -> int:
    """0 where the file was written; 2 where there is one, whose passwords are in use, or where the webhook is none."""
    webhook = os.environ.get("ALERT_WEBHOOK", "")
    if webhook and not re.fullmatch(r"https?://[^\s\"]+", webhook):
        print(f"ALERT_WEBHOOK={webhook} is no http:// or https:// address; nothing was written", file=sys.stderr)
        return 2
    text = "".join(f"{name}={secrets.token_hex(24)}\n" for name in SECRETS) + REST
    uid, gid = owner()
    text += f"SHIP_UID={uid}\nSHIP_GID={gid}\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{path} exists and is kept, its passwords are in use; move it away to make a new one", file=sys.stderr)
        return 2
    with os.fdopen(handle, "w") as file:
        file.write(text + (told(path.parent / ".alertmanager", webhook) if webhook else ""))
    # Docker would make it root's.
    shipped = path.parent / "shipped"
    if not shipped.exists():
        shipped.mkdir()
        os.chown(shipped, uid, gid)
    print(f"{path} written; `docker compose up -d` starts Redis and a worker, `--profile full` everything")
    if not webhook:
        print(
            "alerts reach nobody: `make env ALERT_WEBHOOK=https://...` tells that address, or copy deploy/alertmanager "
            "to .alertmanager, put an e-mail there, and add ALERTMANAGER_FOLDER=./.alertmanager to .env"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
