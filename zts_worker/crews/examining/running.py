"""Decides how a project is put to the proof in the sandbox: installed, tested and started, each on a copy."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zts_core.errors import TransientError
from zts_worker.crews.sandbox import SandboxResult, base_python, run_sandboxed, visible_inside, without_places

_PROGRAMS = Path(__file__).resolve().parent / "in_box"
_RESULT = "zts-result.json"
_MOST_RESULT = 8 << 20
LEAST_DISK = 64 << 20
"""Free bytes below which a failed proof says more of the worker than of the project."""
_PIP_UNKNOWN_ERROR = 2
INSTALL_S, TESTS_S, START_S = 120.0, 120.0, 40.0
"""Seconds each proof may take, where the step's own time-out leaves that much."""


@dataclass(frozen=True)
class Installed:
    """Whether installing worked, how it was done, and what was said where it did not."""

    ok: bool
    method: str
    seconds: float
    detail: str
    isolation: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseRecord:
    """One test: outcome is passed, failed, error or skipped; `message` ends with the reason."""

    id: str
    outcome: str
    message: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it did not hold."""
        return self.outcome in ("failed", "error")


@dataclass(frozen=True)
class Tested:
    """All tests; `trouble` says why there is no complete result (ended by the sandbox, or crashed)."""

    tests: tuple[CaseRecord, ...]
    seconds: float
    trouble: str = ""
    isolation: tuple[str, ...] = ()


@dataclass(frozen=True)
class Started:
    """Whether it answers: the health path asked, its status (0: no answer), and the status of the other paths."""

    ok: bool
    url: str
    status: int
    detail: str
    seconds: float
    paths: dict[str, int] = field(default_factory=dict)
    isolation: tuple[str, ...] = ()


def install(project: Path, room: Path, *, timeout_s: float) -> Installed:
    """Install a copy of `project` into `room/target` without a network. TransientError where this worker cannot."""
    shutil.copytree(project, room / "project")
    until = time.monotonic() + timeout_s
    pip = _pip()
    if pip is not None:
        result = _proof(pip.command, room, timeout_s=timeout_s, readable=pip.readable)
        if not _broke_by_itself(result):
            return _installed(pip, result)
        shutil.rmtree(room / "target", ignore_errors=True)
    result = _proof(_OWN.command, room, timeout_s=max(until - time.monotonic(), 1.0))
    if pip is not None and not result.ok:
        raise TransientError(f"pip of this worker is broken, and nothing else installed the project: {_told(result)}")
    return _installed(_OWN, result)


@dataclass(frozen=True)
class _Installer:
    method: str
    command: list[str]
    readable: tuple[Path, ...] = ()


def _installed(installer: _Installer, result: SandboxResult) -> Installed:
    detail = "" if result.ok else _told(result)
    return Installed(result.ok, installer.method, result.seconds, detail, result.isolation)


def _broke_by_itself(result: SandboxResult) -> bool:
    """Whether pip failed, and not the project: it could not even start, or ended with its own UNKNOWN_ERROR.

    Its codes: pip/_internal/cli/status_codes.py. A build that fails is reported in a frame of its own.
    """
    if result.ok or result.killed_reason:
        return False
    said = result.stderr.lstrip()
    return result.exit_code == _PIP_UNKNOWN_ERROR or said.startswith("Traceback")


def _pip() -> _Installer | None:
    options = ["install", "--quiet", "--no-index", "--no-cache-dir", "--no-compile", "--no-input"]
    options += ["--disable-pip-version-check", "--root-user-action=ignore", "--target", "target", "./project"]
    spec = find_spec("pip")
    pip = Path(spec.origin).resolve().parent if spec and spec.origin else None
    if pip and visible_inside(pip):
        return _Installer("pip install --target", [base_python(), str(pip), *options], (pip,))
    return None


def _program(name: str) -> list[str]:
    return [base_python(), "-c", (_PROGRAMS / f"{name}.py").read_text(encoding="utf-8")]


_OWN = _Installer("its own build back end, wheel unpacked", [*_program("wheel_installer"), "project", "target"])


def _proof(
    command: Sequence[str],
    folder: Path,
    *,
    timeout_s: float,
    readable: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> SandboxResult:
    """Run `command` in the sandbox. TransientError where it failed on a machine that has nothing left to run it on."""
    result = run_sandboxed(command, folder=folder, timeout_s=timeout_s, readable=readable, environment=environment)
    if not result.ok and (free := shutil.disk_usage(folder).free) < LEAST_DISK:
        raise TransientError(
            f"the worker's disk has {free >> 20} MiB left, so nothing can be said of the project; free some space"
        )
    return result


def run_tests(project: Path, room: Path, *, timeout_s: float) -> Tested:
    """Run all tests of a copy of `project`."""
    shutil.copytree(project, room, dirs_exist_ok=True)
    result = _proof([*_program("test_runner"), _RESULT], room, timeout_s=timeout_s)
    data = _written(room / _RESULT)
    if not isinstance(data, dict):
        return Tested((), result.seconds, _told(result) or "the test run wrote no result", result.isolation)
    records = [_record(row, room) for row in data.get("tests", []) if isinstance(row, dict)]
    return Tested(tuple(records), result.seconds, "" if result.ok else _told(result), result.isolation)


def _record(row: dict[str, Any], room: Path) -> CaseRecord:
    return CaseRecord(
        id=str(row.get("id", ""))[:300],
        outcome=str(row.get("outcome", "error")),
        message=without_places(str(row.get("message", "")), room.resolve())[-4000:],
        seconds=float(row.get("seconds") or 0.0),
    )


def start(room: Path, command: str, *, health: str, paths: Sequence[str], timeout_s: float, installed: bool) -> Started:
    """Start it from `room/target` where it was installed, else from `room/project`, and ask it for `paths`."""
    where = room / "elsewhere" if installed else room / "project"
    where.mkdir(exist_ok=True)
    if installed and (room / "target").is_dir():
        shutil.copytree(room / "target", where / "target", dirs_exist_ok=True)
    plan = {"command": _start_command(command), "health": health, "paths": list(paths), "patience_s": 15}
    result = _proof(
        [*_program("prober"), json.dumps(plan), _RESULT],
        where,
        timeout_s=timeout_s,
        environment={"PYTHONPATH": "target"} if installed else {},
    )
    data = _written(where / _RESULT)
    if not isinstance(data, dict):
        return Started(False, health, 0, _told(result), result.seconds, {}, result.isolation)
    found = data.get("paths") if isinstance(data.get("paths"), dict) else {}
    return Started(
        ok=data.get("ok") is True,
        url=health,
        status=int(data.get("status") or 0),
        detail="" if data.get("ok") is True else without_places(str(data.get("detail", "")), where.resolve())[-3000:],
        seconds=result.seconds,
        paths={str(path): int(status or 0) for path, status in dict(found or {}).items()},
        isolation=result.isolation,
    )


def _start_command(command: str) -> list[str]:
    """The build's start command with this machine's interpreter and the prober's port."""
    parts = shlex.split(command)
    if parts and Path(parts[0]).name.startswith("python"):
        parts[0] = base_python()
    for place, part in enumerate(parts[:-1]):
        if part in ("--port", "-p"):
            parts[place + 1] = "{port}"
    return parts


def _written(path: Path) -> object:
    """What a program wrote as its result; None where it is not there or not what it should be."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_RESULT:
        return None
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _told(result: SandboxResult) -> str:
    if result.killed_reason:
        return f"the sandbox ended it after {result.seconds} s: {result.killed_reason}\n{result.stderr[-2000:]}".strip()
    return (result.stderr or result.stdout)[-3000:].strip() or f"it ended with code {result.exit_code}"
