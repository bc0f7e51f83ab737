"""Decides nothing: decodes a message and calls the engine."""

from __future__ import annotations

import logging
from typing import Any

from zts_core.celery_queue import STEP_TASK, WATCHDOG_TASK
from zts_core.errors import ZtsError
from zts_worker import freezing
from zts_worker.celery import app
from zts_worker.taking import Taken
from zts_worker.wiring import engine

log = logging.getLogger(__name__)


@app.task(name=STEP_TASK, Request=Taken)
def step(run_id: str, seq: int, joined: bool = False) -> None:
    """One attempt of one step."""
    runner = engine(app).runner
    try:
        runner.run(run_id, seq, joined=joined)
    except ZtsError as error:
        # The store knows the step; the reaper sends it again. A chord must never see a failed header.
        log.warning("run %s step %s: %s", run_id, seq, error)
    if runner.left_behind and freezing.of_this_process.limit_s is not None:
        # What cannot be stopped would eat this child's time and memory for ever; the parent starts a new child.
        log.warning("run %s step %s: its crew could not be stopped, this process ends with it", run_id, seq)
        raise SystemExit(0)


@app.task(name=WATCHDOG_TASK, Request=Taken)
def watchdog(*args: Any) -> None:
    """The body of a wave's chord: cap, loops, what is next. Run twice or early it does nothing."""
    try:
        engine(app).dispatcher.advance_run(str(args[-1]))
    except ZtsError as error:
        log.warning("watchdog of run %s: %s", args[-1], error)
