"""Decides that a worker with threads asks for the next message as soon as one of them is free.

With `worker_disable_prefetch` the worker's loop asks for none while all places are taken, and looks again when
something wakes it. A child of the prefork pool does, by its pipe; a thread that is done says nothing, and the next
message would wait until the loop's next timer, up to a second.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.concurrency.thread import TaskPool as ThreadPool


class Bell:
    """Wakes an event loop from any thread."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        self._heard.setblocking(False)
        self._rung.setblocking(False)

    def ring(self) -> None:
        # A full socket has been rung already, and a closed one rings for nobody.
        with contextlib.suppress(OSError):
            self._rung.send(b"\0")

    def hang_up(self, hub: Any) -> None:
        """Let the loop hear it; a loop that lost its connection has forgotten all it listened to."""
        hub.add_reader(self._heard, self._drain)

    def after(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """`callback`, and a ring when it is through."""

        def rings(*args: Any, **kwargs: Any) -> Any:
            try:
                return callback(*args, **kwargs)
            finally:
                self.ring()

        return rings

    def close(self) -> None:
        """Give the sockets back."""
        self._heard.close()
        self._rung.close()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._heard.recv(4096)


class RingStep(bootsteps.StartStopStep):
    """Lets a pool of threads ring when a task has left it."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        if not isinstance(parent.pool, ThreadPool):
            return
        pool: Any = parent.pool
        pool.bell = bell = Bell()
        apply_async = pool.apply_async

        def ringing(*args: Any, **options: Any) -> Any:
            for name in ("callback", "error_callback"):
                if options.get(name) is not None:
                    options[name] = bell.after(options[name])
            return apply_async(*args, **options)

        pool.apply_async = ringing

    def terminate(self, parent: Any) -> None:
        bell = getattr(parent.pool, "bell", None)
        if bell is not None:
            bell.close()

    stop = terminate


class ListenStep(bootsteps.StartStopStep):
    """Lets the loop hear the bell, again after each new connection."""

    requires = ("celery.worker.consumer:Tasks",)

    def start(self, c: Any) -> None:
        bell = getattr(c.pool, "bell", None)
        if bell is not None and c.hub is not None:
            bell.hang_up(c.hub)
