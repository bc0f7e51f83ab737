"""Decides how tests use the command line as a user would: installed commands, an empty home, nothing configured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from servers import skip_or_fail

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded import find_server

COMMANDS = Path(sys.executable).parent
IDEAS = Path(__file__).parents[2] / "examples" / "ideas"
BEES = str(IDEAS / "bee_hive_log.txt")


@dataclass
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """A user's shell: an empty home and current folder, a PATH without our environment, no variables but these."""

    home: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **self.variables, **(more or {})}

    def run(self, *arguments: str, stdin: bytes = b"", within_s: float = 120, **variables: str) -> Said:
        done = subprocess.run(
            [str(COMMANDS / arguments[0]), *arguments[1:]],
            input=stdin,
            capture_output=True,
            timeout=within_s,
            cwd=self.folder,
            env=self.environment(variables),
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(COMMANDS / arguments[0]), *arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment(),
            start_new_session=True,
        )

    def left_behind(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.home.parent)) for root in (self.home, self.folder) for path in root.rglob("*")
        )


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A shell in which Redis is the embedded stack's, whatever else runs on this machine."""
    root = Path(tempfile.mkdtemp(prefix="zts-e2e-"))
    (root / "home").mkdir()
    (root / "here").mkdir()
    yield Shell(root / "home", root / "here", {"REDIS_URL": "embedded"})
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def stack(shell: Shell) -> Shell:
    """The same, where a Redis server can be started at all."""
    try:
        find_server()
    except ServiceUnavailable as error:
        skip_or_fail(str(error))
    return shell


def processes_of(folder: Path) -> list[str]:
    """Command lines of living processes that name `folder`."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
    return found
