"""Decides what tests of all storeys share: a real Redis server of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded import find_server

if TYPE_CHECKING:
    from graph_servers import GraphModuleServer, Neo4jServer


def pytest_configure() -> None:
    """A shell starts `make test &` with Ctrl-C ignored, and every program a test starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server on a socket in a folder of its own, without persistence; stopped at the end."""
    try:
        binary = str(find_server().path)
    except ServiceUnavailable as error:
        pytest.fail(str(error)) if os.environ.get("CI") else pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="zts-redis-"))  # pytest's own folders have paths too long for a socket
    url = f"unix://{folder}/redis.sock"
    options = ["--port", "0", "--unixsocket", f"{folder}/redis.sock", "--dir", str(folder), "--save", ""]
    server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def neo4j() -> Iterator[Neo4jServer]:
    """A real Neo4j, shared by all tests: whoever stops it starts it again, whoever needs it empty empties it."""
    from graph_servers import Neo4jServer

    server = Neo4jServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def graph_module() -> Iterator[GraphModuleServer]:
    """The embedded graph's server, shared like `neo4j`."""
    from graph_servers import GraphModuleServer

    server = GraphModuleServer()
    yield server
    server.close()


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 10
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < give_up and server.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    pytest.fail(f"redis-server does not answer at {url} (exit code {server.poll()})")
