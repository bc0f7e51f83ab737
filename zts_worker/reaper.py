"""Decides what is looked after beside the steps: expired leases, lost messages, due retries, timers, undecided runs.

All of it re-enters by the normal door: the store says what is due, the dispatcher sends or decides. What goes wrong
with one run is told and left for the next tick: it must not keep the reaper from the others.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from zts_core.crash_points import AFTER_REQUEUE, AFTER_TICK_ADMITTED, BEFORE_UNDECIDED, reach
from zts_core.dispatch import Dispatcher
from zts_core.errors import KeyMissing, NewerFormat, ServiceUnavailable, UnknownRun, Unreadable
from zts_core.ports import Due, RequeueVerdict, RunStore, StepMessage, StepQueue
from zts_core.run import Ending, Outcome

log = logging.getLogger(__name__)

OUTAGE_GRACE_S = 3.0
"""Seconds after an outage of the store in which no lease is taken as expired: living workers renew within one."""
PAUSE_MEANS_OUTAGE_S = 5.0
"""Seconds between two ticks of one process that mean that its host slept: leases may have had nobody to renew them."""


@dataclass(frozen=True, slots=True)
class ReaperLimits:
    """How often the reaper looks and what counts as overdue, in seconds; `takeovers` per step.

    `silent_s`: how long a lease has to be without a renewal before a worker without a connection counts as dead.
    """

    interval_s: float = 1.0
    unclaimed_after_s: float = 10.0
    undecided_after_s: float = 3.0
    takeovers: int = 3
    lease_s: float = 10.0
    silent_s: float = 2.5
    batch: int = 200


class Reaper:
    """One tick per interval for the whole cluster: whichever worker asks first does it."""

    def __init__(
        self,
        *,
        store: RunStore,
        queue: StepQueue,
        dispatcher: Dispatcher,
        limits: ReaperLimits | None = None,
        forget_files: Callable[[str], None] = lambda _run_id: None,
    ) -> None:
        self.store = store
        self.queue = queue
        self.dispatcher = dispatcher
        self.limits = limits or ReaperLimits()
        self.forget_files = forget_files
        self.lenient_ticks = 0
        self.last_tick_at = time.time()

    def tick(self) -> bool:
        """Do what is due, unless another worker does it; True where this one did."""
        self.notice_pause(time.time())
        try:
            if not self.store.admit_tick(interval_s=self.limits.interval_s * 0.9):
                return False
            reach(AFTER_TICK_ADMITTED)
            due = self.store.due(
                unclaimed_after_s=self.limits.unclaimed_after_s,
                undecided_after_s=self.limits.undecided_after_s,
                backlog=self.has_backlog(),
                limit=self.limits.batch,
            )
        except ServiceUnavailable:
            self.be_lenient()
            raise
        self.look_after(due)
        self.dispatcher.wake(prune=True)
        for run_id in self.store.sweep():
            self.forget_files(run_id)
        return True

    def notice_pause(self, now: float) -> None:
        """Count down the grace after an outage. A host that slept was away as well; hence the calendar's clock."""
        self.lenient_ticks = max(self.lenient_ticks - 1, 0)
        if now - self.last_tick_at > max(PAUSE_MEANS_OUTAGE_S, 3 * self.limits.interval_s):
            self.be_lenient()
        self.last_tick_at = now

    def be_lenient(self) -> None:
        self.lenient_ticks = math.ceil(OUTAGE_GRACE_S / self.limits.interval_s)

    def has_backlog(self) -> bool:
        """Whether steps that nobody has claimed may simply wait their turn; so where the broker does not tell."""
        try:
            return self.queue.depth() > 0
        except ServiceUnavailable as error:
            log.warning("reaper: %s", error)
            return True

    def look_after(self, due: Due) -> None:
        takeovers = self.limits.takeovers
        if not self.lenient_ticks:
            self.requeue(due.leases, lambda run, seq: self.store.requeue_expired(run, seq, takeovers=takeovers))
            self.take_over_early()
        self.requeue(due.retries, self.store.requeue_retry)
        self.requeue(due.unclaimed, self.store.touch_unclaimed)
        self.requeue(due.approvals, self.store.expire_approval)
        for run_id in due.deadlines:
            self.guard(partial(self.end_overdue, run_id), run_id)
        for run_id in due.undecided:
            self.guard(partial(self.decide, run_id), run_id)

    def take_over_early(self) -> None:
        """A lease need not run out where its worker's process is gone for certain."""
        early_s = self.limits.lease_s - self.limits.silent_s
        if early_s <= 0:
            return
        requeue = partial(self.store.requeue_expired, takeovers=self.limits.takeovers, early_s=early_s)
        self.requeue(self.store.forsaken(early_s=early_s, limit=self.limits.batch), requeue)

    def requeue(self, steps: Iterable[tuple[str, int]], transition: Callable[[str, int], RequeueVerdict]) -> None:
        for run_id, seq in steps:
            self.guard(partial(self.bring_back, run_id, seq, transition), run_id)

    def bring_back(self, run_id: str, seq: int, transition: Callable[[str, int], RequeueVerdict]) -> None:
        verdict = transition(run_id, seq)
        reach(AFTER_REQUEUE)
        if verdict is RequeueVerdict.QUEUED:
            self.dispatcher.send_again([StepMessage(run_id, seq, priority=self.dispatcher.priority_of(run_id))])
        elif verdict is RequeueVerdict.DEAD:
            self.dispatcher.advance_run(run_id)

    def decide(self, run_id: str) -> None:
        self.store.touch_undecided(run_id)
        reach(BEFORE_UNDECIDED)
        self.dispatcher.advance_run(run_id)

    def end_overdue(self, run_id: str) -> None:
        reason = "it passed its deadline"
        self.store.withdraw(run_id, outcome=Outcome.TIMED_OUT, reason=reason)
        try:
            self.dispatcher.advance_run(run_id, stop=Ending(Outcome.TIMED_OUT, reason))
        except UnknownRun:
            log.warning("reaper: run %s is gone, its deadline is forgotten", run_id)
        self.store.forget_deadline(run_id)

    def guard(self, act: Callable[[], None], run_id: str) -> None:
        try:
            act()
        except ServiceUnavailable:
            raise
        except (UnknownRun, NewerFormat, KeyMissing, Unreadable) as error:
            log.warning("reaper: %s", error)
        except Exception:
            log.exception("reaper: run %s could not be looked after, left for the next tick", run_id)
