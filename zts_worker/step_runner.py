"""Decides what one step message leads to: claim, crew under lease, one fenced commit, and what is next.

Every failure of a crew becomes a recorded result, so the task that calls this never fails and a chord never breaks.
"""

from __future__ import annotations

import hashlib
import logging
import random
import traceback
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from zts_core.advance import advance
from zts_core.crash_points import AFTER_BACK_OFF, AFTER_CLAIM, AFTER_COMMIT, AFTER_CREW, reach
from zts_core.dispatch import Dispatcher
from zts_core.errors import (
    BadInput,
    BudgetExceeded,
    KeyMissing,
    PermanentError,
    ServiceUnavailable,
    SettingInvalid,
    StepTimedOut,
    TransientError,
)
from zts_core.limits import SizeLimits
from zts_core.ports import (
    Claim,
    ClaimVerdict,
    RequeueVerdict,
    RunStore,
    SettleVerdict,
    Settling,
    StepMessage,
    StepResult,
)
from zts_core.run import Outcome, Settled, SettledAs, dumps
from zts_core.sealing import missing
from zts_core.workflow.plan import Plan
from zts_worker import leaving
from zts_worker.patience import patiently
from zts_worker.ports import ArtifactStore, CrewFinder, Observer
from zts_worker.step_context import AttemptContext, FanOutLists, ModelsFinder
from zts_worker.supervision import Ended, Watched, watch

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

    @property
    def crew(self) -> str:
        return str(self.claim.step["crew"])

    @property
    def counts_down(self) -> bool:
        return bool(self.claim.step["join"])


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an attempt wants to commit."""

    status: SettledAs
    reason: str = ""
    result: StepResult = field(default_factory=StepResult)
    trace: str = ""


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
    ) -> None:
        self.store = store
        self.dispatcher = dispatcher
        self.crews = crews
        self.artifacts = artifacts
        self.worker = worker
        self.limits = limits or RunnerLimits()
        self.observer = observer
        self.models = models
        self.lists = FanOutLists()
        self.left_behind = 0
        """How many crews could not be stopped and still run in this process."""

    def run(self, run_id: str, seq: int, *, joined: bool = False) -> ClaimVerdict:
        """Run one step. `joined` leaves it to the chord's body to decide what is next."""
        if leaving.is_leaving():
            # Taken from the queue just before the worker was told to stop; another one does it.
            self.dispatcher.send_again([StepMessage(run_id, seq)])
            return ClaimVerdict.HELD
        limits = self.limits
        claim = self.store.claim(run_id, seq, worker=self.worker, lease_s=limits.lease_s, limits=limits.crews)
        if claim.verdict is ClaimVerdict.CLAIMED:
            reach(AFTER_CLAIM)
            if claim.following:
                self.dispatcher.send_again([StepMessage(run_id, claim.following, priority=claim.priority)])
            try:
                plan = self.dispatcher.plan_of(claim.plan_digest)
            except KeyMissing as error:
                self.leave_to_others(run_id, seq, attempt=claim.attempt, why=error)
                return ClaimVerdict.SEALED
            attempt = _Attempt(run_id, seq, claim, plan, joined)
            with self.observer.attempt(run_id, seq, claim) if self.observer else nullcontext():
                self.carry_out(attempt)
            if claim.limited:
                self.dispatcher.wake()
        elif claim.verdict is ClaimVerdict.NEWER:
            log.warning("run %s step %s: a newer version submitted it; left to newer workers", run_id, seq)
        elif claim.verdict is ClaimVerdict.SEALED:
            log.warning("step %s: %s", seq, missing(claim.key_id, run_id))
        elif claim.verdict is ClaimVerdict.FULL:
            self.dispatcher.wake()
        elif claim.verdict in (ClaimVerdict.SETTLED, ClaimVerdict.CANCELLED, ClaimVerdict.DEAD):
            # The worker that settled it may have died before it decided.
            self.dispatcher.advance_run(run_id)
        return claim.verdict

    def carry_out(self, attempt: _Attempt) -> None:
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
        if isinstance(outcome, _Effect):
            self.commit(attempt, outcome)
        elif isinstance(outcome, TransientError):
            self.try_again(attempt, outcome)

    def run_crew(self, attempt: _Attempt, context: AttemptContext) -> _Effect | TransientError | None:
        """The effect to commit, an error worth another try, or None where this attempt may write nothing."""
        try:
            crew = self.crews(attempt.crew)()
        except BadInput as error:
            return _Effect(SettledAs.FAILED, str(error))
        watched = watch(
            crew,
            context,
            renew=lambda: self.store.renew(
                attempt.run_id, attempt.seq, attempt=context.attempt, lease_s=self.limits.lease_s
            ),
            every_s=renewed_every(self.limits.lease_s),
        )
        self.left_behind += watched.left_behind
        if self.observer:
            self.observer.crew_ended(watched.error, how=watched.ended.value)
        if isinstance(watched.error, KeyMissing):
            self.leave_to_others(attempt.run_id, attempt.seq, attempt=context.attempt, why=watched.error)
            return None
        if isinstance(watched.error, BudgetExceeded):
            return self.halt(attempt, Outcome.HALTED_BUDGET, str(watched.error))
        if watched.ended is Ended.BY_ITSELF:
            return _judge(crew.Output, crew.namespace, watched, context)
        if watched.ended is Ended.TIMED_OUT:
            return StepTimedOut(f"it took longer than its time-out of {attempt.claim.step['timeout']:g} s")
        if watched.ended is Ended.CANCELLED:
            return _Effect(SettledAs.CANCELLED, "its run was stopped")
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

    def halt(self, attempt: _Attempt, outcome: Outcome, reason: str) -> _Effect:
        """Stop the whole run; what this attempt commits then lets it end."""
        patiently(lambda: self.store.withdraw(attempt.run_id, outcome=outcome, reason=reason))
        return _Effect(SettledAs.CANCELLED, reason)

    def try_again(self, attempt: _Attempt, error: TransientError) -> None:
        claim = attempt.claim
        tries = claim.failures + 1
        if claim.failures >= int(claim.step["retry_attempts"]):
            reason = f"{claim.step['state']} failed after {tries} {'try' if tries == 1 else 'tries'}: {error}"
            self.commit(attempt, _Effect(SettledAs.FAILED, reason, trace=_trace(error)))
            return
        delay = self.delay(claim.failures, error.retry_after)
        patiently(
            lambda: self.store.back_off(
                attempt.run_id, attempt.seq, attempt=claim.attempt, delay_s=delay, error=str(error)
            )
        )
        reach(AFTER_BACK_OFF)

    def delay(self, failures: int, retry_after: float | None) -> float:
        """Exponential back-off with full jitter above its half; never shorter than what the peer asked for."""
        longest = min(self.limits.backoff_s * 2.0**failures, self.limits.backoff_max_s)
        return max(longest * random.uniform(0.5, 1.0), retry_after or 0.0)  # noqa: S311 - not for secrets

    def commit(self, attempt: _Attempt, effect: _Effect) -> None:
        claim = attempt.claim
        settled = _settled(attempt, effect)
        decision, wide = None, False
        if claim.state is not None and not (attempt.joined or attempt.counts_down):
            found = advance(attempt.plan, claim.state, [settled])
            wide = len(found.starts) > WIDEST_WITH_COMMIT
            decision = None if found.waits or wide else self.dispatcher.packed(attempt.run_id, found, claim.priority)
        # The work is done and paid for: an outage is waited out, and the fence refuses it where it comes too late.
        answer = patiently(
            lambda: self.store.settle(
                attempt.run_id,
                settled,
                attempt=claim.attempt,
                result=effect.result,
                decision=decision,
                version=claim.version,
                trace=effect.trace,
            )
        )
        reach(AFTER_COMMIT)
        if answer.verdict is SettleVerdict.FENCED:
            log.warning("run %s step %s: late commit refused", attempt.run_id, attempt.seq)
        elif answer.verdict is SettleVerdict.DECIDED and decision is not None:
            self.dispatcher.send_wave(attempt.run_id, decision, claim.priority)
        elif wide or answer.verdict is SettleVerdict.LOOP or not self.leaves_it(attempt, answer):
            self.dispatcher.advance_run(attempt.run_id)

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


def _settled(attempt: _Attempt, effect: _Effect) -> Settled:
    if effect.status is not SettledAs.DONE:
        return Settled(attempt.seq, effect.status, reason=effect.reason)
    result = effect.result
    digest = digest_of_effect(result)
    facts = attempt.plan.facts(result.namespace, result.output)
    return Settled(attempt.seq, SettledAs.DONE, result.namespace, digest, facts)


def digest_of_effect(result: StepResult) -> str:
    """What a loop's progress is measured by: output and files, without the `seconds` that differ each time."""
    whole = dumps([_without_seconds(result.output), result.artifacts]).encode("utf-8", "replace")
    return hashlib.blake2b(whole, digest_size=8).hexdigest()


def _without_seconds(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_seconds(inner) for key, inner in value.items() if key != "seconds"}
    return [_without_seconds(inner) for inner in value] if isinstance(value, list) else value


def _judge(
    model: type[BaseModel], namespace: str, watched: Watched, context: AttemptContext
) -> _Effect | TransientError | None:
    error = watched.error
    if error is None:
        return _checked(model, namespace, watched.value, context)
    if isinstance(error, TransientError):
        return error
    # A setting that this worker lacks, such as a key, another one may have.
    if isinstance(error, ConnectionError | TimeoutError | ServiceUnavailable | SettingInvalid):
        return TransientError(f"{type(error).__name__}: {error}")
    log.error("crew failed", exc_info=error)
    if isinstance(error, PermanentError):
        return _Effect(SettledAs.FAILED, f"{context.state} failed: {error}", trace=_trace(error))
    return _Effect(SettledAs.FAILED, f"{context.state} failed: {type(error).__name__}: {error}", trace=_trace(error))


def _trace(error: BaseException) -> str:
    """The end of an error's traceback, which is where the crew's own lines are."""
    return "".join(traceback.format_exception(error))[-LONGEST_TRACE:] if error.__traceback__ else ""


def _checked(model: type[BaseModel], namespace: str, value: Any, context: AttemptContext) -> _Effect:
    try:
        output = value if isinstance(value, model) else model.model_validate(value)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        return _Effect(SettledAs.FAILED, f"{context.state} gave no valid {model.__name__}: {problems}")
    plain: Mapping[str, Any] = output.model_dump(mode="json", by_alias=True)
    result = StepResult(namespace, plain, dict(context.artifacts.manifest))
    if result.output_bytes > context.sizes.output:
        reason = (
            f"its output of {result.output_bytes:,} bytes is more than the {context.sizes.output:,} of "
            "ZTS_OUTPUT_BYTES; "
            "leave what is large as a file (context.artifacts), or raise it"
        )
        return _Effect(SettledAs.FAILED, f"{context.state} failed: {reason}")
    if reason := context.artifacts.too_much(result.kept_bytes):
        return _Effect(SettledAs.FAILED, f"{context.state} failed: {reason}")
    return _Effect(SettledAs.DONE, result=result)
