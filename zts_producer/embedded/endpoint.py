"""Decides where the bundled Redis listens and asks it, without a client library, whether it answers."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.address import StackAddress
from zts_producer.embedded.server_binary import find_graph

LONGEST_SOCKET_PATH = 100
"""Bytes; `sun_path` holds 104 on macOS and 108 on Linux, the closing NUL included (unix(4), unix(7))."""

SOCKET_NAME = "redis.sock"
GRAPH_SOCKET_NAME = "graph.sock"
"""No longer than SOCKET_NAME, whose path is tried out."""
CONTROL_NAME = "control.fifo"


class Answer(Enum):
    """What a server said to PING."""

    READY = "ready"
    """It serves commands."""
    LOADING = "loading"
    """It lives and still reads its data from disk."""
    SILENT = "silent"
    """Nobody answers there."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one Redis listens: on `socket_path`, or where that is None on loopback `port` behind `password`.

    `runtime_folder` holds the socket and the control pipe; `private` says that it was made for this stack and
    goes away with it.
    """

    runtime_folder: Path
    private: bool = False
    port: int = 0
    password: str = ""

    @property
    def socket_path(self) -> Path | None:
        """The Unix socket, or None for a loopback port."""
        return None if self.port else self.runtime_folder / SOCKET_NAME

    @property
    def graph_path(self) -> Path | None:
        """The graph's Unix socket, or None where there are no sockets or no graph runs on this machine."""
        return None if self.port or find_graph() is None else self.runtime_folder / GRAPH_SOCKET_NAME

    @property
    def control_path(self) -> Path:
        """The named pipe on which clients ask for workers."""
        return self.runtime_folder / CONTROL_NAME

    @property
    def address(self) -> StackAddress:
        """The same as URLs."""
        if self.socket_path is None:
            return StackAddress.of_port(self.port, self.password)
        return StackAddress.of_socket(self.socket_path, self.graph_path)

    def ping(self, *, timeout_s: float = 1.0) -> Answer:
        """Ask once; a server that takes longer than `timeout_s` counts as silent."""
        try:
            with self._connect(timeout_s) as connection:
                return _read_answer(connection, self.password)
        except OSError:
            return Answer.SILENT

    def _connect(self, timeout_s: float) -> socket.socket:
        if self.socket_path is None:
            return socket.create_connection(("127.0.0.1", self.port), timeout_s)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout_s)
            connection.connect(os.fspath(self.socket_path))
        except OSError:
            connection.close()
            raise
        return connection


def _read_answer(connection: socket.socket, password: str) -> Answer:
    with connection.makefile("rwb") as lines:
        if password:
            lines.write(b"AUTH %s\r\n" % password.encode())
            lines.flush()
            lines.readline()
        lines.write(b"PING\r\n")
        lines.flush()
        reply: bytes = lines.readline()
    if reply.startswith(b"+PONG"):
        return Answer.READY
    return Answer.LOADING if reply.startswith(b"-LOADING") else Answer.SILENT


def choose_endpoint(folder: Path) -> Endpoint:
    """A socket in `folder`; where that cannot be, in a short private folder; where that cannot be, a port.

    Raises ServiceUnavailable where no place takes a named pipe.
    """
    if _takes_sockets(folder):
        return Endpoint(folder)
    for parent in _short_folders():
        private = Path(tempfile.mkdtemp(prefix="zts-", dir=parent))
        if _takes_sockets(private):
            return Endpoint(private, private=True)
        private.rmdir()
    return loopback_endpoint(folder)


def loopback_endpoint(folder: Path) -> Endpoint:
    """A free port of the loopback interface behind a random password, the control pipe in `folder`."""
    if not _takes_pipes(folder):
        raise ServiceUnavailable(
            f"{folder} takes neither sockets nor named pipes: choose a data folder on a local disk, "
            "or set REDIS_URL to a Redis server"
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return Endpoint(folder, port=port, password=os.urandom(24).hex())


def _short_folders() -> list[Path]:
    named = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108
    return [Path(name) for name in named if name and os.access(name, os.W_OK | os.X_OK)]


def _takes_sockets(folder: Path) -> bool:
    path = folder / SOCKET_NAME
    try:
        if len(str(path).encode()) > LONGEST_SOCKET_PATH:
            return False
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
        path.unlink()
    except (OSError, ValueError, AttributeError):  # AttributeError: a system without AF_UNIX
        return False
    return _takes_pipes(folder)


def _takes_pipes(folder: Path) -> bool:
    path = folder / CONTROL_NAME
    try:
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        path.unlink()
    except OSError:
        return False
    return True


def remove_runtime_files(endpoint: Endpoint) -> None:
    """Remove socket, pipe and, where it was made for this stack, their folder; what is gone is fine."""
    for name in (SOCKET_NAME, GRAPH_SOCKET_NAME, CONTROL_NAME):
        with contextlib.suppress(OSError):
            (endpoint.runtime_folder / name).unlink()
    if endpoint.private:
        with contextlib.suppress(OSError):
            endpoint.runtime_folder.rmdir()
