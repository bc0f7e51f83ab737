"""Decides what lies where in the data folder, and what the running stack writes down about itself there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.endpoint import Endpoint
from zts_producer.embedded.processes import KnownProcess

LARGEST_LOG = 5_000_000
"""Bytes; a larger log is set aside (one generation) when its process starts."""


@dataclass(frozen=True, slots=True)
class StackFolder:
    """Names of everything in the data folder `root`."""

    root: Path

    @property
    def stack_lock(self) -> Path:
        """Held alone by the supervisor and its guard."""
        return self.root / "stack.lock"

    @property
    def clients_lock(self) -> Path:
        """Shared by clients; whoever gets it alone knows that no client is left."""
        return self.root / "clients.lock"

    @property
    def turn_lock(self) -> Path:
        """Held for moments by a client that must not be disturbed by another."""
        return self.root / "turn.lock"

    @property
    def data_lock(self) -> Path:
        """Held by every Redis that has the data open, however it was started."""
        return self.root / "data.lock"

    @property
    def record(self) -> Path:
        """What the running stack says of itself."""
        return self.root / "stack.json"

    @property
    def old_record(self) -> Path:
        """What a stack said that did not end in order, until it has been cleaned up."""
        return self.root / "stack.old.json"

    @property
    def data(self) -> Path:
        """The append-only file of Redis."""
        return self.root / "redis"

    @property
    def graph_data(self) -> Path:
        """The append-only file of the graph."""
        return self.root / "graph"

    @property
    def neo4j(self) -> Path:
        """Home of the stack's Neo4j, where somebody wanted one: configuration, data, its own logs."""
        return self.root / "neo4j"

    @property
    def neo4j_password(self) -> Path:
        """Its password, for the owner only."""
        return self.neo4j / "password"

    def log(self, name: str) -> Path:
        """The log of `redis`, `graph`, `neo4j`, `supervisor` or `worker-N`."""
        return self.root / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders. Raises ServiceUnavailable where the disk or its owner says no."""
        with explained(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.data.mkdir(mode=0o700, exist_ok=True)
            self.log("redis").parent.mkdir(mode=0o700, exist_ok=True)

    def check_space(self) -> None:
        """Raises OSError where not even a small file can be written."""
        with tempfile.TemporaryFile(dir=self.data) as file:
            file.write(bytes(1 << 16))


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn an OSError into one line that names the folder and the cure."""
    try:
        yield
    except OSError as error:
        raise ServiceUnavailable(unusable(folder, error)) from error


def unusable(folder: Path, error: OSError) -> str:
    """One line: what the system said about `folder`, and what can be done."""
    where = error.filename or folder
    return (
        f"the data folder {folder} cannot be used: {error.strerror or error} ({where}); "
        "free it, choose another folder, or set REDIS_URL to a Redis server"
    )


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to, for its owner only, the old one set aside where it has grown large."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


def note(line: str) -> None:
    """Add a line to the supervisor's log, its standard error; a full disk must not end the supervisor."""
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode())


def last_lines(path: Path, *, count: int = 3) -> str:
    """The last lines of a log, joined into one; empty where there is none."""
    with contextlib.suppress(OSError), path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 4096))
        lines = [line.strip() for line in log.read().decode(errors="replace").splitlines()]
        return " | ".join([line for line in lines if line][-count:])
    return ""


@dataclass(frozen=True, slots=True)
class ChildRecord:
    """One child: the process started last, if any, and how often in a row it ended by itself."""

    name: str
    process: KnownProcess | None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class StackRecord:
    """What a stack says of itself in `stack.json`; `started_at` is ISO 8601 in UTC."""

    endpoint: Endpoint
    mark: str
    started_at: str
    supervisor: KnownProcess
    redis: ChildRecord
    workers: tuple[ChildRecord, ...]
    closing: bool = False
    graph: ChildRecord | None = None
    neo4j_port: int = 0
    """Where the graph is a Neo4j, its port on the loopback interface."""

    def write(self, path: Path) -> None:
        """Replace `path` in one step. Raises OSError."""
        plain = {**asdict(self), **asdict(self.endpoint.address)}
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".stack-")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(plain, file, default=os.fspath)
            os.replace(name, path)  # noqa: PTH105 - two plain strings
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def read_record(path: Path) -> StackRecord | None:
    """What the stack wrote; None where there is nothing, or nothing this version understands."""
    try:
        plain = json.loads(path.read_bytes())
        return _record(plain)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(plain: dict[str, Any]) -> StackRecord:
    endpoint = plain["endpoint"]
    return StackRecord(
        endpoint=Endpoint(**{**endpoint, "runtime_folder": Path(endpoint["runtime_folder"])}),
        mark=plain["mark"],
        started_at=plain["started_at"],
        supervisor=KnownProcess(**plain["supervisor"]),
        redis=_child(plain["redis"]),
        workers=tuple(_child(worker) for worker in plain["workers"]),
        closing=plain["closing"],
        graph=_child(plain["graph"]) if plain.get("graph") else None,
        neo4j_port=plain.get("neo4j_port", 0),
    )


def _child(plain: dict[str, Any]) -> ChildRecord:
    process = KnownProcess(**plain["process"]) if plain["process"] else None
    return ChildRecord(plain["name"], process, plain["failures"])
