"""Decides where tests of the deployment find the compose file and the lock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import REPOSITORY, skip_or_fail


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as Compose itself reads it, all profiles, with passwords that `make env` made."""
    program = shutil.which("docker-compose")
    if program is None:
        skip_or_fail("no docker-compose; Debian's package of that name has it")
    env = tmp_path_factory.mktemp("env") / ".env"
    subprocess.run(["python3", REPOSITORY / "deploy" / "compose" / "make_env.py", env], check=True, capture_output=True)
    command = [str(program), "--env-file", str(env), "--profile", "full", "--profile", "tools", "config"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.fixture
def repository() -> Path:
    return REPOSITORY
