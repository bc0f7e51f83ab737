"""Decides how the address of the bundled Redis is written down, for redis-py and for kombu."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class StackAddress:
    """Where a stack answers.

    `redis_url` is what `redis.from_url` takes, `broker_url` what Celery takes as broker and as result backend:
    the two libraries spell a Unix socket differently. Both name database 0. `graph_url` is where the graph answers
    once somebody wanted it; empty where it cannot run here.
    """

    redis_url: str
    broker_url: str
    graph_url: str = ""

    @classmethod
    def of_socket(cls, path: Path, graph: Path | None = None) -> StackAddress:
        """The address of a server on a Unix socket; characters with a meaning in URLs are quoted."""
        quoted = quote(os.fsencode(path))
        graph_url = f"falkor+unix://{quote(os.fsencode(graph))}" if graph else ""
        return cls(f"unix://{quoted}?db=0", f"redis+socket://{quoted}?virtual_host=0", graph_url)

    @classmethod
    def of_port(cls, port: int, password: str) -> StackAddress:
        """The address of a server on a port of the loopback interface, locked with `password`."""
        url = f"redis://:{quote(password, safe='')}@127.0.0.1:{port}/0"
        return cls(url, url)
