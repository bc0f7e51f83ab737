"""Decides how the result feed rides on a worker: a thread beside the pool, so that a slow graph holds up nobody."""

from __future__ import annotations

import logging
import threading

from zts_core.errors import ZtsError
from zts_core.graph.feed import ResultFeed

log = logging.getLogger(__name__)

LEAVE_S = 2.0
"""Seconds that a batch on its way into the graph gets when the worker stops; what is cut off is delivered again."""


class FeedThread(threading.Thread):
    """Looks once per interval whether the outbox holds something, and delivers it if nobody else does.

    No task on a queue: it would take a place in the pool from crews and from watchdogs for as long as the graph needs.
    """

    def __init__(self, feed: ResultFeed) -> None:
        super().__init__(name="zts-feed", daemon=True)
        self.feed = feed
        self._over = threading.Event()
        self._told = ""

    def run(self) -> None:
        while not self._over.wait(self.feed.limits.interval_s):
            try:
                if self.feed.wanted():
                    self.feed.feed()
                    self._tell("")
            except ZtsError as error:
                self._tell(str(error))
            except Exception:
                log.exception("result feed: this round failed, the next one comes")

    def stop(self) -> None:
        """End after the batch at work, or without it after LEAVE_S seconds."""
        self._over.set()
        self.feed.stopping.set()
        self.join(LEAVE_S)
        self.feed.graph.close()

    def _tell(self, trouble: str) -> None:
        """Each trouble once, however long it lasts, and its end."""
        if trouble and trouble != self._told:
            log.warning("result feed: %s; runs go on, their results follow", trouble)
        elif self._told and not trouble:
            log.info("result feed: the graph takes results again")
        self._told = trouble
