"""Decides who may hold what: file locks that the kernel releases when their holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from zts_core.errors import ServiceUnavailable

if sys.platform != "win32":
    import fcntl


class FileLock:
    """An flock(2) on one file. The file is never removed: two files of one name would be two locks.

    A lock belongs to the open file, so a child that inherits `fileno()` holds it too, until the last copy closes.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def on(cls, path: Path) -> FileLock:
        """Open `path`, held by nobody yet. Raises OSError where the folder cannot be written."""
        if sys.platform == "win32":
            raise ServiceUnavailable("the embedded stack needs Linux or macOS: set REDIS_URL to a Redis server")
        return cls(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def fileno(self) -> int:
        """The open file, for a child to inherit."""
        return self._fd

    def try_shared(self) -> bool:
        """Take or keep a share unless somebody holds the lock alone."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone unless anybody else holds it. A share held before is lost either way."""
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self, *, timeout_s: float) -> bool:
        """The same, trying until `timeout_s` is over."""
        deadline = time.monotonic() + timeout_s
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def release(self) -> None:
        """Hold nothing any more."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the lock goes with its last copy."""
        os.close(self._fd)

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
