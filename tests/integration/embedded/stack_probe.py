"""What the tests of the embedded stack see from outside: clients as processes, and who of a stack still lives."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import redis

from zts_producer.embedded import EmbeddedStack, StackAddress
from zts_producer.embedded.folder import StackFolder, StackRecord, read_record
from zts_producer.embedded.processes import KnownProcess

SLEEPER = ("sleep", "1000")
"""A worker that does nothing and ends on SIGTERM."""

STUBBORN = (sys.executable, "-c", "import signal as s,time; s.signal(s.SIGTERM, s.SIG_IGN); time.sleep(1000)")
"""A worker in the middle of a long step."""

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found | None], *, timeout_s: float = 20.0) -> Found:
    """Poll until `look` gives something true."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def stack(folder: Path, **options: Any) -> EmbeddedStack:
    return EmbeddedStack(folder, **{"worker_command": SLEEPER, **options})


def connect(address: StackAddress) -> redis.Redis:
    return redis.Redis.from_url(address.redis_url, decode_responses=True)


def record_of(folder: Path) -> StackRecord:
    record = read_record(StackFolder(folder).record)
    assert record is not None
    return record


def complete_record(folder: Path, *, workers: int = 1) -> StackRecord:
    """The record once Redis and that many workers run."""

    def look() -> StackRecord | None:
        record = read_record(StackFolder(folder).record)
        complete = record and len(record.workers) == workers and all(child.process for child in record.workers)
        return record if complete else None

    return wait_until(look)


def successor(folder: Path, before: StackRecord) -> StackRecord | None:
    """What the supervisor after that of `before` says."""
    record = read_record(StackFolder(folder).record)
    return record if record and record.supervisor != before.supervisor else None


def processes_of(record: StackRecord) -> list[KnownProcess]:
    children = [child.process for child in (record.redis, *record.workers)]
    return [record.supervisor, *(process for process in children if process)]


def guard_of(record: StackRecord) -> KnownProcess:
    stat = Path(f"/proc/{record.supervisor.pid}/stat").read_text()
    return KnownProcess.of(int(stat.rpartition(")")[2].split()[1]))


def all_gone(record: StackRecord) -> bool:
    return not any(process.lives for process in processes_of(record))


def leaves_no_runtime_files(folder: Path) -> bool:
    return not [path.name for path in folder.iterdir() if path.suffix in (".json", ".sock", ".fifo")]


class Client:
    """`hold_stack.py` in a process (and process group) of its own."""

    def __init__(self, folder: Path, *, prefix: Sequence[str] = (), **options: Any) -> None:
        arguments = {"folder": str(folder), "worker_command": SLEEPER, **options}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, Path(__file__).with_name("hold_stack.py"), json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def address(self) -> StackAddress:
        """Wait for the client to be in."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.complaint()
        return StackAddress(**json.loads(line))

    def let_go(self) -> None:
        """Tell the client to leave."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def leave(self) -> int:
        """The same, and wait for its end."""
        self.let_go()
        return self.process.wait(30)

    def complaint(self) -> str:
        """What it said on standard error; waits for its end."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def discard(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
