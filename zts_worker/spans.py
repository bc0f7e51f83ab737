"""Decides which spans a worker writes: of attempts, of calls to models, of writes into the graph, and of ended runs."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from celery.signals import worker_process_shutdown

from zts_core.errors import ServiceUnavailable
from zts_core.outbox import Pending
from zts_core.ports import Claim
from zts_core.redis_store.traces import RedisTraces
from zts_core.sealing import open_sealer
from zts_core.settings import Settings, read_settings
from zts_core.tracing.context import TraceContext, read_context
from zts_core.tracing.story import Attribute, ToldSpan, attempt_id, story, waves_of
from zts_core.tracing.tracer import Tracer, failed, open_tracer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

log = logging.getLogger(__name__)

RUNS_AT_ONCE = 20
_local = threading.local()


class Spans:
    """What one process of a worker tells of the runs it works on. Redis being away costs spans, never a step."""

    def __init__(self, tracer: Tracer, traces: RedisTraces, *, worker: str) -> None:
        self.tracer = tracer
        self.traces = traces
        self.worker = worker
        self.settled_context = lru_cache(maxsize=1024)(self._settled_context)
        self._waves = lru_cache(maxsize=256)(_Waves)

    @contextmanager
    def attempt(self, run_id: str, seq: int, claim: Claim) -> Iterator[None]:
        """Around one attempt, below the wave that set it going."""
        try:
            context = self.settled_context(run_id)
            wave = self._waves(run_id).of(seq, self.traces) if context else 0
        except ServiceUnavailable as error:
            log.debug("an attempt has no span: %s", error)
            context, wave = None, 0
        if context is None:
            yield
            return
        about: dict[str, Attribute] = {
            "zts.run": run_id,
            "zts.step": seq,
            "zts.state": str(claim.step["state"]),
            "zts.crew": str(claim.step["crew"]),
            "zts.attempt": claim.attempt,
            "zts.worker": self.worker,
        }
        number = attempt_id(run_id, seq, claim.attempt)
        name = f"step {claim.step['state']}"
        with self.tracer.span(name, context, parent=wave, span=number, attributes=about) as span:
            _local.attempt = span
            try:
                yield
            finally:
                _local.attempt = None

    def crew_ended(self, error: BaseException | None, how: str) -> None:
        """Mark the attempt's span where its crew did not come to a good end."""
        span = getattr(_local, "attempt", None)
        if span is not None and (error is not None or how != "by itself"):
            why = type(error).__name__ if error is not None else how
            span.set_attribute("error.type", why)
            failed(span, why)

    def written(self, pending: Sequence[Pending], began_ns: int) -> None:
        """The graph took these runs' lines; one span for each run that is traced."""
        ended_ns = time.time_ns()
        for each in pending:
            context = read_context(self.traces.trace_of(each.run.run_id))
            if context:
                about: dict[str, Attribute] = {
                    "zts.run": each.run.run_id,
                    "zts.graph.lines": len(each.entries),
                    "zts.graph.runs": len(pending),
                }
                told = ToldSpan("graph write", 0, context.root, began_ns // 10**6, ended_ns // 10**6, about)
                self.tracer.tell(told, context)

    def tell_ended(self) -> int:
        """Write the spans of runs that have ended; how many runs."""
        with self.traces.telling(limit=RUNS_AT_ONCE) as run_ids:
            for run_id in run_ids:
                self._tell(run_id)
            if run_ids:
                self.tracer.flush()
            return len(run_ids)

    def _tell(self, run_id: str) -> None:
        record, context = self.traces.record(run_id), read_context(self.traces.trace_of(run_id))
        if record is None or context is None:
            return
        for told in story(record, context, self.traces.ledger(run_id)):
            self.tracer.tell(told, context)

    def _settled_context(self, run_id: str) -> TraceContext | None:
        return read_context(self.traces.settle_trace(run_id, str(self.tracer.alone(run_id))))


class _Waves:
    """The waves of one run, read on as far as they are asked for."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._known: dict[int, int] = {}
        self._after = "0"

    def of(self, seq: int, traces: RedisTraces) -> int:
        """Id of the span of the wave that set a step going; 0 where no line tells of one."""
        if seq not in self._known:
            entries = traces.ledger(self.run_id, after=self._after)
            self._known |= waves_of(self.run_id, entries)
            self._after = entries[-1].id if entries else self._after
        return self._known.get(seq, 0)


def model_call(model: str, prompt: str) -> AbstractContextManager[Span | None]:
    """Around one call to a model, below the attempt that makes it."""
    spans = spans_of_process(os.getpid())
    if spans is None:
        return nullcontext()
    about: dict[str, Attribute] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "zts.prompt": prompt,
    }
    return spans.tracer.inner(f"chat {model}", about)


def model_answered(span: Span | None, *, read: int, wrote: int) -> None:
    """What the call used, in tokens."""
    if span is not None:
        span.set_attributes({"gen_ai.usage.input_tokens": read, "gen_ai.usage.output_tokens": wrote})


@cache
def spans_of_process(pid: int) -> Spans | None:
    """The spans of this process, made when they are first needed: a forked child must not share its parent's."""
    settings = read_settings()
    return _open(settings, pid) if settings.traced else None


def _open(settings: Settings, pid: int) -> Spans | None:
    tracer = open_tracer(settings)
    if tracer is None:
        return None
    # A child of the pool ends without Python's own end.
    worker_process_shutdown.connect(lambda **_: tracer.close(), weak=False)
    sealer = open_sealer(settings.encryption_keys)
    traces = RedisTraces(settings.store_url, timeout_s=settings.redis_timeout, sealer=sealer)
    return Spans(tracer, traces, worker=f"{socket.gethostname()}:{pid}")
