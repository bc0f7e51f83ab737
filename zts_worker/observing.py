"""Decides who is told of attempts: the log lines of the thread, and metrics and traces where they are on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from zts_core.ports import Claim
from zts_worker import logs
from zts_worker.metrics import endpoint
from zts_worker.spans import Spans


class WorkerObserver:
    """The Observer of a worker's processes."""

    def __init__(self, spans: Spans | None = None) -> None:
        self.spans = spans

    @contextmanager
    def attempt(self, run_id: str, seq: int, claim: Claim) -> Iterator[None]:
        recorder = endpoint.recorder()
        told = {"run": run_id, "step": seq, "state": claim.step["state"], "crew": claim.step["crew"]}
        with (
            logs.telling(**told, attempt=claim.attempt),
            recorder.attempt() if recorder else nullcontext(),
            self.spans.attempt(run_id, seq, claim) if self.spans else nullcontext(),
        ):
            yield

    def crew_ended(self, error: BaseException | None, *, how: str) -> None:
        recorder = endpoint.recorder()
        if recorder:
            recorder.crew_ended(error, how)
        logs.hurry()
        if self.spans:
            self.spans.crew_ended(error, how)
