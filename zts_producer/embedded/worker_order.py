"""Decides how a client asks the supervisor for workers: one line of JSON through a named pipe.

A pipe and not a file, because the environment of the workers holds the keys of model providers.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.address import StackAddress
from zts_producer.embedded.folder import open_log
from zts_producer.embedded.neo4j_server import Neo4jOrder

_FOREIGN_BROKERS = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")
"""Celery prefers these variables to what its application configures (celery.app.utils.Settings)."""


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """Which workers to run: `count` times `command` (`{index}` in it becomes 1, 2, ...) in `folder`."""

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    count: int
    neo4j: Neo4jOrder | None = None
    """The Neo4j that the stack runs as its graph, instead of the bundled one."""

    def command_of(self, index: int) -> list[str]:
        """The command of one worker."""
        return [part.replace("{index}", str(index)) for part in self.command]

    def encode(self) -> bytes:
        """The order as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> WorkerOrder:
        """The inverse of `encode`. Raises ValueError where the line is not whole."""
        plain = json.loads(line)
        neo4j = Neo4jOrder(**plain["neo4j"]) if plain["neo4j"] else None
        return cls(**{**plain, "command": tuple(plain["command"]), "neo4j": neo4j})


def celery_command(concurrency: int | None) -> tuple[str, ...]:
    """A real Celery worker; without `concurrency` one process per processor, two at least and four at most."""
    processes = concurrency or max(2, min(4, os.cpu_count() or 2))
    return (
        *(sys.executable, "-m", "celery", "-A", "zts_worker", "worker"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        *("--loglevel", "info", "--hostname", "embedded-{index}@%h", "--concurrency", str(processes)),
    )


def worker_environment(address: StackAddress, given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, then `given`, then the address, so that no other Redis is used by mistake.

    The names with a prefix are set too: they would win over `REDIS_URL`, also where a `.env` file has them.
    """
    here = {
        "REDIS_URL": address.redis_url,
        "ZTS_REDIS_URL": address.redis_url,
        "ZTS_BROKER_URL": address.broker_url,
    }
    graph = {"ZTS_GRAPH_URL": address.graph_url} if address.graph_url else {}
    environment = {**graph, **os.environ, **given, **here}
    return {name: value for name, value in environment.items() if name not in _FOREIGN_BROKERS}


GRAPH = b"graph\n"
"""What a client says that wants the graph without workers, which want it always."""

LEFT = b"left\n"
"""What the last client says when it has gone and no step is being executed: stop now, nobody needs time."""


def launch_worker(
    order: WorkerOrder, index: int, *, log: Path, environment: Mapping[str, str], umask: int
) -> subprocess.Popen[bytes]:
    """Start one worker in a process group of its own. Raises OSError, and tells the log why."""
    with open_log(log) as output:
        try:
            return subprocess.Popen(
                order.command_of(index),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=order.folder,
                env=environment,
                process_group=0,
                umask=umask,
            )
        except OSError as error:
            output.write(f"{error}\n".encode())
            raise


def send_line(pipe: Path, line: bytes, *, timeout_s: float) -> None:
    """Hand an encoded order, or LEFT, over. Raises ServiceUnavailable where nobody takes it in time."""
    # The first newline ends what a client that was killed while it wrote may have left.
    rest = memoryview(b"\n" + line)
    deadline = time.monotonic() + timeout_s
    descriptor = _open_to_write(pipe, deadline)
    try:
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                _pause(pipe, deadline)
    except BrokenPipeError as error:
        raise _nobody_there(pipe) from error
    finally:
        os.close(descriptor)


def _open_to_write(pipe: Path, deadline: float) -> int:
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.ENXIO, errno.ENOENT):  # no reader yet, or no pipe yet
                raise
        _pause(pipe, deadline)


def _pause(pipe: Path, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _nobody_there(pipe)
    time.sleep(0.01)


def _nobody_there(pipe: Path) -> ServiceUnavailable:
    return ServiceUnavailable(f"the embedded stack takes no orders at {pipe}: run the command again")


class OrderInbox:
    """The supervisor's end of the pipe."""

    def __init__(self, pipe: Path) -> None:
        # Open for writing too: else the pipe would read as ended whenever no client has it open.
        self._descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._unread = b""

    def fileno(self) -> int:
        """For select()."""
        return self._descriptor

    def take(self) -> bytes:
        """The next complete line with its newline; empty where none has arrived."""
        with contextlib.suppress(BlockingIOError):
            self._unread += os.read(self._descriptor, 1 << 16)
        line, newline, rest = self._unread.partition(b"\n")
        if not newline:
            return b""
        self._unread = rest
        return line + newline
