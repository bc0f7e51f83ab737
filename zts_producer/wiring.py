"""Decides which adapters stand behind the ports: the one file of the producer that joins them.

Nothing connects before it is used, and what a command does not use is not imported: a command that only reads never
loads Celery.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from zts_core.artifacts import Artifacts, open_artifacts
from zts_core.errors import ZtsError
from zts_core.ports import IdeaIndex, RunStore, StepQueue
from zts_core.redis_url import one_redis, place_of
from zts_core.run import StepStatus
from zts_core.sealing import Sealer, open_sealer
from zts_core.settings import Settings
from zts_producer.redis_choice import RedisChoice, Source, choose_redis

if TYPE_CHECKING:
    from celery import Celery

    from zts_core.celery_queue import CeleryQueue
    from zts_core.dispatch import Dispatcher
    from zts_core.redis_store import RedisStore
    from zts_core.redis_store.advice import Advice
    from zts_core.redis_store.history import RedisHistory
    from zts_core.redis_store.run_log import RedisRunLog
    from zts_core.tracing.tracer import Tracer
    from zts_producer.embedded import EmbeddedStack
    from zts_producer.embedded.neo4j_program import Neo4jProgram
    from zts_producer.results import Results

LOOKED_AT = 20
"""How many unfinished runs are searched for steps at work before the workers are stopped."""

Say = Callable[[str], None]


class Services:
    """The store, the queue and the files behind one command, opened when they are first used."""

    def __init__(self, settings: Settings, *, workers: bool, say: Say) -> None:
        self.settings = settings
        self.workers = workers
        self._say = say
        self._exits = ExitStack()
        self._stack: EmbeddedStack | None = None
        self._choice: RedisChoice | None = None
        self._lock = Lock()
        self.started_stack = False

    def close(self) -> None:
        """Give everything back; the last command to leave an embedded stack waits until it is down."""
        if self._stack and self.workers and not self._steps_at_work():
            self._stack.nothing_in_flight()
        self._exits.close()

    @property
    def choice(self) -> RedisChoice:
        """Which Redis this is; starts or joins the embedded stack where it is that one, once for all threads."""
        with self._lock:
            if self._choice is None:
                choice = choose_redis(self.settings)
                self._choice = self._join_stack() if choice.source is Source.EMBEDDED else choice
            return self._choice

    @cached_property
    def store(self) -> RunStore:
        """The run store."""
        return self._redis_store

    @cached_property
    def _redis_store(self) -> RedisStore:
        from zts_core.redis_store import RedisStore
        from zts_core.redis_store.overflow import Overflow

        settings = self.settings
        overflow = Overflow(self.artifacts, above=settings.output_inline_bytes)
        store = RedisStore(
            self.choice.redis_url,
            retention_s=settings.retention,
            timeout_s=settings.redis_timeout,
            overflow=overflow,
            sealer=self.sealer,
        )
        self._exits.callback(store.close)
        return store

    @cached_property
    def ideas(self) -> IdeaIndex:
        """Where runs with a like idea are found."""
        from zts_core.redis_store.ideas import RedisIdeas

        settings = self.settings
        ideas = RedisIdeas(
            self.choice.redis_url,
            retention_s=settings.retention,
            timeout_s=settings.redis_timeout,
            sealer=self.sealer,
            connections=self._redis_store.connections,
        )
        self._exits.callback(ideas.close)
        return ideas

    @cached_property
    def run_log(self) -> RedisRunLog:
        """What crews logged."""
        from zts_core.redis_store.run_log import RedisRunLog

        settings = self.settings
        log = RedisRunLog(
            self.choice.redis_url, kept_s=settings.retention, timeout_s=settings.redis_timeout, sealer=self.sealer
        )
        self._exits.callback(log.close)
        return log

    @cached_property
    def history(self) -> RedisHistory:
        """Many runs, read piece by piece."""
        from zts_core.redis_store.history import RedisHistory

        history = RedisHistory(self.choice.redis_url, timeout_s=self.settings.redis_timeout)
        self._exits.callback(history.close)
        return history

    def advice(self) -> Advice:
        """What about the Redis of the runs should be different."""
        from zts_core.redis_store.advice import redis_advice

        connections = self._redis_store.connections
        return redis_advice(self.choice.redis_url, timeout_s=self.settings.redis_timeout, connections=connections)

    @cached_property
    def queue(self) -> StepQueue:
        """The step queue; where the store pushes its messages, without Celery until something else is asked of it."""
        beside_store = one_redis(self.choice.redis_url, self.choice.broker_url)
        if beside_store and self.settings.watchdog == "inline":
            from zts_core.step_message import TemplateQueue

            return TemplateQueue(lambda: self._celery_queue(beside_store=True))
        return self._celery_queue(beside_store=beside_store)

    def _celery_queue(self, *, beside_store: bool) -> CeleryQueue:
        from zts_core.celery_queue import CeleryQueue

        return CeleryQueue(self.celery, watchdog=self.settings.watchdog, beside_store=beside_store)

    @cached_property
    def celery(self) -> Celery:
        """The Celery application that knows the broker; results of chords are kept beside the runs."""
        from zts_core.celery_queue import make_app

        choice = self.choice
        app = make_app(choice.broker_url, choice.redis_url, timeout_s=self.settings.redis_timeout)
        self._exits.callback(app.close)
        return app

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """The one door into the queue."""
        from zts_core.dispatch import Dispatcher

        return Dispatcher(self.store, self.queue, window=self.settings.fan_out_window)

    @cached_property
    def tracer(self) -> Tracer | None:
        """The tracer of this process; None where traces are off."""
        if not self.settings.traced:
            return None
        from zts_core.tracing.tracer import open_tracer

        tracer = open_tracer(self.settings)
        if tracer is not None:
            self._exits.callback(tracer.close)
        return tracer

    @cached_property
    def sealer(self) -> Sealer:
        """What encrypts the content of runs, with the keys that are set."""
        return open_sealer(self.settings.encryption_keys)

    @cached_property
    def artifacts(self) -> Artifacts:
        """The crews' files."""
        return open_artifacts(self.settings.artifact_place, self.sealer)

    @cached_property
    def results(self) -> Results:
        """The results' graph."""
        from zts_producer.results import Results

        return Results(self)

    def embedded_graph(self) -> str:
        """The address of the embedded stack's graph, started now; empty where the runs live elsewhere or it cannot."""
        return self._stack.want_graph() if self.embedded and self._stack else ""

    def at_end(self, close: Callable[[], None]) -> None:
        """Have something closed before the stack is left."""
        self._exits.callback(close)

    @property
    def embedded(self) -> bool:
        """Whether the runs live in the embedded stack."""
        return self.choice.source is Source.EMBEDDED

    @property
    def idle(self) -> bool:
        """Whether this command alone keeps the stack up, without workers: nobody carries out what it decides."""
        return self.embedded and self.started_stack and not self.workers

    @property
    def place(self) -> str:
        """Where the runs live, for people; never with a password."""
        if self.embedded:
            return f"the embedded stack in {self.settings.data_folder}"
        url = self.choice.redis_url
        return f"{url.partition('://')[0]}://{place_of(url)}"

    def trouble(self) -> str | None:
        """One line where the embedded stack cannot do its work."""
        return self._stack.trouble() if self._stack else None

    def workers_answer(self, timeout_s: float) -> int:
        """How many workers answer a ping within `timeout_s` seconds; ServiceUnavailable where none can be asked."""
        return self._celery_queue(beside_store=False).workers(timeout_s)

    def _steps_at_work(self) -> bool:
        """Whether a worker is, or may be, at work on a step that it should be let end."""
        try:
            unfinished = self.store.unfinished()
            return len(unfinished) > LOOKED_AT or any(
                step.status is StepStatus.RUNNING for run_id in unfinished for step in self.store.steps(run_id)
            )
        except ZtsError:
            return True

    def _join_stack(self) -> RedisChoice:
        from zts_producer.embedded import running

        folder = self.settings.data_folder
        self.started_stack = running(folder) is None
        if self.workers and self.started_stack:
            found = "" if self.settings.redis_url else "no Redis configured and none on localhost: "
            self._say(f"{found}starting the embedded stack in {folder}")
        self._stack = embedded_stack(self.settings, workers=1 if self.workers else 0)
        address = self._exits.enter_context(self._stack)
        return RedisChoice(Source.EMBEDDED, address.redis_url, address.broker_url)


def embedded_stack(
    settings: Settings, *, workers: int, concurrency: int | None = None, neo4j: Neo4jProgram | None = None
) -> EmbeddedStack:
    """The embedded stack of these settings; its workers keep files and runs where this process looks for them."""
    from zts_core.graph.opening import open_graph
    from zts_core.pricing.choice import check_models
    from zts_producer.embedded import EmbeddedStack

    # Its workers would end over a value that does not fit, where nobody reads what they say.
    check_models(settings)
    if graph := open_graph(settings):
        graph.close()
    environment = {
        "ZTS_DATA_FOLDER": str(settings.data_folder.absolute()),
        "ZTS_ARTIFACTS": settings.artifact_place,
        "ZTS_ENCRYPTION_KEY": settings.encryption_keys,
        "ZTS_WATCHDOG": settings.watchdog,
        "ZTS_GRAPH_CONTENT": str(settings.content_in_graph).lower(),
        # Both would win over the stack's own REDIS_URL.
        "ZTS_REDIS_URL": "",
        "ZTS_BROKER_URL": "",
        # A graph that was chosen wins over the stack's own.
        **({"ZTS_GRAPH_URL": settings.graph_url} if settings.graph_url else {}),
    }
    return EmbeddedStack(
        settings.data_folder,
        workers=workers,
        concurrency=concurrency,
        environment=environment,
        with_workers=workers > 0,
        neo4j=neo4j,
    )
