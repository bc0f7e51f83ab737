"""Decides how an engine's script is started and asked to do a piece of work: one JSON line each way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.peers.catalogue import Peer
from benchmarks.peers.environments import python_of
from zts_producer.embedded.server_binary import find_server

ENGINES = Path(__file__).parent / "engines"


class Unavailable(Exception):
    """An engine that could not be started or did not end its work; the text says why."""


class Engine:
    """A started engine."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.versions: dict[str, str] = self._answer()["versions"]

    def measure(self, what: str, *args: int) -> dict[str, Any]:
        """`seconds` and, of its workers and servers, `cpu_seconds`; empty where the engine has no such pattern."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([what, *args]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise Unavailable(f"it ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unavailable(answer["error"])
        return answer


@contextmanager
def started(peer: Peer, *, log: Path) -> Iterator[Engine]:
    """The engine, warm; its servers and workers end with it."""
    with tempfile.TemporaryDirectory(prefix="zts-peer-") as folder, log.open("ab") as errors:
        process = subprocess.Popen(
            [python_of(peer.needs), ENGINES / f"{peer.script}.py"],
            env={**os.environ, **peer.settings, **_places(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            yield Engine(process)
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _places(folder: str) -> dict[str, str]:
    return {
        "PEER_FOLDER": folder,
        "PEER_PORT": str(_free_port()),
        "PEER_REDIS": str(find_server().path),
        "PYTHONPATH": f"{ENGINES}:{ENGINES.parents[2]}",
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
