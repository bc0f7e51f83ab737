"""Decides what `celery -A zts_worker worker` starts: the application, its tasks, and the reaper's tick."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, bootsteps
from celery.signals import after_setup_logger, setup_logging  # noqa: F401

from zts_core.errors import ZtsError
from zts_core.settings import read_settings
from zts_worker.wiring import application, engine

log = logging.getLogger(__name__)


class ReaperStep(bootsteps.StartStopStep):
    """Lets the reaper ride on the worker: a timer of the consumer asks for the tick once per interval."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        self.timer = parent.timer.call_repeatedly(read_settings().tick, self.tick, (parent.app,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def tick(self, of: Celery) -> None:
        try:
            engine(of).reaper.tick()
        except ZtsError as error:
            log.warning("reaper: %s", error)


app = application(read_settings())
app.conf.include = ["zts_worker.tasks"]
app.steps["consumer"].add(ReaperStep)
