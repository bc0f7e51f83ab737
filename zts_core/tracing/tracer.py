"""Decides how spans are written: by OpenTelemetry's SDK, which is imported only where traces are on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from threading import local
from typing import TYPE_CHECKING

from zts_core.errors import SettingInvalid
from zts_core.settings import Settings, adopt_telemetry
from zts_core.tracing.context import TraceContext, context_below, context_of
from zts_core.tracing.story import Attribute, ToldSpan

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_MS = 1_000_000


class Tracer:
    """Writes the spans of one process."""

    def __init__(self, exporter: SpanExporter, *, delay_ms: int = 500, around: str = "") -> None:
        """`delay_ms`: how long spans are gathered; `around`: the `traceparent` that this process was started with."""
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        chosen = local()

        class Ids(RandomIdGenerator):
            """Ids that this project chose; random ones for spans that crews make."""

            def generate_trace_id(self) -> int:
                return getattr(chosen, "trace", 0) or super().generate_trace_id()

            def generate_span_id(self) -> int:
                return getattr(chosen, "span", 0) or super().generate_span_id()

        self._chosen = chosen
        self._around = around
        self.provider = TracerProvider(resource=_resource(), id_generator=Ids())
        self.provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=delay_ms))
        self._tracer = self.provider.get_tracer("zerotoship")

    def begin(self, run_id: str) -> TraceContext:
        """The context of a new run: below the span this program is in, or that `TRACEPARENT` names, else by itself."""
        below = context_below(run_id, _around() or self._around)
        return below or self.alone(run_id)

    def alone(self, run_id: str) -> TraceContext:
        """The context of a run that was submitted without one."""
        context = context_of(run_id)
        decided = self.provider.sampler.should_sample(None, context.trace, "run")
        return context_of(run_id, sampled=bool(decided.decision.value))

    @contextmanager
    def span(
        self,
        name: str,
        context: TraceContext,
        *,
        parent: int = 0,
        span: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> Iterator[Span]:
        """A span of a run around what is done meanwhile; `parent` is the run's own span where none is given."""
        from opentelemetry.trace import use_span

        started = self._start(name, context, parent=parent or context.root, span=span, attributes=attributes)
        # An exception's text may hold what a crew worked on: its class is enough.
        with use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield started
            except BaseException as error:
                failed(started, type(error).__name__)
                raise

    @contextmanager
    def inner(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[Span]:
        """A span below the one this thread is in."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as started:
            try:
                yield started
            except BaseException as error:
                failed(started, type(error).__name__)
                raise

    def tell(self, told: ToldSpan, context: TraceContext) -> None:
        """Write a span that is over."""
        span = self._start(
            told.name,
            context,
            parent=told.parent,
            span=told.id,
            attributes=told.attributes,
            start_ns=told.start_ms * _MS,
        )
        if told.error:
            failed(span, told.error)
        span.end(max(told.end_ms, told.start_ms) * _MS)

    def flush(self) -> None:
        """Send what has been written so far."""
        self.provider.force_flush()

    def close(self) -> None:
        """Send what has been written, and write no more."""
        self.provider.shutdown()

    def _start(
        self,
        name: str,
        context: TraceContext,
        *,
        parent: int,
        span: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
        start_ns: int | None = None,
    ) -> Span:
        self._chosen.trace, self._chosen.span = context.trace, span
        try:
            return self._tracer.start_span(
                name, context=_below(context, parent), attributes=attributes, start_time=start_ns
            )
        finally:
            self._chosen.trace = self._chosen.span = 0


def failed(span: Span, why: str) -> None:
    """Mark a span as one that went wrong."""
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, why))


def _below(context: TraceContext, parent: int) -> Context:
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if not parent:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return set_span_in_context(
        NonRecordingSpan(SpanContext(context.trace, parent, is_remote=True, trace_flags=flags)), Context()
    )


def _around() -> str:
    """The span that the calling program is in, where it uses OpenTelemetry itself."""
    trace = sys.modules.get("opentelemetry.trace")
    found = trace.get_current_span().get_span_context() if trace else None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}" if found and found.is_valid else ""


def _resource() -> Resource:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    found = Resource.create()
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "zerotoship"}))
    return found


def open_tracer(settings: Settings) -> Tracer | None:
    """The tracer of this process; None where traces are off. SettingInvalid where they are on and cannot be."""
    if not settings.traced:
        return None
    adopt_telemetry()
    return Tracer(_exporter(settings), delay_ms=settings.otel_schedule_delay, around=settings.traceparent)


def check_tracing(settings: Settings) -> None:
    """SettingInvalid where traces are on and their exporter is not there."""
    if settings.traced:
        _exporter_class(settings)


def _exporter(settings: Settings) -> SpanExporter:
    made = _exporter_class(settings)
    # Standard output belongs to what a command answers.
    return made(out=sys.stderr) if settings.otel_traces_exporter == "console" else made()  # type: ignore[call-arg]


def _exporter_class(settings: Settings) -> type[SpanExporter]:
    name = settings.otel_traces_exporter or "otlp"
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise SettingInvalid(
            "traces are on (OTEL_*) and OpenTelemetry is not installed; pip install 'zerotoship[tracing]', "
            "or set OTEL_SDK_DISABLED=true"
        )
    wanted = _OTLP.get(settings.otel_protocol, settings.otel_protocol) if name == "otlp" else name
    for found in entry_points(group="opentelemetry_traces_exporter", name=wanted):
        loaded: type[SpanExporter] = found.load()
        return loaded
    if name == "otlp":
        raise SettingInvalid(
            f"OTEL_EXPORTER_OTLP_PROTOCOL={settings.otel_protocol!r} has no exporter here; use http/protobuf, "
            "or install opentelemetry-exporter-otlp-proto-grpc for grpc"
        )
    raise SettingInvalid(f"OTEL_TRACES_EXPORTER={name!r} is no exporter that is installed; use otlp, console or none")
