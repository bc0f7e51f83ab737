"""Decides what one step message leads to: claim, crew under lease, one fenced commit, and what is next.

Every failure of a crew becomes a recorded result, so the task that calls this never fails and a chord never breaks.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from zts_core.advance import advance
from zts_core.crash_points import AFTER_BACK_OFF, AFTER_CLAIM, AFTER_COMMIT, AFTER_CREW, reach
from zts_core.decision import Decision
from zts_core.dispatch import Dispatcher
from zts_core.errors import (
    BadInput,
    BudgetExceeded,
    KeyMissing,
    StepTimedOut,
    TransientError,
)
from zts_core.limits import SizeLimits
from zts_core.ports import (
    Claim,
    Claimant,
    ClaimVerdict,
    RequeueVerdict,
    RunStore,
    SettleVerdict,
    Settling,
    StepMessage,
    Taken,
)
from zts_core.run import Outcome, Settled, SettledAs
from zts_core.sealing import missing
from zts_core.workflow.plan import Plan
from zts_worker import leaving
from zts_worker.effects import Effect, judged, said, settled_by, trace_of
from zts_worker.patience import patiently
from zts_worker.ports import ArtifactStore, CrewFinder, Observer
from zts_worker.staying import Staying
from zts_worker.step_context import AttemptContext, FanOutLists, ModelsFinder
from zts_worker.supervision import Ended, watch

log = logging.getLogger(__name__)

WIDEST_WITH_COMMIT = 500
"""Steps of a wave that are recorded together with the commit. Writing a wider one takes long enough for the lease to
run out, so its decision comes after the commit, when nothing can be lost any more."""

RENEW_AT_MOST_EVERY_S = 1.0
"""A crew learns of a cancel at its next renewal, so this is also how long a cancel takes to reach it."""

LONGEST_TRACE = 8_000
"""Characters of a traceback that are kept with a step that failed for good."""


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """How an attempt is bounded, in seconds; `crews`: how many steps of a crew may be at work at once."""

    lease_s: float = 10.0
    backoff_s: float = 1.0
    backoff_max_s: float = 300.0
    crews: Mapping[str, int] = field(default_factory=dict)
    sizes: SizeLimits = field(default_factory=SizeLimits)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a claimed attempt needs on its way to the commit."""

    run_id: str
    seq: int
    claim: Claim
    plan: Plan
    joined: bool
    until: float
    """Until when this worker may go on with the run's next step by itself."""

    @property
    def crew(self) -> str:
        return str(self.claim.step["crew"])

    @property
    def counts_down(self) -> bool:
        return bool(self.claim.step["join"])


@dataclass(frozen=True, slots=True)
class _Following:
    """What is decided with a commit: nothing, where others decide or a decision is too `wide` to go with it."""

    decision: Decision | None = None
    wide: bool = False
    stays: bool = False
    """This worker goes on with the run's next step."""


class StepRunner:
    """Runs steps for one worker process."""

    def __init__(
        self,
        *,
        store: RunStore,
        dispatcher: Dispatcher,
        crews: CrewFinder,
        artifacts: ArtifactStore,
        worker: str,
        limits: RunnerLimits | None = None,
        observer: Observer | None = None,
        models: ModelsFinder | None = None,
        staying: Staying | None = None,
    ) -> None:
        self.store = store
        self.dispatcher = dispatcher
        self.crews = crews
        self.artifacts = artifacts
        self.worker = worker
        self.limits = limits or RunnerLimits()
        self.observer = observer
        self.models = models
        self.staying = staying or Staying()
        self.lists = FanOutLists()
        self.left_behind = 0
        """How many crews could not be stopped and still run in this process."""

    def run(self, run_id: str, seq: int, *, joined: bool = False) -> ClaimVerdict:
        """Run one step, and what this worker goes on with; the verdict is of the first claim.

        `joined` leaves it to the chord's body to decide what is next.
        """
        if leaving.is_leaving():
            # Taken from the queue just before the worker was told to stop; another one does it.
            self.dispatcher.send_again([StepMessage(run_id, seq)])
            return ClaimVerdict.HELD
        limits = self.limits
        until = self.staying.begun()
        claim = self.store.claim(run_id, seq, worker=self.worker, lease_s=limits.lease_s, limits=limits.crews)
        taken: Taken | None = Taken(seq, claim)
        while taken:
            taken = self.take_up(run_id, taken.seq, taken.claim, joined=joined, until=until)
        return claim.verdict

    def take_up(self, run_id: str, seq: int, claim: Claim, *, joined: bool, until: float) -> Taken | None:
        """What a claim leads to; the step that was taken with the commit, where this worker stays with the run."""
        if claim.verdict is ClaimVerdict.CLAIMED:
            try:
                plan = self.dispatcher.plan_of(claim.plan_digest)
            except KeyMissing as error:
                self.leave_to_others(run_id, seq, attempt=claim.attempt, why=error)
                return None
            return self.attempt(_Attempt(run_id, seq, claim, plan, joined, until))
        if claim.verdict is ClaimVerdict.NEWER:
            log.warning("run %s step %s: a newer version submitted it; left to newer workers", run_id, seq)
        elif claim.verdict is ClaimVerdict.SEALED:
            log.warning("step %s: %s", seq, missing(claim.key_id, run_id))
        elif claim.verdict is ClaimVerdict.FULL:
            self.dispatcher.wake()
        elif claim.verdict in (ClaimVerdict.SETTLED, ClaimVerdict.CANCELLED, ClaimVerdict.DEAD):
            # The worker that settled it may have died before it decided.
            self.dispatcher.advance_run(run_id)
        return None

    def attempt(self, attempt: _Attempt) -> Taken | None:
        run_id, claim = attempt.run_id, attempt.claim
        reach(AFTER_CLAIM)
        if claim.following:
            self.dispatcher.send_again([StepMessage(run_id, claim.following, priority=claim.priority)])
        with self.observer.attempt(run_id, attempt.seq, claim) if self.observer else nullcontext():
            taken = self.carry_out(attempt)
        if claim.limited:
            self.dispatcher.wake()
        return taken

    def carry_out(self, attempt: _Attempt) -> Taken | None:
        context = AttemptContext(
            store=self.store,
            artifacts=self.artifacts,
            run_id=attempt.run_id,
            seq=attempt.seq,
            claim=attempt.claim,
            plan=attempt.plan,
            models=self.models,
            lists=self.lists,
            sizes=self.limits.sizes,
        )
        try:
            outcome = self.run_crew(attempt, context)
        finally:
            context.close()
        reach(AFTER_CREW)
        if isinstance(outcome, Effect):
            return self.commit(attempt, outcome)
        if isinstance(outcome, TransientError):
            return self.try_again(attempt, outcome)
        return None

    def run_crew(self, attempt: _Attempt, context: AttemptContext) -> Effect | TransientError | None:
        """The effect to commit, an error worth another try, or None where this attempt may write nothing."""
        try:
            crew = self.crews(attempt.crew)()
        except BadInput as error:
            return Effect(SettledAs.FAILED, said(error))
        began = self.staying.clock()
        watched = watch(
            crew,
            context,
            renew=lambda: self.store.renew(
                attempt.run_id, attempt.seq, attempt=context.attempt, lease_s=self.limits.lease_s
            ),
            every_s=renewed_every(self.limits.lease_s),
        )
        self.staying.took(attempt.crew, self.staying.clock() - began)
        self.left_behind += watched.left_behind
        if self.observer:
            self.observer.crew_ended(watched.error, how=watched.ended.value)
        if isinstance(watched.error, KeyMissing):
            self.leave_to_others(attempt.run_id, attempt.seq, attempt=context.attempt, why=watched.error)
            return None
        if isinstance(watched.error, BudgetExceeded):
            return self.halt(attempt, Outcome.HALTED_BUDGET, said(watched.error))
        if watched.ended is Ended.BY_ITSELF:
            return judged(crew.Output, crew.namespace, watched, context)
        if watched.ended is Ended.TIMED_OUT:
            return StepTimedOut(f"it took longer than its time-out of {attempt.claim.step['timeout']:g} s")
        if watched.ended is Ended.CANCELLED:
            return Effect(SettledAs.CANCELLED, "its run was stopped")
        if watched.ended is Ended.HANDED_BACK:
            self.hand_back(attempt)
            return None
        log.warning("run %s step %s: lease lost, nothing written", attempt.run_id, attempt.seq)
        return None

    def leave_to_others(self, run_id: str, seq: int, *, attempt: int, why: KeyMissing) -> None:
        """A key is lacking here: the step is for a worker that has it, without blame. The reaper sends it, not at once,
        so that this worker does not meet it again and again."""
        log.warning("step %s: %s", seq, why)
        if patiently(lambda: self.store.hand_back(run_id, seq, attempt=attempt)) is RequeueVerdict.DEAD:
            self.dispatcher.advance_run(run_id)

    def hand_back(self, attempt: _Attempt) -> None:
        """This worker has to leave: the step is for another one, at once and without blame."""
        log.warning("run %s step %s: handed back, this worker stops", attempt.run_id, attempt.seq)
        verdict = patiently(lambda: self.store.hand_back(attempt.run_id, attempt.seq, attempt=attempt.claim.attempt))
        if verdict is RequeueVerdict.QUEUED:
            message = StepMessage(attempt.run_id, attempt.seq, priority=attempt.claim.priority)
            self.dispatcher.send_again([message])
        elif verdict is RequeueVerdict.DEAD:
            self.dispatcher.advance_run(attempt.run_id)

    def halt(self, attempt: _Attempt, outcome: Outcome, reason: str) -> Effect:
        """Stop the whole run; what this attempt commits then lets it end."""
        patiently(lambda: self.store.withdraw(attempt.run_id, outcome=outcome, reason=reason))
        return Effect(SettledAs.CANCELLED, reason)

    def try_again(self, attempt: _Attempt, error: TransientError) -> Taken | None:
        claim = attempt.claim
        tries = claim.failures + 1
        if claim.failures >= int(claim.step["retry_attempts"]):
            reason = f"{claim.step['state']} failed after {tries} {'try' if tries == 1 else 'tries'}: {said(error)}"
            return self.commit(attempt, Effect(SettledAs.FAILED, reason, trace=trace_of(error)))
        delay = self.delay(claim.failures, error.retry_after)
        patiently(
            lambda: self.store.back_off(
                attempt.run_id, attempt.seq, attempt=claim.attempt, delay_s=delay, error=said(error)
            )
        )
        reach(AFTER_BACK_OFF)
        return None

    def delay(self, failures: int, retry_after: float | None) -> float:
        """Exponential back-off with full jitter above its half; never shorter than what the peer asked for."""
        longest = min(self.limits.backoff_s * 2.0**failures, self.limits.backoff_max_s)
        return max(longest * random.uniform(0.5, 1.0), retry_after or 0.0)  # noqa: S311 - not for secrets

    def commit(self, attempt: _Attempt, effect: Effect) -> Taken | None:
        claim, settled = attempt.claim, settled_by(effect, attempt.seq, attempt.plan)
        following = self.follows(attempt, settled)
        by = self.claimant() if following.stays else None
        # The work is done and paid for: an outage is waited out, and the fence refuses it where it comes too late.
        answer = patiently(
            lambda: self.store.settle(
                attempt.run_id,
                settled,
                attempt=claim.attempt,
                result=effect.result,
                decision=following.decision,
                version=claim.version,
                trace=effect.trace,
                by=by,
            )
        )
        reach(AFTER_COMMIT)
        if answer.verdict is SettleVerdict.FENCED:
            log.warning("run %s step %s: late commit refused", attempt.run_id, attempt.seq)
        elif answer.verdict is SettleVerdict.DECIDED and following.decision is not None:
            self.dispatcher.send_wave(attempt.run_id, following.decision, claim.priority)
        elif following.wide or answer.verdict is SettleVerdict.LOOP or not self.leaves_it(attempt, answer):
            self.dispatcher.advance_run(attempt.run_id)
        return answer.taken

    def follows(self, attempt: _Attempt, settled: Settled) -> _Following:
        """What this settlement alone leads to, as far as its own worker knows where the run stands."""
        if attempt.counts_down:
            return _Following(stays=self.stays(attempt, attempt.crew))
        state = attempt.claim.state
        found = None if state is None or attempt.joined else advance(attempt.plan, state, [settled])
        if found is None or found.waits:
            return _Following()
        if len(found.starts) > WIDEST_WITH_COMMIT:
            return _Following(wide=True)
        stays = bool(found.starts) and self.stays(attempt, found.starts[0].crew)
        decision = self.dispatcher.packed(attempt.run_id, replace(found, keeps=stays), attempt.claim.priority)
        return _Following(decision, stays=stays)

    def stays(self, attempt: _Attempt, crew: str) -> bool:
        """Whether this worker takes the run's next step, of such a crew, with its commit."""
        alone = attempt.joined or self.left_behind
        return not alone and self.staying.goes_on(crew, until=attempt.until, wide=attempt.counts_down)

    def claimant(self) -> Claimant:
        return Claimant(self.worker, self.limits.lease_s, uuid.uuid4().hex, self.limits.crews)

    @staticmethod
    def leaves_it(attempt: _Attempt, answer: Settling) -> bool:
        """Whether somebody else will decide: a chord's body, or who ends the last step of a join."""
        if attempt.joined:
            return True
        return not answer.joins if attempt.counts_down else only_waits(attempt.claim, answer)


def renewed_every(lease_s: float) -> float:
    """Seconds between two renewals of a lease."""
    return min(lease_s / 3, RENEW_AT_MOST_EVERY_S)


def only_waits(claim: Claim, answer: Settling) -> bool:
    """Whether the position that came with the claim still holds, so that there is a join to wait for."""
    return claim.state is not None and answer.version == claim.version and answer.undecided == 1
