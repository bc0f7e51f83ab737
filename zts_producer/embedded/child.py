"""Decides when a child process of the supervisor is started, started again and given up on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from signal import Signals

from zts_producer.embedded.folder import ChildRecord, note
from zts_producer.embedded.processes import KnownProcess, signal_group

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 15.0
STEADY_S = 30.0
"""Seconds of life after which earlier failures are forgotten."""

Launch = Callable[[], "subprocess.Popen[bytes]"]


class Child:
    """One process that shall run; `failures` counts how often in a row it ended by itself."""

    def __init__(self, name: str, launch: Launch) -> None:
        self.name = name
        self.failures = 0
        self.known: KnownProcess | None = None
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0

    @property
    def runs(self) -> bool:
        """Whether the process lives now."""
        return self._process is not None and self._process.poll() is None

    @property
    def record(self) -> ChildRecord:
        """For the stack's record."""
        return ChildRecord(self.name, self.known, self.failures)

    def tend(self, now: float) -> bool:
        """Start the process where it should run and does not; True where it was started just now.

        After each failure in a row the pause before the next start doubles, up to LONGEST_PAUSE_S.
        """
        if self.runs:
            if self.failures and now - self._started_at > STEADY_S:
                self.failures = 0
            return False
        if self._process is not None:
            self._note_end(now, f"ended with {self._process.returncode}")
        if now < self._start_again_at:
            return False
        return self._start(now)

    def signal(self, number: Signals) -> None:
        """Signal the process alone, not what it started."""
        if self._process is not None and self.runs:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End the process and its group."""
        if self.known:
            signal_group(self.known, Signals.SIGKILL)

    def wait_end(self, deadline: float) -> bool:
        """Wait until the process has ended or `deadline` (monotonic clock) has passed."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _start(self, now: float) -> bool:
        try:
            self._process = self._launch()
        except OSError as error:
            self._note_end(now, f"could not be started: {error}")
            return False
        self._started_at = now
        self.known = KnownProcess.of(self._process.pid)
        return True

    def _note_end(self, now: float, how: str) -> None:
        self._process = None
        self.failures += 1
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self.failures - 1))
        self._start_again_at = now + pause
        note(f"{self.name} {how}; next start in {pause:.1f} s")


def stop_in_steps(children: list[Child], steps: list[tuple[Signals, float]]) -> bool:
    """Send each step's signal to whoever still runs and wait its seconds; True where all have ended."""
    for number, seconds in steps:
        for child in children:
            child.signal(number)
        deadline = time.monotonic() + seconds
        if all(child.wait_end(deadline) for child in children):
            return True
    return False
