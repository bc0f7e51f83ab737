"""Decides whether a process is ours before it is signalled: a process id alone may have a new owner by now.

A process is known by its id and the moment it was born. Workers also hand a random mark down to everything they
start, through the environment, so that what outlived its parent is still found (Linux only).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "ZTS_EMBEDDED_STACK"
"""The environment variable that carries the mark."""

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process that cannot be mistaken for a later one with the same id."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> KnownProcess:
        """Identify a process of ours that has just been started."""
        return cls(pid, birth_of(pid) or "")

    @property
    def lives(self) -> bool:
        """Whether this very process still runs."""
        return bool(self.born) and birth_of(self.pid) == self.born


def birth_of(pid: int) -> str | None:
    """When the process was born, comparable on one machine; None where it is gone or a zombie."""
    if (_PROC / "self" / "stat").exists():
        return _birth_from_proc(pid)
    return birth_from_ps(pid)


def _birth_from_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    # Field 2 is the name in parentheses and may hold anything; field 3 is the state, 22 the start (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def birth_from_ps(pid: int) -> str | None:
    """The same where there is no /proc, to the second."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = told.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def marked_processes(mark: str) -> Iterator[KnownProcess]:
    """Living processes of this user that carry `mark`, this one excepted; none where there is no /proc."""
    wanted = f"{MARK}={mark}".encode()
    for folder in _PROC.glob("[0-9]*"):
        pid = int(folder.name)
        with contextlib.suppress(OSError):
            if pid != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield KnownProcess.of(pid)


def signal_group(process: KnownProcess, number: signal.Signals) -> None:
    """Signal the process and its group (every child of ours leads one); nothing where it is gone."""
    if process.lives:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def kill_all(processes: Iterable[KnownProcess], mark: str) -> None:
    """End these processes, their groups and everything that carries `mark`, at once."""
    for process in processes:
        signal_group(process, signal.SIGKILL)
    for _ in range(3):  # a marked process may have started another one meanwhile
        found = [process for process in marked_processes(mark) if process.lives]
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
        if not found:
            break


def wait_gone(process: KnownProcess, *, timeout_s: float) -> bool:
    """Wait for a process that may not be a child of ours."""
    deadline = time.monotonic() + timeout_s
    while process.lives:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
