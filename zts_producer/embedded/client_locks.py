"""Decides who counts as a client of a stack and who is the last to leave.

A client shares `clients.lock` for its life. The supervisor keeps trying to get that lock alone; once it has it, it
keeps it until everything is down, so that a newcomer waits exactly that long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.folder import StackFolder, explained
from zts_producer.embedded.locks import FileLock

STOP_S = 60.0
"""Seconds a stack may take to stop before waiting for it is given up."""
POLL_S = 0.01


class ClientLocks:
    """One client's hold on the stack of one folder."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        with explained(folder.root):
            self._clients = FileLock.on(folder.clients_lock)
            self._stack = FileLock.on(folder.stack_lock)
            self._turn = FileLock.on(folder.turn_lock)

    def join(self) -> None:
        """Become a client; waits while a stack is stopping. Raises ServiceUnavailable where it never ends."""
        deadline = time.monotonic() + STOP_S
        while not self._clients.try_shared():
            if time.monotonic() > deadline:
                raise ServiceUnavailable(
                    f"the stack in {self._folder.root} has been stopping for {STOP_S:.0f} s: "
                    f"look at {self._folder.log('supervisor')}"
                )
            time.sleep(POLL_S)

    def try_start(self) -> FileLock | None:
        """The stack's lock where nobody runs a stack: hand it to a supervisor, then close it."""
        lock = FileLock.on(self._folder.stack_lock)
        if lock.try_exclusive():
            return lock
        lock.close()
        return None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep other clients from doing the same at this moment."""
        if not self._turn.wait_exclusive(timeout_s=STOP_S):
            raise ServiceUnavailable(f"another command has held {self._folder.turn_lock} for {STOP_S:.0f} s")
        try:
            yield
        finally:
            self._turn.release()

    def leave(self, say_left: Callable[[], None]) -> None:
        """Stop being a client; the last one calls `say_left` and waits until everything is down."""
        try:
            deadline = time.monotonic() + STOP_S
            if self._last_or_stopping():
                say_left()
            while self._last_or_stopping() and self._stack_runs() and time.monotonic() < deadline:
                time.sleep(POLL_S)
        finally:
            for lock in (self._clients, self._stack, self._turn):
                lock.close()

    def _last_or_stopping(self) -> bool:
        with self.turn():  # else two that leave at once could each take the other for one that stays
            try:
                # Alone: last. Not even a share: the supervisor has the lock, so the stack is stopping.
                return self._clients.try_exclusive() or not self._clients.try_shared()
            finally:
                self._clients.release()

    def _stack_runs(self) -> bool:
        try:
            return not self._stack.try_shared()
        finally:
            self._stack.release()
