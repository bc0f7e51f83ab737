"""Decides which adapter stands behind which port in a worker: the one file that joins them."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache

from celery import Celery

from zts_core.artifacts import open_artifacts
from zts_core.catalogue import find_crew
from zts_core.celery_queue import CeleryQueue, make_app
from zts_core.dispatch import Dispatcher
from zts_core.errors import SettingInvalid
from zts_core.graph.feed import FeedLimits, ResultFeed
from zts_core.graph.opening import open_graph
from zts_core.pricing.choice import check_models
from zts_core.redis_store import RedisStore
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.redis_store.overflow import Overflow
from zts_core.redis_store.witness import Witness
from zts_core.redis_url import check_broker_url, check_redis_url
from zts_core.sealing import open_sealer
from zts_core.settings import EMBEDDED, Settings, read_settings
from zts_core.tracing.tracer import check_tracing
from zts_worker.looking import Looker
from zts_worker.models.opening import open_models
from zts_worker.observing import WorkerObserver
from zts_worker.reaper import Reaper, ReaperLimits
from zts_worker.spans import spans_of_process
from zts_worker.staying import Staying
from zts_worker.step_runner import RunnerLimits, StepRunner, renewed_every


@dataclass(frozen=True, slots=True)
class Engine:
    """What the tasks of one process call."""

    runner: StepRunner
    dispatcher: Dispatcher
    reaper: Reaper
    witness: Witness


def application(settings: Settings) -> Celery:
    """The Celery application of this worker."""
    return make_app(settings.queue_url, settings.store_url, timeout_s=settings.redis_timeout)


def check_settings(settings: Settings) -> None:
    """SettingInvalid where a worker could not work by them; asks no server."""
    if settings.redis_url and settings.store_url == EMBEDDED:
        raise SettingInvalid("REDIS_URL=embedded is for commands; `zts up` starts the embedded stack's own workers")
    check_redis_url(settings.store_url)
    check_broker_url(settings.queue_url)
    check_models(settings)
    check_tracing(settings)
    open_artifacts(settings.artifact_place, open_sealer(settings.encryption_keys))
    if graph := open_graph(settings):
        graph.close()


def build_engine(app: Celery, settings: Settings) -> Engine:
    """An engine with connections of its own: a forked child must not share its parent's."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    sealer = open_sealer(settings.encryption_keys)
    artifacts = open_artifacts(settings.artifact_place, sealer)
    overflow = Overflow(artifacts, above=settings.output_inline_bytes)
    store = RedisStore(
        settings.store_url,
        retention_s=settings.retention,
        timeout_s=settings.redis_timeout,
        name=worker,
        overflow=overflow,
        sealer=sealer,
    )
    queue = CeleryQueue(app, watchdog=settings.watchdog, beside_store=settings.broker_is_store)
    dispatcher = Dispatcher(store, queue, window=settings.fan_out_window)
    runner = StepRunner(
        store=store,
        dispatcher=dispatcher,
        crews=cache(find_crew),
        artifacts=artifacts,
        worker=worker,
        limits=RunnerLimits(
            settings.lease, settings.backoff, settings.backoff_max, settings.crew_limits, settings.sizes
        ),
        observer=WorkerObserver(spans_of_process(os.getpid())),
        models=open_models(settings, lambda: _call_book(settings)),
        # Where every wave is a chord, its watchdog is to be seen for every step.
        staying=Staying(settings.stay if settings.watchdog == "inline" else 0.0),
    )
    limits = ReaperLimits(
        interval_s=settings.tick,
        unclaimed_after_s=settings.resend_after,
        takeovers=settings.takeovers,
        lease_s=settings.lease,
        # Two renewals and a half: one may be late, and the next one under way.
        silent_s=2.5 * renewed_every(settings.lease),
    )
    reaper = Reaper(store=store, queue=queue, dispatcher=dispatcher, limits=limits, forget_files=artifacts.forget)
    return Engine(runner, dispatcher, reaper, store.witness)


def _call_book(settings: Settings) -> RedisCallBook:
    return RedisCallBook(
        settings.store_url,
        retention_s=settings.retention,
        timeout_s=settings.redis_timeout,
        sealer=open_sealer(settings.encryption_keys),
    )


def build_feed(settings: Settings) -> ResultFeed | None:
    """The feed of the configured graph; None where there is none. Connects at the first delivery."""
    graph = open_graph(settings)
    if graph is None:
        return None
    sealer = open_sealer(settings.encryption_keys)
    overflow = Overflow(open_artifacts(settings.artifact_place, sealer))
    outbox = RedisOutbox(
        settings.store_url,
        timeout_s=settings.redis_timeout,
        overflow=overflow,
        sealer=sealer,
        content=settings.content_in_graph,
    )
    spans = spans_of_process(os.getpid())
    limits = FeedLimits(interval_s=settings.tick)
    return ResultFeed(outbox, graph, limits=limits, written=spans.written if spans else None)


@cache
def engine_of_process(app: Celery, pid: int) -> Engine:  # noqa: ARG001 - the process id is the cache's key
    """The engine of this process, made when it is first needed."""
    settings = read_settings()
    built = build_engine(app, settings)
    Looker(built.witness, interval_s=settings.tick).start()
    return built


def engine(app: Celery) -> Engine:
    """The engine of this process."""
    return engine_of_process(app, os.getpid())
