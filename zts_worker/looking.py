"""Decides when a worker's process looks whether its Redis still has what it accepted, and how a loss is told."""

from __future__ import annotations

import logging
import threading

from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.witness import Witness

log = logging.getLogger(__name__)


class Looker(threading.Thread):
    """Looks once per interval while its process remembers anything; an idle one asks nothing."""

    def __init__(self, witness: Witness, *, interval_s: float) -> None:
        super().__init__(name="zts-looker", daemon=True)
        self.witness = witness
        self.interval_s = interval_s
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.interval_s):
            if self.witness.remembers:
                self.try_to_look()

    def try_to_look(self) -> None:
        try:
            look(self.witness)
        except ServiceUnavailable:
            log.debug("Redis is away: what it kept is looked up when it is back")
        except Exception:
            log.exception("what Redis kept could not be looked up")


def look(witness: Witness) -> None:
    """Look once, and say what was found; ServiceUnavailable where Redis does not answer."""
    if found := witness.look():
        log.log(logging.ERROR if found.lost else logging.WARNING, "%s", found)
