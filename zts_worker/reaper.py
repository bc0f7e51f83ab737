"""Decides what is looked after beside the steps: expired leases, lost messages, due retries, timers, undecided runs.

All of it re-enters by the normal door: the store says what is due, the dispatcher sends or decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zts_core.dispatch import Dispatcher
from zts_core.ports import Due, RequeueVerdict, RunStore, StepMessage, StepQueue
from zts_core.run import Ending, Outcome


@dataclass(frozen=True, slots=True)
class ReaperLimits:
    """How often the reaper looks and what counts as overdue, in seconds; `takeovers` per step."""

    interval_s: float = 1.0
    unclaimed_after_s: float = 10.0
    undecided_after_s: float = 3.0
    takeovers: int = 3
    batch: int = 200


class Reaper:
    """One tick per interval for the whole cluster: whichever worker asks first does it."""

    def __init__(
        self, *, store: RunStore, queue: StepQueue, dispatcher: Dispatcher, limits: ReaperLimits | None = None
    ) -> None:
        self.store = store
        self.queue = queue
        self.dispatcher = dispatcher
        self.limits = limits or ReaperLimits()

    def tick(self) -> bool:
        """Do what is due, unless another worker does it; True where this one did."""
        if not self.store.admit_tick(interval_s=self.limits.interval_s * 0.9):
            return False
        due = self.store.due(
            unclaimed_after_s=self.limits.unclaimed_after_s,
            undecided_after_s=self.limits.undecided_after_s,
            backlog=self.queue.depth() > 0,
            limit=self.limits.batch,
        )
        self.look_after(due)
        self.store.sweep()
        return True

    def look_after(self, due: Due) -> None:
        takeovers = self.limits.takeovers
        self.requeue(due.leases, lambda run, seq: self.store.requeue_expired(run, seq, takeovers=takeovers))
        self.requeue(due.retries, self.store.requeue_retry)
        self.requeue(due.unclaimed, self.store.touch_unclaimed)
        self.requeue(due.approvals, self.store.expire_approval)
        for run_id in due.deadlines:
            self.end_overdue(run_id)
        for run_id in due.undecided:
            self.store.touch_undecided(run_id)
            self.dispatcher.advance_run(run_id)

    def requeue(self, steps: Iterable[tuple[str, int]], transition: Callable[[str, int], RequeueVerdict]) -> None:
        for run_id, seq in steps:
            verdict = transition(run_id, seq)
            if verdict is RequeueVerdict.QUEUED:
                self.dispatcher.send_again([StepMessage(run_id, seq)])
            elif verdict is RequeueVerdict.DEAD:
                self.dispatcher.advance_run(run_id)

    def end_overdue(self, run_id: str) -> None:
        reason = "it passed its deadline"
        self.store.withdraw(run_id, outcome=Outcome.TIMED_OUT, reason=reason)
        self.dispatcher.advance_run(run_id, stop=Ending(Outcome.TIMED_OUT, reason))
        self.store.forget_deadline(run_id)
