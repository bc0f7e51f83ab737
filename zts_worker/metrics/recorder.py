"""Decides what a worker's processes count by themselves: what is of one process and in no ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

KNOWN_ERRORS = ("TransientError", "PermanentError", "StepTimedOut", "ServiceUnavailable", "LeaseLost")
"""Errors that have a series from the start."""
MOST_ERRORS = 50
"""Past this many kinds of errors, new ones share `other`: crews name their errors as they like."""
REQUEST_BOUNDS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600)

_KINDS = {"timed out": "StepTimedOut", "lease lost": "LeaseLost"}


class Recorder:
    """Counts in files that all processes of this worker share; made in the parent, used in its children."""

    def __init__(self) -> None:
        # No registry: what a scrape shows is read from the files of all processes.
        none: Any = None
        self.errors = Counter(
            "zerotoship_errors_total", "Errors of crews, by class.", labelnames=["error_type"], registry=none
        )
        self.requests = Histogram(
            "zerotoship_request_processing_seconds",
            "From taking a message to being done with it.",
            buckets=REQUEST_BOUNDS_S,
            registry=none,
        )
        self.active = Gauge(
            "zerotoship_active_crew_executions",
            "Crews at work in this worker.",
            multiprocess_mode="livesum",
            registry=none,
        )
        self._known = set(KNOWN_ERRORS)
        for kind in KNOWN_ERRORS:
            self.errors.labels(kind)
        self._began = threading.local()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around one attempt."""
        self.active.inc()
        try:
            yield
        finally:
            self.active.dec()

    def crew_ended(self, error: BaseException | None, how: str) -> None:
        """Count an error by its class; `how` is how the watch over the crew ended."""
        kind = _KINDS.get(how) or (type(error).__name__ if error and how == "by itself" else "")
        if not kind:
            return
        if kind not in self._known and len(self._known) >= MOST_ERRORS:
            kind = "other"
        self._known.add(kind)
        self.errors.labels(kind).inc()

    def message_taken(self, **_: Any) -> None:
        """Celery's `task_prerun`, in the thread that will do the work."""
        self._began.at = time.perf_counter()

    def message_done(self, **_: Any) -> None:
        """Celery's `task_postrun`."""
        began = getattr(self._began, "at", None)
        if began is not None:
            self.requests.observe(time.perf_counter() - began)
