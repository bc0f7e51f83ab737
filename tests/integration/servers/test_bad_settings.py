"""A worker, or Flower, with a setting that does not fit ends in one line that names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import REPOSITORY

WRONG = [
    ("REDIS_URL", "http://secret@here", "REDIS_URL is no address of a Redis"),
    ("REDIS_URL", "embedded", "`zts up` starts"),
    ("ZTS_BROKER_URL", "kafka://here", "ZTS_BROKER_URL is no address of a broker"),
    ("NEO4J_URI", "http://here", "NEO4J_URI begins with 'http'"),
    ("ZTS_LEASE", "soon", "ZTS_LEASE='soon' does not fit"),
]


def ended(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ZTS_", "REDIS_"))}
    return subprocess.run(
        [sys.executable, "-m", "celery", "-A", "zts_worker", command],
        env={**inherited, "PYTHONPATH": str(REPOSITORY), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_worker_names_the_value_and_the_cure_in_one_line(tmp_path: Path, name: str, value: str, said: str) -> None:
    done = ended(tmp_path, "worker", **{name: value})
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_flower_does_too(tmp_path: Path) -> None:
    done = ended(tmp_path, "flower", REDIS_URL="http://here")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
