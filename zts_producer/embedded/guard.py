"""Decides what happens when the supervisor itself dies: its children end, and a new one takes over.

The guard is the supervisor's parent. It does nothing but wait, so that hardly anything can end it, and it keeps
what must outlive a supervisor: the locks' place, the address, and the last order for workers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.endpoint import Endpoint, choose_endpoint, remove_runtime_files
from zts_producer.embedded.folder import StackFolder, StackRecord, explained, note, read_record
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.processes import kill_all, signal_group, wait_gone

DONE = 0
"""The supervisor stopped everything in order."""
GAVE_UP = 3
"""The stack cannot be started, and the client has been told why."""

MOST_LIVES = 10
"""Supervisors in one stack's life before the guard gives up."""

REDIS_LEAVES_S = 10.0
"""Seconds for Redis to write out its file before it is ended the hard way (nothing answered is lost then)."""


@dataclass(frozen=True, slots=True)
class Post:
    """What every supervisor of one stack has in common."""

    folder: StackFolder
    servers: tuple[Path, ...]
    grace_s: float
    endpoint: Endpoint
    mark: str


Supervise = Callable[[Post, bytes, int], int]
"""Runs one supervisor: (post, last order or empty, where to pass orders on) -> DONE or GAVE_UP."""


def take_post(folder: StackFolder, servers: tuple[Path, ...], *, grace_s: float) -> Post:
    """Clean up after a stack that did not end in order and choose the address. Raises ServiceUnavailable."""
    clean_up(folder.old_record, endpoint_too=True)
    with explained(folder.root):
        endpoint = choose_endpoint(folder.root)
        os.mkfifo(endpoint.control_path, 0o600)
    return Post(folder, servers, grace_s, endpoint, os.urandom(16).hex())


def stand_guard(post: Post, supervise: Supervise) -> None:
    """Run supervisors until one stops in order, gives up, or dies when no client is left."""
    ignore_signals(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    order = b""
    try:
        for _ in range(MOST_LIVES):
            code, order = _one_life(post, supervise, order)
            if code in (DONE, GAVE_UP):
                return
            clean_up(post.folder.record, endpoint_too=False)
            if _nobody_left(post.folder):
                return
    finally:
        remove_runtime_files(post.endpoint)


def _one_life(post: Post, supervise: Supervise, order: bytes) -> tuple[int, bytes]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _live(post, supervise, order=order, orders=writing)
    os.close(writing)
    silence_output()
    with os.fdopen(reading, "rb") as orders:
        for line in orders:
            order = line
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), order


def _live(post: Post, supervise: Supervise, *, order: bytes, orders: int) -> None:
    code = 1
    try:
        code = supervise(post, order, orders)
    except BaseException:
        note(traceback.format_exc())
    finally:
        os._exit(code)  # the guard's own clean-up code must not run in its child


def clean_up(path: Path, *, endpoint_too: bool) -> None:
    """End what the stack of this record left running, and remove the record and, if wanted, socket and pipe."""
    record = read_record(path)
    if record is not None:
        _end_processes(record)
        if endpoint_too:
            remove_runtime_files(record.endpoint)
    with contextlib.suppress(OSError):
        path.unlink()


def _end_processes(record: StackRecord) -> None:
    graph = [record.graph] if record.graph else []
    kill_all([child.process for child in (*record.workers, *graph) if child.process], record.mark)
    if redis := record.redis.process:
        signal_group(redis, signal.SIGTERM)
        if not wait_gone(redis, timeout_s=REDIS_LEAVES_S):
            signal_group(redis, signal.SIGKILL)


def _nobody_left(folder: StackFolder) -> bool:
    clients = FileLock.on(folder.clients_lock)
    try:
        return clients.try_exclusive()
    finally:
        clients.close()


def ignore_signals(*numbers: signal.Signals) -> None:
    """Do nothing on these; unlike SIG_IGN this is not handed down to programs started later."""
    for number in numbers:
        signal.signal(number, lambda *_: None)


def silence_output() -> None:
    """Let go of standard output: its reader, the client that started the stack, waits for its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def report_failure(error: ServiceUnavailable) -> None:
    """Tell the client that started the stack, in one line, and the log."""
    note(str(error))
    with contextlib.suppress(OSError):  # the client has left
        os.write(1, f"{error}\n".encode())
