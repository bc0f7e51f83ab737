"""Decides which log lines go where: a worker's own by Celery's options, those of a run also to the run.

Celery goes on to decide where lines go and which level counts (`--logfile`, `--loglevel`); only the form is ours, for
its own lines too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import structlog
from celery.signals import after_setup_logger, after_setup_task_logger

from zts_core.settings import read_settings
from zts_worker.log_form import Discreet, formatter
from zts_worker.run_log import RunLogHandler, run_log_handler

_CHATTY = ("celery", "kombu", "amqp", "billiard", "redis", "neo4j", "httpx", "httpcore", "opentelemetry")
"""Libraries whose own lines stay as quiet as `--loglevel` says."""


@contextmanager
def telling(**about: object) -> Iterator[None]:
    """Put `about` into every log line of this thread, and of the crew's thread that copies its context."""
    with structlog.contextvars.bound_contextvars(**about):
        yield


def install() -> None:
    """Give Celery's handlers our form, in the worker's parent and in each of its children."""
    after_setup_logger.connect(_reformat)
    after_setup_task_logger.connect(_reformat)


def _reformat(
    logger: logging.Logger | None = None, loglevel: int | None = None, colorize: bool | None = None, **_: Any
) -> None:
    settings = read_settings()
    if logger is None:
        return
    shown = [handler for handler in logger.handlers if not isinstance(handler, RunLogHandler)]
    for handler in shown:
        form = formatter(settings.log_format, colors=bool(colorize))
        handler.setFormatter(Discreet(form) if settings.encryption_keys else form)
    if settings.run_log:
        _keep_with_runs(logger, shown, loglevel or logger.level)


@cache
def kept_with_runs() -> RunLogHandler:
    """The one handler of this worker that keeps lines with their runs; its children inherit it."""
    handler = run_log_handler(read_settings())
    handler.setFormatter(formatter("json"))
    return handler


def _keep_with_runs(logger: logging.Logger, shown: list[logging.Handler], level: int) -> None:
    """Let lines come as far as the run's log that `--loglevel` keeps off the worker's own."""
    handler = kept_with_runs()
    if handler not in logger.handlers:
        logger.addHandler(handler)
    for each in shown:
        each.setLevel(max(each.level, level))
    logger.setLevel(min(level, handler.level))
    # What libraries tell of themselves stays as quiet as it was.
    for name in _CHATTY:
        logging.getLogger(name).setLevel(level)


def hurry() -> None:
    """An attempt ends: what it logged is sent now."""
    if kept_with_runs.cache_info().currsize:
        kept_with_runs().hurry()
