"""Decides how code that nobody has read is run: apart from the worker, bounded, and gone after it.

The strongest isolation the system permits is found once per process by trying it; every result names what was
in force. The program runs under `zts_worker.crews.box.launcher`, which watches it from outside its walls.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from zts_core.errors import PermanentError, TransientError
from zts_worker.crews.box.housing import given_to
from zts_worker.crews.box.pipes import Seen, execute
from zts_worker.crews.box.plan import Isolation, Limits, Plan

__all__ = [
    "Isolation",
    "Limits",
    "SandboxResult",
    "base_python",
    "isolation_here",
    "run_sandboxed",
    "visible_inside",
    "without_places",
]

# 61184..65519 is the range systemd leaves to short-lived users (systemd.io/UIDS-GIDS); it fits into the 65536
# ids of a usual container.
_FIRST_UID, _UIDS = 61184, 4336
_runs = itertools.count()


@dataclass(frozen=True)
class SandboxResult:
    """How an execution ended.

    `exit_code` is negative for a signal; `stdout` and `stderr` are capped, with a note where something was
    left out; `killed_reason` is timeout, cpu, memory, processes, disk or output where the sandbox ended it;
    `leftovers` counts processes that outlived the program and were ended; `isolation` is what was in force.
    """

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    killed_reason: str | None
    isolation: tuple[str, ...]
    leftovers: int = 0

    @property
    def ok(self) -> bool:
        """Whether the program itself ended well."""
        return self.exit_code == 0 and self.killed_reason is None


def base_python() -> str:
    """The interpreter below the worker's virtual environment: the standard library and nothing else."""
    return str(Path(getattr(sys, "_base_executable", sys.executable) or sys.executable).resolve())


def run_sandboxed(
    argv: Sequence[str],
    *,
    folder: Path,
    timeout_s: float,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
    readable: Sequence[Path] = (),
    isolation: Isolation | None = None,
) -> SandboxResult:
    """Run `argv` with `folder` as its home, current and only writable folder, for up to `timeout_s`.

    `environment` adds to the few variables the program gets; `readable` names further files it may read.
    Raises PermanentError where `argv[0]` is not on this machine, TransientError where the sandbox broke.
    """
    limits = limits or Limits()
    walls = isolation or isolation_here()
    if walls.uid is not None:
        walls = replace(walls, uid=_free_uid())
    with given_to(walls, folder.resolve()) as home, tempfile.TemporaryDirectory(prefix="zts-root-") as point:
        plan = Plan(
            argv=(_program(argv[0]), *argv[1:]),
            folder=str(home),
            timeout_s=timeout_s,
            environment=_environment(home, walls) | dict(environment or {}),
            limits=limits,
            isolation=walls,
            readable=tuple(str(path) for path in (*_interpreter_paths(), *readable)),
            root_point=point,
            report_fd=-1,
            lifeline_fd=-1,
        )
        return _result(plan, execute(plan))


def visible_inside(path: Path) -> bool:
    """Whether a program in the sandbox can read below `path` where that is named as readable."""
    walls = isolation_here()
    if walls.private_root or walls.uid is None:
        return True
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def isolation_here() -> Isolation:
    """The strongest isolation that works on this machine; tried once, then remembered."""
    return _strongest()


@cache
def _strongest() -> Isolation:
    candidates = list(_candidates())
    for walls in candidates[:-1]:
        with tempfile.TemporaryDirectory(prefix="zts-try-") as folder:
            try:
                trial = run_sandboxed(
                    [base_python(), "-c", "import json, sqlite3, ssl"],
                    folder=Path(folder),
                    timeout_s=20.0,
                    isolation=walls,
                )
            except (OSError, TransientError):
                continue
            if trial.exit_code == 0:
                return walls
    return candidates[-1]


def _candidates() -> Iterator[Isolation]:
    root = os.geteuid() == 0
    uid = _FIRST_UID if root else None
    if sys.platform == "linux":
        yield Isolation(user_namespace=not root, namespaces=True, private_root=True, uid=uid)
        yield Isolation(user_namespace=not root, namespaces=True, uid=uid)
    if root:
        yield Isolation(uid=uid)
    yield Isolation()


def _free_uid() -> int:
    """A user that another sandbox on this machine hardly has at the same time."""
    return _FIRST_UID + (os.getpid() * 31 + next(_runs)) % _UIDS


def _program(name: str) -> str:
    found = shutil.which(name, path=_path())
    if found is None:
        raise PermanentError(f"{name!r} is not on this machine: install it or leave out what needs it")
    return found


def _path() -> str:
    return os.pathsep.join([str(Path(base_python()).parent), "/usr/local/bin", "/usr/bin", "/bin"])


def _environment(home: Path, walls: Isolation) -> dict[str, str]:
    scratch = Path("/tmp") if walls.private_root else home / ".tmp"  # noqa: S108 - the sandbox's own
    return {
        "PATH": _path(),
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONNOUSERSITE": "1",
    }


def _interpreter_paths() -> tuple[Path, ...]:
    prefix = Path(sys.base_prefix).resolve()
    return tuple(path for path in (prefix,) if not path.is_relative_to("/usr") and path != Path("/"))


def _result(plan: Plan, seen: Seen) -> SandboxResult:
    if seen.report.error is not None:
        raise TransientError(f"the sandbox could not be set up: {seen.report.error}")
    return SandboxResult(
        exit_code=seen.report.exit_code,
        stdout=without_places(seen.stdout.decode("utf-8", "replace"), Path(plan.folder)),
        stderr=without_places(seen.stderr.decode("utf-8", "replace"), Path(plan.folder)),
        seconds=seen.seconds,
        killed_reason="output" if seen.flooded else seen.report.killed_reason,
        isolation=plan.isolation.in_words(),
        leftovers=seen.report.leftovers,
    )


def without_places(text: str, folder: Path) -> str:
    """`text` without this machine's paths: where folder and interpreter lie is of no use to a reader."""
    for place, name in ((str(folder), "."), (str(Path(sys.base_prefix).resolve()), "python")):
        if len(place) > 4:  # "/" and "/usr" are no secret, and short enough to be part of anything
            text = text.replace(f"{place}/", "" if name == "." else f"{name}/").replace(place, name)
    return text
