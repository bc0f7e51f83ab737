"""Decides what `celery -A zts_worker worker` starts: the application, its tasks, and the reaper's beat."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_init, worker_process_init, worker_shutting_down

from zts_core.errors import SettingInvalid, ZtsError
from zts_core.redis_store.advice import redis_advice
from zts_core.settings import Settings, misspelled_settings, read_settings
from zts_worker import freezing, leaving, logs
from zts_worker.looking import look
from zts_worker.metrics import endpoint
from zts_worker.result_feed import FeedThread
from zts_worker.telling import TracesStep
from zts_worker.waking import ListenStep, RingStep
from zts_worker.watching import WatchedStep
from zts_worker.wiring import application, build_feed, check_settings, engine

log = logging.getLogger(__name__)


class Beat(threading.Thread):
    """Asks for the reaper's tick once per interval.

    A thread of its own, because the worker's event loop must neither wait for a slow Redis nor stop the beat while it
    connects anew.
    """

    def __init__(self, of: Celery, *, interval_s: float) -> None:
        super().__init__(name="zts-reaper", daemon=True)
        self.of = of
        self.interval_s = interval_s
        self.over = threading.Event()

    def run(self) -> None:
        advised = False
        while not self.over.wait(self.interval_s):
            try:
                of_process = engine(self.of)
                # First: it is the reaper that has to hear of an outage.
                of_process.reaper.tick()
                look(of_process.witness)
                advised = advised or self.advise()
            except ZtsError as error:
                log.warning("reaper: %s", error)
            except Exception:
                log.exception("reaper: this tick failed, the next one comes")

    def advise(self) -> bool:
        """Say once what about the Redis of the runs should be different; it never keeps a worker from its work."""
        settings = read_settings()
        advice = redis_advice(settings.store_url, timeout_s=settings.redis_timeout)
        for line in (*misspelled_settings(), *advice.warnings):
            log.warning("%s", line)
        if advice.unchecked:
            log.debug("%s", advice.unchecked)
        return True


class ReaperStep(bootsteps.StartStopStep):
    """Lets the reaper ride on the worker, from when its pool has forked until it stops."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.beat: Beat | None = None

    def start(self, parent: Any) -> None:
        self.beat = Beat(parent.app, interval_s=read_settings().tick)
        self.beat.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        if self.beat is not None:
            self.beat.over.set()
            self.beat = None

    terminate = stop


class FeedStep(bootsteps.StartStopStep):
    """Lets the result feed ride on the worker where a graph is configured."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.thread: FeedThread | None = None

    def start(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        if feed := build_feed(read_settings()):
            self.thread = FeedThread(feed)
            self.thread.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        thread, self.thread = self.thread, None
        if thread is not None:
            thread.stop()

    terminate = stop


@worker_init.connect
def leave_imports_alone(**_: Any) -> None:
    """What is loaded by now stays: no look for garbage goes through it, and children share its memory untouched."""
    gc.freeze()


@worker_shutting_down.connect
def leave(**_: Any) -> None:
    """Told to stop: what is at work gets a while to end, and is handed back where it does not."""
    leaving.leave_within(read_settings().shutdown)


@worker_process_init.connect
def guard_child(**_: Any) -> None:
    """Only children of the prefork pool hear this: each runs one crew at a time and is replaced when it dies."""
    settings = read_settings()
    # A renewal that waits for Redis is not a frozen process.
    freezing.of_this_process.arm(3 * settings.lease + 2 * settings.redis_timeout)


def settings_or_leave() -> Settings:
    """The settings of this process, which ends in one line where they do not fit: Celery would show a traceback."""
    try:
        settings = read_settings()
        check_settings(settings)
    except SettingInvalid as error:
        print(f"zts_worker: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    return settings


# Flower's own choice leaves out the arguments, which say what step it is; its command reads this after the application.
os.environ.setdefault("FLOWER_TASKS_COLUMNS", "name,args,state,received,runtime,worker")
_settings = settings_or_leave()
logs.install()
endpoint.install()
app = application(_settings)
app.conf.include = ["zts_worker.tasks"]
app.conf.worker_soft_shutdown_timeout = _settings.shutdown
app.steps["worker"].add(ReaperStep)
app.steps["worker"].add(RingStep)
app.steps["consumer"].add(ListenStep)
app.steps["consumer"].add(WatchedStep)
app.steps["worker"].add(FeedStep)
app.steps["worker"].add(TracesStep)
