"""Decides when the spans of ended runs are written: by a thread of each worker that traces, once per interval."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from celery import bootsteps

from zts_core.errors import ZtsError
from zts_core.settings import read_settings
from zts_worker.spans import RUNS_AT_ONCE, spans_of_process

log = logging.getLogger(__name__)

LEAVE_S = 5.0
"""Seconds that the last spans get when the worker stops."""


class Teller(threading.Thread):
    """Writes the spans of ended runs, once per interval, beside the pool."""

    def __init__(self, *, interval_s: float) -> None:
        super().__init__(name="zts-traces", daemon=True)
        self.interval_s = interval_s
        self.over = threading.Event()

    def run(self) -> None:
        last = False
        while not last:
            # One more time at the end: what ended meanwhile.
            last = self.over.wait(self.interval_s)
            self.tell()

    def tell(self) -> None:
        try:
            spans = spans_of_process(os.getpid())
            while spans and spans.tell_ended() == RUNS_AT_ONCE:
                pass
        except ZtsError as error:
            log.debug("spans of ended runs follow later: %s", error)
        except Exception:
            log.exception("spans of ended runs could not be written, the next round comes")


class TracesStep(bootsteps.StartStopStep):
    """Lets the teller ride on the worker where traces are on."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.teller: Teller | None = None

    def start(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        settings = read_settings()
        if settings.traced:
            self.teller = Teller(interval_s=settings.tick)
            self.teller.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        teller, self.teller = self.teller, None
        if teller is not None:
            teller.over.set()
            teller.join(LEAVE_S)

    terminate = stop
