"""Real servers for tests: started on sockets and folders of their own, stopped by process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import pytest
import redis

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.server_binary import find_server

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parent.parent


def wait_until(check: Callable[[], T], *, within_s: float = 30.0, what: str | Callable[[], str] = "") -> T:
    """Poll until `check` gives something true, and return that; `what` was waited for, told when it did not come."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > deadline:
            told = what() if callable(what) else what
            raise AssertionError(f"not within {within_s:g} s: {told or check}")
        time.sleep(0.02)
    return found


def skip_or_fail(reason: str) -> None:
    """A server that is missing is a reason to skip on a laptop and a failure in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class RedisServer:
    """A redis-server on a Unix socket with an append-only file, in a folder of its own."""

    def __init__(self, *options: str) -> None:
        try:
            self.binary = find_server().path
        except ServiceUnavailable as error:
            skip_or_fail(str(error))
        self.folder = tempfile.TemporaryDirectory(prefix="zts-redis-", ignore_cleanup_errors=True)
        self.socket = Path(self.folder.name) / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        log = Path(self.folder.name) / "redis.log"
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--dir", self.folder.name, "--save", ""]
        arguments += ["--appendonly", "yes", "--logfile", str(log), *self.options]
        self.process = subprocess.Popen([self.binary, *arguments], stdout=subprocess.DEVNULL)
        wait_until(self._answers, within_s=10, what="redis-server answers")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, decode_responses=True)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        self.folder.cleanup()


class Worker:
    """A `celery -A zts_worker worker` process with its own log."""

    def __init__(
        self,
        redis_url: str,
        folder: Path,
        *,
        pool: str = "prefork",
        concurrency: int = 2,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "celery", "-A", "zts_worker", "worker", "--pool", pool]
        command += ["--concurrency", str(concurrency), "--hostname", f"w{time.monotonic_ns()}@test"]
        command += ["--loglevel", "info", "--without-mingle", "--without-gossip", *options]
        with self.log.open("wb") as log:
            self.process = self._spawn(command, log, redis_url, folder, environment or {})

    @staticmethod
    def _spawn(
        command: list[str], log: BinaryIO, redis_url: str, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZTS_")}
        paths = [str(REPOSITORY), str(REPOSITORY / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(
            command,
            env={
                **inherited,
                "REDIS_URL": redis_url,
                "ZTS_DATA_FOLDER": str(folder / "data"),
                "PYTHONPATH": os.pathsep.join(paths),
                **environment,
            },
            cwd=REPOSITORY,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> None:
        wait_until(
            lambda: " ready." in self.said(), within_s=30, what=lambda: f"worker ready, said: {self.said()[-2000:]}"
        )

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def signal(self, how: signal.Signals) -> None:
        """To the whole process group: the parent and its pool."""
        os.killpg(self.pid, how)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(10)
