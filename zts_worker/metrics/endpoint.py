"""Decides when a worker's metrics begin and end, and which of its processes does what about them.

The parent makes the folder before it forks, serves HTTP, and reads the store at each scrape; its children only count.
Without prometheus_client, or with `PROMETHEUS_PORT=0`, nothing of this happens and workers run all the same.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery.signals import celeryd_after_setup, celeryd_init, task_postrun, task_prerun, worker_ready

from zts_core.catalogue import list_crews
from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.counts import RedisCounts
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.redis_store.shown import RedisShownRuns
from zts_core.settings import Settings, read_settings
from zts_core.workflow.library import Library
from zts_worker.metrics.server import TEXT, Answer, open_server

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from zts_worker.metrics.recorder import Recorder

log = logging.getLogger(__name__)

LONGEST_READ_S = 5.0
"""Prometheus gives up on a scrape after ten seconds, and then hears of no Redis that is away."""
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Endpoint:
    """The metrics of one worker: a folder shared with its children, and the server of its parent."""

    def __init__(self, settings: Settings) -> None:
        from prometheus_client import CollectorRegistry, multiprocess, values

        from zts_worker.metrics.cluster import ClusterCollector
        from zts_worker.metrics.folder import make_folder

        self.settings = settings
        self.folder = make_folder()
        os.environ[FOLDER_VARIABLE] = str(self.folder)
        # Whoever imported prometheus_client before us (Flower's command does) got the values of a single process.
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self.ready = threading.Event()
        self.reading = threading.Lock()
        self.patience_s = min(settings.redis_timeout, LONGEST_READ_S)
        self.counts = RedisCounts(settings.store_url, timeout_s=self.patience_s)
        self.registry: CollectorRegistry = CollectorRegistry()
        multiprocess.MultiProcessCollector(self.registry, path=str(self.folder))  # type: ignore[no-untyped-call]
        known = partial(known_names, settings)
        # First of all that ask Redis.
        self.cluster = ClusterCollector(self.counts.read, known=known)
        self.registry.register(self.cluster)
        if settings.neo4j_uri or settings.graph_url:
            self._show_graph()
        if settings.metrics_runs:
            self._show_runs()
        self.recorder = self._recorder()
        atexit.register(remove_folder, self.folder, os.getpid())

    def _show_graph(self) -> None:
        from zts_worker.metrics.graph import GraphCollector

        outbox = RedisOutbox(self.settings.store_url, timeout_s=self.patience_s)
        self.registry.register(GraphCollector(self.cluster.after(outbox.backlog)))

    def _show_runs(self) -> None:
        from zts_worker.metrics.runs import RunsCollector

        most = self.settings.metrics_runs
        shown = RedisShownRuns(self.settings.store_url, most=most, timeout_s=self.patience_s)
        self.registry.register(RunsCollector(self.cluster.after(shown.read)))

    @staticmethod
    def _recorder() -> Recorder:
        from zts_worker.metrics.recorder import Recorder

        return Recorder()

    def serve(self) -> None:
        """Open the port. Before the pool forks, so that a worker that waits for its broker is seen too."""
        routes: dict[str, Callable[[], Answer]] = {
            "/metrics": self.metrics,
            "/healthz": lambda: (200, TEXT, b"alive\n"),
            "/readyz": self.readiness,
        }
        server = open_server(
            self.settings.prometheus_host, self.settings.prometheus_port, routes=routes, tidy=self.tidy
        )
        if server is not None:
            server.start()
            log.info("metrics at http://%s:%s/metrics", self.settings.prometheus_host, server.port)

    def metrics(self) -> Answer:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        with self.reading:
            self._fold()
            return 200, CONTENT_TYPE_LATEST, generate_latest(self.registry)

    def readiness(self) -> Answer:
        """Ready is who takes messages and reaches the store."""
        if not self.ready.is_set():
            return 503, TEXT, b"the worker is starting or waits for its broker\n"
        try:
            self.counts.ping()
        except ServiceUnavailable as error:
            return 503, TEXT, f"{error}\n".encode()
        return 200, TEXT, b"ready\n"

    def tidy(self) -> None:
        with self.reading:
            self._fold()

    def _fold(self) -> None:
        from zts_worker.metrics.folder import fold_gone

        try:
            fold_gone(self.folder)
        except OSError as error:
            log.warning("metrics of processes that are gone could not be added up: %s", error)


def known_names(settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
    """Workflows and crews that have their series from the start."""
    folders = [settings.workflows] if settings.workflows else []
    return frozenset(Library.read(*folders).workflows), frozenset(list_crews())


def remove_folder(folder: Path, owner: int) -> None:
    """At the end of the process that made it; children inherit the call and must not obey it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


_endpoint: Endpoint | None = None


def recorder() -> Recorder | None:
    """The recorder of this process, where metrics are on."""
    return _endpoint.recorder if _endpoint else None


def install() -> None:
    """Let metrics begin with the worker, whatever pool it has; nothing where prometheus_client is not installed."""
    if find_spec("prometheus_client") is None:
        return
    celeryd_init.connect(_begin)
    # Logs are set up by then, and the pool has not forked yet.
    celeryd_after_setup.connect(_serve)
    worker_ready.connect(_ready)


def _begin(**_: Any) -> None:
    global _endpoint
    settings = read_settings()
    if settings.prometheus_port == 0 or _endpoint is not None:
        return
    _endpoint = Endpoint(settings)
    # Celery holds receivers weakly; bound methods of a recorder that lives on are kept by it.
    task_prerun.connect(_endpoint.recorder.message_taken, weak=False)
    task_postrun.connect(_endpoint.recorder.message_done, weak=False)


def _serve(**_: Any) -> None:
    if _endpoint:
        _endpoint.serve()


def _ready(**_: Any) -> None:
    if _endpoint:
        _endpoint.ready.set()
