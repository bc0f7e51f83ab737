"""Decides which log lines are kept with their run: those of its attempts, sent in batches by a thread of each process.

The thread that logs formats the line and goes on; it never waits for Redis, and what Redis does not take is dropped
past a bound.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable

import structlog
from celery.signals import worker_process_shutdown

from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.run_log import LONGEST, RedisRunLog
from zts_core.sealing import open_sealer
from zts_core.settings import Settings

MOST_WAITING = 2_000
"""Lines of a process that wait to be sent; past it the oldest are dropped, and that is said."""
GATHER_S = 0.3
"""Seconds in which lines are gathered before they are sent."""
AT_ONCE = 500

Send = Callable[[list[tuple[str, str]]], None]


class RunLogHandler(logging.Handler):
    """Keeps the lines of runs; `make_send` gives each process a connection of its own when it first has a line."""

    def __init__(self, make_send: Callable[[], Send], level: int) -> None:
        super().__init__(level)
        self._make_send = make_send
        self._sender: _Sender | None = None

    def emit(self, record: logging.LogRecord) -> None:
        run_id = structlog.contextvars.get_contextvars().get("run")
        if run_id is None or record.name.startswith("celery.worker"):
            return
        try:
            self._sender_of_process().take(str(run_id), _cut(self.format(record)))
        except Exception:
            self.handleError(record)

    def hurry(self) -> None:
        """Send what waits now: an attempt is about to end."""
        if self._sender is not None and self._sender.pid == os.getpid():
            self._sender.hurry()

    def _sender_of_process(self) -> _Sender:
        if self._sender is None or self._sender.pid != os.getpid():
            self._sender = _Sender(self._make_send())
            self._sender.start()
        return self._sender


class _Sender(threading.Thread):
    """Sends the lines of one process."""

    def __init__(self, send: Send) -> None:
        super().__init__(name="zts-run-log", daemon=True)
        self.pid = os.getpid()
        self._send = send
        self._waiting: deque[tuple[str, str]] = deque()
        self._dropped: dict[str, int] = {}
        self._some = threading.Event()
        self._now = threading.Event()
        self._one = threading.Lock()
        atexit.register(self.empty)
        # A child of the pool ends without Python's own end.
        worker_process_shutdown.connect(lambda **_: self.empty(), weak=False)

    def take(self, run_id: str, line: str) -> None:
        self._waiting.append((run_id, line))
        if len(self._waiting) > MOST_WAITING:
            gone, _ = self._waiting.popleft()
            self._dropped[gone] = self._dropped.get(gone, 0) + 1
        self._some.set()

    def hurry(self) -> None:
        if self._waiting:
            self._now.set()

    def run(self) -> None:
        while True:
            self._some.wait()
            self._now.wait(GATHER_S)
            self._now.clear()
            self._some.clear()
            if not self.empty():
                # Redis is away: not again before others had their time, nor never.
                self._now.wait(1.0)
                self._some.set()

    def empty(self) -> bool:
        """Send all that waits; False where Redis does not take it."""
        if self.pid != os.getpid():
            return True
        with self._one:
            while self._waiting or self._dropped:
                batch = [self._waiting[index] for index in range(min(AT_ONCE, len(self._waiting)))]
                lost, self._dropped = self._dropped, {}
                try:
                    self._send([(run_id, _lost(count)) for run_id, count in lost.items()] + batch)
                except ServiceUnavailable:
                    self._dropped = {run_id: lost.get(run_id, 0) + self._dropped.get(run_id, 0) for run_id in lost}
                    return False
                for _ in batch:
                    if self._waiting:
                        self._waiting.popleft()
        return True


def _lost(count: int) -> str:
    return json.dumps({"event": f"{count} lines were lost here: Redis took them too slowly", "level": "warning"})


def _cut(line: str) -> str:
    """A line that Redis shall keep: JSON still, with the end of its longest fields gone where it is too long."""
    if len(line.encode("utf-8", "replace")) <= LONGEST:
        return line
    told = json.loads(line)
    return json.dumps({name: v[-1000:] if isinstance(v, str) else v for name, v in told.items()}, ensure_ascii=True)


def run_log_handler(settings: Settings) -> RunLogHandler:
    """The handler of a worker."""

    def make_send() -> Send:
        kept_s = settings.retention + settings.run_deadline
        sealer = open_sealer(settings.encryption_keys)
        return RedisRunLog(settings.store_url, kept_s=kept_s, timeout_s=settings.redis_timeout, sealer=sealer).append

    return RunLogHandler(make_send, logging.getLevelName(settings.log_level))
