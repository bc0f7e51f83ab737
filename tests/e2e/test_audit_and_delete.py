"""An audited run as its owner sees it: verified, tampered with, and deleted for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis
from servers import RedisServer, Worker

from tests.e2e.conftest import Shell
from zts_core.artifacts import LocalArtifacts
from zts_core.redis_store import keys

pytestmark = [pytest.mark.cli, pytest.mark.worker]

FLOW = """
name: audited
metadata: {audit: true}
sequence:
  - {state: IDEA_VALIDATION, crew: ValidatorCrew}
  - {state: MARKETING_PREPARATION, crew: MarketingCrew}
  - {state: COMPLETED}
"""


def test_an_audited_run_is_verified_and_deleted_with_all_that_is_its_own(shell: Shell) -> None:
    server = RedisServer()
    shell.variables |= {"REDIS_URL": server.url, "ZTS_DATA_FOLDER": str(shell.folder / "data")}
    worker = Worker(server.url, shell.folder, environment={"HOME": str(shell.home)})
    try:
        worker.wait_ready()
        (shell.folder / "audited.yaml").write_text(FLOW)
        (shell.folder / "idea.txt").write_text("# Tool library\n\nNeighbours record who has which tool.\n")
        assert shell.run("zts-submit", "idea.txt", "--workflow", "audited.yaml").code == 0
        run_id = shell.run("zts", "list", "--json").json()["runs"][0]["run_id"]
        (kept,) = (shell.folder / "shipped").glob("*/run.json")
        assert json.loads(kept.read_text())["audit"]["lines"] > 5
        verified = shell.run("zts", "audit", "verify", "last", "--against", str(kept))
        assert (verified.code, "as written" in verified.out) == (0, True)
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            tamper(client, run_id)
            assert shell.run("zts", "audit", "verify", "last").code == 3
            assert LocalArtifacts(shell.folder / "data" / "artifacts").folder.joinpath(run_id).exists()
            assert shell.run("zts", "delete", run_id).code == 2, "nobody is there to be asked"
            assert shell.run("zts", "delete", run_id, "--yes").code == 0
            left = [key for key in client.scan_iter("*") if run_id in key]
            assert left == []
        assert not (shell.folder / "data" / "artifacts" / run_id).exists()
        assert shell.run("zts", "status", run_id).code == 2
    finally:
        worker.kill()
        server.close()


def tamper(client: redis.Redis, run_id: str) -> None:
    """Change what one step gave, as somebody with access to Redis could."""
    place = keys.run_key(run_id, "results")
    (seq, text), *_ = client.hgetall(place).items()  # type: ignore[union-attr]
    client.hset(place, seq, str(text).replace("true", "false").replace("0.", "1."))


def test_a_run_that_goes_on_is_not_deleted_and_one_without_a_chain_not_verified(stack: Shell) -> None:
    idea = Path(stack.folder / "idea.txt")
    idea.write_text("# Tool library\n\nNeighbours record who has which tool.\n")
    assert stack.run("zts-submit", "idea.txt", "--workflow", "just_the_build", "--detach").code == 0
    said = stack.run("zts", "delete", "last", "--yes")
    assert (said.code, "zts cancel" in said.err) == (2, True)
    said = stack.run("zts", "audit", "verify", "last")
    assert (said.code, "audit: true" in said.err) == (2, True)
