"""Decides which processes belong to the sandbox, what they use, and that none of them outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True)
class Member:
    """One process: its ids and its resident memory in bytes."""

    pid: int
    parent: int
    resident: int


def descendants(root: int) -> list[Member]:
    """All living processes below `root`, zombies left out."""
    below: dict[int, list[Member]] = {}
    for member in _everybody():
        below.setdefault(member.parent, []).append(member)
    found: list[Member] = []
    waiting = [root]
    while waiting:
        children = below.pop(waiting.pop(), [])
        found += children
        waiting += [child.pid for child in children]
    return found


def _everybody() -> list[Member]:
    if Path("/proc/self/stat").exists():
        return [member for entry in _numbered() if (member := _from_proc(entry))]
    return _from_ps()


def _numbered() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _from_proc(process: Path) -> Member | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        # The name in brackets may hold spaces and brackets: fields start after the last one (proc(5)).
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] not in (b"Z", b"X"):
            return Member(int(process.name), parent=int(fields[1]), resident=int(fields[21]) * _PAGE)
    return None


def _from_ps() -> list[Member]:
    try:
        listing = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,rss=,stat="], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split() for line in listing.stdout.splitlines()]
    return [
        Member(int(row[0]), parent=int(row[1]), resident=int(row[2]) * 1024)
        for row in rows
        if len(row) >= 4 and not row[3].startswith("Z")
    ]


def tasks_of(uid: int) -> int:
    """Threads that user `uid` runs now: RLIMIT_NPROC counts those too (getrlimit(2))."""
    total = 0
    for process in _numbered() if Path("/proc/self/stat").exists() else ():
        with contextlib.suppress(OSError):
            if process.stat().st_uid == uid:
                total += len(list((process / "task").iterdir()))
    return total


def reap() -> dict[int, int]:
    """Collect every child that ended: pid -> wait status."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = status
    return ended


def end_all(*, alone_in_namespace: bool, own_uid: int | None, group: int, patience_s: float = 5.0) -> int:
    """Kill every descendant, however it hid; returns how many were still there."""
    left = {member.pid for member in descendants(os.getpid())}
    deadline = time.monotonic() + patience_s
    while True:
        _kill_round(alone_in_namespace=alone_in_namespace, own_uid=own_uid, group=group)
        reap()
        members = descendants(os.getpid())
        if not members or time.monotonic() > deadline:
            return len(left)
        left |= {member.pid for member in members}
        time.sleep(0.005)


def _kill_round(*, alone_in_namespace: bool, own_uid: int | None, group: int) -> None:
    if alone_in_namespace:
        _signal_all()
        return
    if own_uid is not None:
        _signal_all_of(own_uid)
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
    members = descendants(os.getpid())
    # Stopped first, so that none of them forks on while the others are being killed.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for member in members:
            with contextlib.suppress(OSError):
                os.kill(member.pid, number)


def _signal_all() -> None:
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)


def _signal_all_of(uid: int) -> None:
    """kill(-1) as that user reaches all its processes in one call, faster than any of them can fork."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            _signal_all()
        finally:
            os._exit(0)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
