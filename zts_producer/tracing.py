"""Decides how a submit shows in a run's trace: as its first span, and as where the trace begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from zts_core.ports import NewRun

if TYPE_CHECKING:
    from zts_core.tracing.tracer import Tracer


@contextmanager
def submitting(tracer: Tracer | None, new: NewRun) -> Iterator[NewRun]:
    """The run as it is to be recorded, with the trace it belongs to, while that is done; as it is where none is on."""
    if tracer is None:
        yield new
        return
    context = tracer.begin(new.run_id)
    with tracer.span("submit", context, attributes={"zts.run": new.run_id, "zts.workflow": new.workflow}):
        yield replace(new, trace=str(context))
