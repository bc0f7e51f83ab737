"""Decides how the store and the queue behave in memory: the ports' contract on dictionaries and a clock of our own.

`tests/contracts` holds this store to the same tests as the one on Redis, so what is proved on it holds there too.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zts_core.advance import SAME_VISITS
from zts_core.audit import AuditLine, AuditTrail, digest, link
from zts_core.crew import short_name
from zts_core.decision import Decision, Packed, StepStart
from zts_core.errors import ServiceUnavailable, UnknownRun
from zts_core.likeness import ALIKE, SeenBefore, likeness, words
from zts_core.limits import MoreBudget
from zts_core.ports import (
    SAME_BUDGET,
    Claim,
    Claimant,
    ClaimVerdict,
    Created,
    DeadLetter,
    Due,
    LeaseVerdict,
    LedgerEntry,
    NewRun,
    Position,
    RecordVerdict,
    RequeueVerdict,
    RunRecord,
    SettleVerdict,
    Settling,
    StepMessage,
    StepRecord,
    StepResult,
    Taken,
    Waits,
)
from zts_core.redis_store.codec import EFFECTS, result_json
from zts_core.run import Ending, Outcome, Priority, Ref, RunState, RunStatus, Settled, SettledAs, StepStatus, dumps
from zts_core.workflow.plan import Plan

ENDED = (StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELLED)
WHEN_RESUMED = 1 << 62
"""When a queued step of a paused run is due: not by any clock."""


class Clock:
    """Time that only moves when a test says so; milliseconds since 1970."""

    def __init__(self, now_ms: int = 1_000_000) -> None:
        self.now_ms = now_ms

    def advance(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@dataclass
class MemoryStep:
    """A step or an approval: `static` is what was decided, the rest what became of it."""

    seq: int
    static: Mapping[str, Any]
    status: StepStatus
    queued_ms: int
    attempt: int = 0
    call: str = ""
    failures: int = 0
    takeovers: int = 0
    worker: str = ""
    started_ms: int = 0
    ended_ms: int = 0
    due_ms: int = 0
    lease_ms: int = 0
    error: str = ""
    trace: str = ""
    line: str = ""
    slot: str = ""
    """The limited crew it has a slot of."""
    wants: str = ""
    """The limited crew it waits for a slot of."""
    turn: str = ""
    """Of a wide wave: it `waits` in the run's line, or was `sent` and its claim lets the next one in."""


@dataclass
class MemoryRun:
    """All that is kept of one run."""

    new: NewRun
    plan_digest: str
    created_ms: int
    deadline_ms: int
    state: str = ""
    status: RunStatus = RunStatus.RUNNING
    version: int = 0
    started: int = 0
    paused: bool = False
    withdrawn: Ending | None = None
    finish: Ending | None = None
    finished_ms: int = 0
    deadline_open: bool = True
    undecided_ms: int | None = None
    steps: dict[int, MemoryStep] = field(default_factory=dict)
    results: dict[int, StepResult] = field(default_factory=dict)
    inbox: dict[int, str] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    line: deque[int] = field(default_factory=deque)
    chain: list[str] | None = None

    def is_held(self, step: MemoryStep, attempt: int) -> bool:
        return step.status is StepStatus.RUNNING and step.attempt == attempt

    def joins(self, step: MemoryStep) -> bool:
        """Whether no other open step counts down the join that `step` does."""
        join = step.static.get("join")
        others = (other for other in self.steps.values() if other.static.get("join") == join)
        return bool(join) and all(other.status in ENDED for other in others)


class MemoryStore:
    """A RunStore in memory, on one clock."""

    def __init__(self, clock: Clock | None = None, *, retention_s: float = 3600) -> None:
        self.clock = clock or Clock()
        self.retention_s = retention_s
        self.known: dict[str, MemoryRun] = {}
        self.plans: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.dead_at: dict[tuple[str, int], int] = {}
        self.limits: dict[str, int] = {}
        self.slots: dict[str, set[tuple[str, int]]] = {}
        self.full: dict[str, dict[tuple[str, int], tuple[int, int]]] = {}
        self.overtaken_ms: dict[Priority, int] = {}
        self.next_tick_ms = 0
        self.last_entry = 0
        self.gone: set[str] = set()
        """Workers whose process is dead, as a server sees by their connections."""

    @property
    def now(self) -> int:
        return self.clock.now_ms

    # transitions

    def create(self, new: NewRun, plan: Plan, decision: Decision) -> Created:
        first = self.keys.setdefault(new.key, new.run_id) if new.key else new.run_id
        if first != new.run_id:
            return Created(first, existed=True)
        if new.run_id not in self.known:
            self.plans[plan.digest] = plan.to_json()
            run = MemoryRun(new, plan.digest, self.now, self.now + round(new.deadline_s * 1000))
            run.paused = new.paused
            run.chain = [] if plan.audited else None
            self.known[new.run_id] = run
            self._note(run, "run_created", 0, workflow=new.workflow, title=new.title, plan=plan.digest)
            self._apply(run, decision)
        return Created(new.run_id, existed=False)

    def create_many(self, runs: Sequence[tuple[NewRun, Decision]], plan: Plan) -> Sequence[Created]:
        return [self.create(new, plan, decision) for new, decision in runs]

    def claim(
        self, run_id: str, seq: int, *, worker: str, lease_s: float, limits: Mapping[str, int] | None = None
    ) -> Claim:
        return self._take(run_id, seq, Claimant(worker, lease_s, "", limits or {}), sent=True)

    def _take(self, run_id: str, seq: int, by: Claimant, *, sent: bool) -> Claim:
        run, step = self._find(run_id, seq)
        if run is None or step is None:
            return Claim(ClaimVerdict.UNKNOWN)
        if step.status in ENDED:
            return Claim(ClaimVerdict.SETTLED)
        again = bool(by.call) and step.status is StepStatus.RUNNING and step.call == by.call
        if again:
            return self._claimed(run, step)
        if step.status is not StepStatus.QUEUED:
            return Claim(ClaimVerdict.HELD)
        if run.paused:
            self._release(run, step)
            step.due_ms = WHEN_RESUMED
            return Claim(ClaimVerdict.PAUSED)
        if run.withdrawn:
            self._cancel(run, step, "the run was stopped")
            return Claim(ClaimVerdict.CANCELLED)
        if not self._take_slot(run, step, by.limits):
            return Claim(ClaimVerdict.FULL)
        step.attempt += 1
        step.status, step.worker, step.started_ms, step.call = StepStatus.RUNNING, by.worker, self.now, by.call
        step.lease_ms = self.now + round(by.lease_s * 1000)
        if sent:
            self.overtaken_ms[run.new.priority] = max(self.overtaken_ms.get(run.new.priority, 0), step.queued_ms)
        self._note(run, "attempt_started", seq, attempt=step.attempt, worker=by.worker)
        following = self._next_in_line(run) if step.turn == "sent" else 0
        step.turn = ""
        return replace(self._claimed(run, step), following=following)

    @staticmethod
    def _claimed(run: MemoryRun, step: MemoryStep) -> Claim:
        return Claim(
            ClaimVerdict.CLAIMED,
            attempt=step.attempt,
            failures=step.failures,
            version=run.version,
            undecided=len(run.inbox),
            plan_digest=run.plan_digest,
            step=json.loads(dumps(step.static)),
            state=None if step.static["join"] else RunState.from_json(run.state),
            values=run.new.values,
            priority=run.new.priority,
            limited=bool(step.slot),
            kept_bytes=sum(result.kept_bytes for result in run.results.values()),
        )

    def renew(self, run_id: str, seq: int, *, attempt: int, lease_s: float) -> LeaseVerdict:
        run, step = self._find(run_id, seq)
        if run is None or step is None or not run.is_held(step, attempt):
            return LeaseVerdict.LOST
        step.lease_ms = self.now + round(lease_s * 1000)
        return LeaseVerdict.CANCELLED if run.withdrawn else LeaseVerdict.HELD

    def say(self, run_id: str, seq: int, *, attempt: int, line: str) -> None:
        run, step = self._find(run_id, seq)
        if run and step and run.is_held(step, attempt):
            step.line = line
            self._note(run, "said", seq, line=line)

    def settle(
        self,
        run_id: str,
        settled: Settled,
        *,
        attempt: int,
        result: StepResult,
        decision: Decision | None = None,
        version: int = 0,
        trace: str = "",
        by: Claimant | None = None,
    ) -> Settling:
        run, step = self._find(run_id, settled.seq)
        if run is None or step is None:
            return Settling(SettleVerdict.FENCED)
        if not run.is_held(step, attempt):
            repeated = step.attempt == attempt and run.results.get(settled.seq) == result
            if repeated:
                return self._settling(SettleVerdict.SETTLED, run, step, by=by, taking=self._taken_before(run, by))
            return Settling(SettleVerdict.FENCED)
        self._commit(run, step, settled, result)
        step.trace = trace
        fits = decision is not None and run.version == version
        place = self._looped(run, decision) if decision and fits else ""
        if decision and fits and not place:
            self._apply(run, decision)
            kept = decision.starts[0].seq if decision.keeps else 0
            return self._settling(SettleVerdict.DECIDED, run, step, by=by, taking=kept)
        self._deliver(run, settled)
        if place:
            return replace(self._settling(SettleVerdict.LOOP, run, step), place=place)
        goes_on = by and step.static.get("join") and not run.joins(step)
        return self._settling(SettleVerdict.SETTLED, run, step, by=by, taking=self._out_of_line(run) if goes_on else 0)

    def _settling(
        self, verdict: SettleVerdict, run: MemoryRun, step: MemoryStep, *, by: Claimant | None = None, taking: int = 0
    ) -> Settling:
        joins, undecided, taken = run.joins(step), len(run.inbox), None
        if by and taking:
            run.steps[taking].turn = ""
            taken = Taken(taking, self._take(run.new.run_id, taking, by, sent=False))
        return Settling(verdict, run.version, undecided, joins=joins, taken=taken)

    @staticmethod
    def _taken_before(run: MemoryRun, by: Claimant | None) -> int:
        found = (step.seq for step in run.steps.values() if by and step.status not in ENDED and step.call == by.call)
        return next(found, 0)

    def back_off(self, run_id: str, seq: int, *, attempt: int, delay_s: float, error: str) -> bool:
        run, step = self._find(run_id, seq)
        if run is None or step is None or not run.is_held(step, attempt):
            return False
        step.status, step.error = StepStatus.RETRYING, error
        self._release(run, step)
        step.failures += 1
        step.due_ms = self.now + round(delay_s * 1000)
        self._note(run, "attempt_failed", seq, attempt=attempt, error=error, delay_s=round(delay_s, 3))
        return True

    def record(self, run_id: str, decision: Decision, *, version: int) -> tuple[RecordVerdict, str]:
        run = self.known.get(run_id)
        if run is None or run.version != version or run.status is RunStatus.FINISHED:
            return RecordVerdict.STALE, ""
        if place := self._looped(run, decision):
            return RecordVerdict.LOOP, place
        self._apply(run, decision)
        return RecordVerdict.RECORDED, ""

    def reopen(
        self, run_id: str, decision: Decision, *, version: int, again: Sequence[int], more: MoreBudget = SAME_BUDGET
    ) -> bool:
        run = self._run(run_id)
        if run.version != version or run.status is not RunStatus.FINISHED:
            return False
        assert run.finish
        span_ms = run.deadline_ms - run.created_ms
        run.new = replace(
            run.new,
            budget_usd=run.new.budget_usd if more.usd is None else more.usd,
            budget_tokens=run.new.budget_tokens if more.tokens is None else more.tokens,
            crew_budgets={**run.new.crew_budgets, **more.crews},
        )
        outcome, run.finish, run.withdrawn, run.paused = run.finish.outcome, None, None, False
        run.deadline_ms, run.deadline_open = self.now + span_ms, True
        self._note(run, "run_reopened", 0, outcome=outcome, seqs=list(again))
        for seq in again:
            step = run.steps[seq]
            step.failures, step.takeovers, step.error, step.ended_ms = 0, 0, "", 0
            run.results.pop(seq, None)
            self.dead_at.pop((run_id, seq), None)
        self._queue_wave(run, again, decision.window)
        self._apply(run, decision)
        return True

    def answer(self, run_id: str, seq: int, *, approved: bool, by: str, comment: str) -> bool:
        run, step = self._find(run_id, seq)
        if run is None or step is None or step.status is not StepStatus.WAITING:
            return False
        status = SettledAs.APPROVED if approved else SettledAs.REJECTED
        self._close(run, step, StepStatus.DONE if approved else StepStatus.FAILED)
        reason = f"{status} by {by}" + (f": {comment}" if comment else "")
        self._deliver(run, Settled(seq, status, reason=reason))
        self._note(run, "approval_answered", seq, approved=approved, by=by, comment=comment)
        return True

    def withdraw(self, run_id: str, *, outcome: Outcome, reason: str) -> int:
        run = self.known.get(run_id)
        if run is None or run.status is RunStatus.FINISHED:
            return 0
        if run.withdrawn is None:
            run.withdrawn = Ending(outcome, reason)
            self._note(run, "stopping", 0, outcome=outcome, reason=reason)
        run.paused = False
        run.line.clear()
        run.version += 1
        running = 0
        for step in [step for step in run.steps.values() if step.status not in ENDED]:
            if step.status is StepStatus.RUNNING and step.lease_ms > self.now:
                running += 1
            else:
                self._cancel(run, step, reason)
        return running

    def pause(self, run_id: str, *, paused: bool) -> bool:
        run = self.known.get(run_id)
        if run is None or run.finish or run.withdrawn or run.paused == paused:
            return False
        self._note(run, "paused" if paused else "resumed", 0)
        run.paused = paused
        for step in run.steps.values():
            if not paused and step.status is StepStatus.QUEUED:
                step.due_ms = 0
        return True

    # what the reaper asks and does

    def due(self, *, unclaimed_after_s: float, undecided_after_s: float, backlog: bool, limit: int) -> Due:
        after_ms = round(unclaimed_after_s * 1000)
        unclaimed = self._due_steps(StepStatus.QUEUED, "due_ms", self.now - after_ms, limit)
        if backlog:
            unclaimed = tuple(place for place in unclaimed if self._is_overtaken(*place, after_ms))
        undecided_before = self.now - round(undecided_after_s * 1000)
        undecided = [
            (run.undecided_ms, run_id)
            for run_id, run in self.known.items()
            if run.undecided_ms is not None and run.undecided_ms <= undecided_before
        ]
        late = [(r.deadline_ms, i) for i, r in self.known.items() if r.deadline_open and r.deadline_ms <= self.now]
        return Due(
            leases=self._due_steps(StepStatus.RUNNING, "lease_ms", self.now, limit),
            unclaimed=unclaimed,
            retries=self._due_steps(StepStatus.RETRYING, "due_ms", self.now, limit),
            approvals=self._due_steps(StepStatus.WAITING, "due_ms", self.now, limit),
            deadlines=tuple(run_id for _, run_id in sorted(late)[:limit]),
            undecided=tuple(run_id for _, run_id in sorted(undecided)[:limit]),
        )

    def _is_overtaken(self, run_id: str, seq: int, after_ms: int) -> bool:
        run = self.known[run_id]
        levels = list(Priority)
        lower = levels[levels.index(run.new.priority) :]
        youngest = max(self.overtaken_ms.get(level, 0) for level in lower)
        return run.steps[seq].due_ms <= max(youngest - after_ms, 0)

    def forsaken(self, *, early_s: float, limit: int) -> Sequence[tuple[str, int]]:
        until = self.now + round(early_s * 1000)
        soon = self._due_steps(StepStatus.RUNNING, "lease_ms", until, limit)
        return [(run_id, seq) for run_id, seq in soon if self.known[run_id].steps[seq].worker in self.gone]

    def requeue_expired(self, run_id: str, seq: int, *, takeovers: int, early_s: float = 0.0) -> RequeueVerdict:
        run, step = self._find(run_id, seq)
        until = self.now + round(early_s * 1000)
        if run is None or step is None or step.status is not StepStatus.RUNNING or step.lease_ms > until:
            return RequeueVerdict.NOTHING
        gone = step.lease_ms > self.now
        self._release(run, step)
        self._note(run, "lease_expired", seq, attempt=step.attempt, worker=step.worker, gone=gone)
        if run.withdrawn:
            self._cancel(run, step, "the run was stopped and its worker is gone")
            return RequeueVerdict.DEAD
        step.takeovers += 1
        if step.takeovers > takeovers:
            step.error = f"its worker died {step.takeovers} times during this step, or froze"
            self._close(run, step, StepStatus.FAILED)
            self.dead_at[run_id, seq] = self.now
            self._deliver(run, Settled(seq, SettledAs.FAILED, reason=step.error))
            self._note(run, "step_failed", seq, attempt=step.attempt, error=step.error)
            return RequeueVerdict.DEAD
        self._queue(step)
        return RequeueVerdict.QUEUED

    def hand_back(self, run_id: str, seq: int, *, attempt: int) -> RequeueVerdict:
        run, step = self._find(run_id, seq)
        if run is None or step is None or step.status is not StepStatus.RUNNING or step.attempt != attempt:
            return RequeueVerdict.NOTHING
        gone = step.lease_ms > self.now
        self._release(run, step)
        self._note(run, "lease_expired", seq, attempt=attempt, worker=step.worker, gone=gone, handed_back=True)
        if run.withdrawn:
            self._cancel(run, step, "the run was stopped and its worker is gone")
            return RequeueVerdict.DEAD
        self._queue(step)
        return RequeueVerdict.QUEUED

    def requeue_retry(self, run_id: str, seq: int) -> RequeueVerdict:
        _, step = self._find(run_id, seq)
        if step is None or step.status is not StepStatus.RETRYING or step.due_ms > self.now:
            return RequeueVerdict.NOTHING
        self._queue(step)
        return RequeueVerdict.QUEUED

    def touch_unclaimed(self, run_id: str, seq: int) -> RequeueVerdict:
        run, step = self._find(run_id, seq)
        if run is None or step is None or step.status is not StepStatus.QUEUED or _waits(step):
            return RequeueVerdict.NOTHING
        if run.paused:
            step.due_ms = WHEN_RESUMED
            return RequeueVerdict.NOTHING
        self._queue(step)
        self._note(run, "sent_again", seq)
        return RequeueVerdict.QUEUED

    def expire_approval(self, run_id: str, seq: int) -> RequeueVerdict:
        _, step = self._find(run_id, seq)
        if step is None or step.status is not StepStatus.WAITING or not 0 < step.due_ms <= self.now:
            return RequeueVerdict.NOTHING
        approved = step.static["on_timeout"] == "approve"
        self.answer(run_id, seq, approved=approved, by="time-out", comment="nobody answered in time")
        return RequeueVerdict.DEAD

    def touch_undecided(self, run_id: str) -> None:
        run = self.known.get(run_id)
        if run and run.undecided_ms is not None:
            run.undecided_ms = self.now

    def forget_deadline(self, run_id: str) -> None:
        if run_id in self.known:
            self.known[run_id].deadline_open = False

    def audit_trail(self, run_id: str) -> AuditTrail:
        run = self._run(run_id)
        effects = {seq: digest(result_json(result)) for seq, result in run.results.items()}
        return AuditTrail(tuple(map(_audit_line, run.ledger)), tuple(run.chain or ()), effects)

    def key_lacking(self, run_id: str) -> str:
        return ""

    def delete(self, run_id: str, *, unfinished: bool = False) -> bool:
        run = self.known.get(run_id)
        if run is None or (run.finish is None and not unfinished):
            return False
        del self.known[run_id]
        self.keys = {key: first for key, first in self.keys.items() if first != run_id}
        self.dead_at = {place: at for place, at in self.dead_at.items() if place[0] != run_id}
        return True

    def admit_tick(self, *, interval_s: float) -> bool:
        if self.now < self.next_tick_ms:
            return False
        self.next_tick_ms = self.now + round(interval_s * 1000)
        return True

    def sweep(self) -> Sequence[str]:
        kept_ms = round(self.retention_s * 1000)
        gone = [i for i, run in self.known.items() if run.finish and run.finished_ms + kept_ms <= self.now]
        for run_id in gone:
            del self.known[run_id]
        self.dead_at = {place: at for place, at in self.dead_at.items() if place[0] in self.known}
        return gone

    # reads

    def position(self, run_id: str) -> Position:
        run = self._run(run_id)
        settled = tuple(Settled.from_json(run.inbox[seq]) for seq in sorted(run.inbox))
        state = RunState.from_json(run.state)
        return Position(run.version, run.plan_digest, state, settled, run.status, run.withdrawn, run.new.priority)

    def plan(self, digest: str) -> Plan:
        if digest not in self.plans:
            raise UnknownRun(f"workflow definition {digest[:12]} is not in the store")
        return Plan.from_json(self.plans[digest])

    def run(self, run_id: str) -> RunRecord:
        return self._record(self._run(run_id))

    def idea(self, run_id: str) -> str:
        return self.known[run_id].new.idea if run_id in self.known else ""

    def runs(self, *, limit: int) -> Sequence[RunRecord]:
        newest = sorted(self.known.values(), key=lambda run: (-run.created_ms, run.new.run_id))
        return [self._record(run) for run in newest[:limit]]

    def names(self, run_id: str, seqs: Sequence[int]) -> Mapping[int, tuple[str, str, int]]:
        steps = {step.seq: step for step in self.steps(run_id)}
        return {seq: (steps[seq].state, steps[seq].crew, steps[seq].attempt) for seq in seqs if seq in steps}

    def unfinished(self) -> Sequence[str]:
        return [run_id for run_id, run in self.known.items() if run.finish is None]

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        run = self.known.get(run_id)
        return [_step_record(run.steps[seq]) for seq in sorted(run.steps)] if run else []

    def results(self, run_id: str, seqs: Iterable[int]) -> Mapping[int, StepResult]:
        kept = self.known[run_id].results if run_id in self.known else {}
        return {seq: kept[seq] for seq in seqs if seq in kept}

    def dead(self, *, limit: int) -> Sequence[DeadLetter]:
        newest = sorted(self.dead_at.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
        return [self._dead_letter(run_id, seq, at) for (run_id, seq), at in newest if run_id in self.known]

    def dead_letter(self, run_id: str, seq: int) -> DeadLetter | None:
        at = self.dead_at.get((run_id, seq))
        if at is None or run_id not in self.known:
            return None
        history = tuple(entry for entry in self.ledger(run_id) if entry.seq == seq)
        return replace(self._dead_letter(run_id, seq, at), history=history)

    def _dead_letter(self, run_id: str, seq: int, at_ms: int) -> DeadLetter:
        step = self.known[run_id].steps[seq]
        static = step.static
        return DeadLetter(
            run_id,
            seq,
            static["state"],
            static["crew"],
            at_ms,
            step.attempt,
            step.failures,
            step.takeovers,
            step.error,
            step.trace,
            static.get("values", {}),
            static.get("inputs", {}),
        )

    def drop_dead(self, run_id: str, seq: int) -> bool:
        return self.dead_at.pop((run_id, seq), None) is not None

    def data(self, run_id: str) -> Mapping[str, Ref]:
        return {namespace: held.ref for namespace, held in self.position(run_id).state.data.items()}

    def ledger(self, run_id: str, *, after: str = "0") -> Sequence[LedgerEntry]:
        run = self.known.get(run_id)
        return [entry for entry in run.ledger if int(entry.id) > int(after)] if run else []

    def follow(self, run_id: str, *, after: str = "0", wait_s: float) -> Iterator[LedgerEntry]:
        yield from self.ledger(run_id, after=after)

    def ping(self) -> float:
        return 0.0

    def wake(self, *, prune: bool = False) -> Sequence[tuple[str, int]]:
        woken = []
        for crew, limit in self.limits.items():
            slots, full = self.slots.setdefault(crew, set()), self.full.setdefault(crew, {})
            while full and (limit == 0 or len(slots) < limit):
                place = min(full, key=lambda place: (full[place], f"{place[0]}:{place[1]}"))
                del full[place]
                step = self.known[place[0]].steps[place[1]]
                slots.add(place)
                step.wants, step.slot, step.due_ms = "", crew, self.now
                woken.append(place)
        return woken

    # the transitions that several methods share

    def _take_slot(self, run: MemoryRun, step: MemoryStep, limits: Mapping[str, int]) -> bool:
        crew = short_name(step.static["crew"])
        limit = limits.get(crew, step.static.get("max_concurrent", 0))
        if limit or step.slot:
            self.limits[crew] = limit
        if not limit or step.slot:
            return True
        place = (run.new.run_id, step.seq)
        slots, full = self.slots.setdefault(crew, set()), self.full.setdefault(crew, {})
        if len(slots) >= limit or full:
            full.setdefault(place, (list(Priority).index(run.new.priority), self.now))
            step.wants = crew
            return False
        slots.add(place)
        step.slot = crew
        return True

    def _release(self, run: MemoryRun, step: MemoryStep) -> None:
        place = (run.new.run_id, step.seq)
        self.slots.get(step.slot, set()).discard(place)
        self.full.get(step.wants, {}).pop(place, None)
        step.slot = step.wants = ""

    def _apply(self, run: MemoryRun, decision: Decision) -> None:
        for seq in decision.consumed:
            run.inbox.pop(seq, None)
        for event in decision.events:
            self._note(run, event.kind, event.seq, **event.detail)
        for seq in decision.closed:
            run.steps[seq].status, run.steps[seq].ended_ms = StepStatus.CANCELLED, self.now
        self._start(run, decision)
        run.state, run.started = decision.state.to_json(), decision.state.started
        run.status = _status_after(decision)
        run.version += 1
        run.undecided_ms = self.now if run.inbox else None
        if decision.finish:
            run.finish, run.finished_ms = decision.finish, self.now
            run.deadline_open, run.undecided_ms = False, None
            run.inbox.clear()
            run.line.clear()

    def _start(self, run: MemoryRun, decision: Decision) -> None:
        for reused in decision.reused:
            seq = reused.start.seq
            run.steps[seq] = MemoryStep(seq, _static(reused.start), StepStatus.DONE, self.now, ended_ms=self.now)
            run.results[seq] = StepResult(reused.namespace, reused.output, reused.artifacts)
            detail = {"origin": reused.origin, "namespace": reused.namespace, "digest": reused.digest}
            self._note(run, "step_reused", seq, **detail, sha256=digest(result_json(run.results[seq])))
        for start in decision.starts:
            run.steps[start.seq] = MemoryStep(start.seq, _static(start), StepStatus.QUEUED, self.now, due_ms=self.now)
        if decision.keeps:
            self._queue(run.steps[decision.starts[0].seq])
        self._queue_wave(run, [start.seq for start in decision.starts[decision.keeps :]], decision.window)
        if decision.starts:
            states, seqs = zip(*((start.state, start.seq) for start in decision.starts), strict=True)
            self._note(run, "wave", 0, states=list(states), seqs=list(seqs))
        for asked in decision.approvals:
            static = {"state": asked.state, "path": asked.path, "crew": "", "prompt": asked.prompt}
            static["on_timeout"] = asked.on_timeout
            due_ms = self.now + round(asked.timeout * 1000) if asked.timeout else 0
            run.steps[asked.seq] = MemoryStep(asked.seq, static, StepStatus.WAITING, self.now, due_ms=due_ms)
            self._note(run, "approval_asked", asked.seq, state=asked.state, prompt=asked.prompt)

    def _commit(self, run: MemoryRun, step: MemoryStep, settled: Settled, result: StepResult) -> None:
        status = StepStatus(settled.status.value)
        self._close(run, step, status)
        run.results[step.seq] = result
        if status is StepStatus.FAILED:
            self.dead_at[run.new.run_id, step.seq] = self.now
        step.error = settled.reason or step.error
        detail = {"attempt": step.attempt, "namespace": settled.namespace, "digest": settled.digest}
        if status is StepStatus.DONE:
            detail["sha256"] = digest(result_json(result))
        self._note(run, f"step_{status}", step.seq, **detail, **({"error": settled.reason} if settled.reason else {}))

    def _looped(self, run: MemoryRun, decision: Decision) -> str:
        found = ""
        for visit in decision.visits:
            run.visits[visit] = run.visits.get(visit, 0) + 1
            if run.visits[visit] >= SAME_VISITS:
                found = found or visit
        return found

    def _cancel(self, run: MemoryRun, step: MemoryStep, reason: str) -> None:
        self._close(run, step, StepStatus.CANCELLED)
        self._deliver(run, Settled(step.seq, SettledAs.CANCELLED, reason=reason))

    def _close(self, run: MemoryRun, step: MemoryStep, status: StepStatus) -> None:
        self._release(run, step)
        step.status, step.ended_ms = status, self.now

    def _queue(self, step: MemoryStep) -> None:
        step.status, step.queued_ms, step.due_ms = StepStatus.QUEUED, self.now, self.now

    def _queue_wave(self, run: MemoryRun, seqs: Sequence[int], window: int) -> None:
        for index, seq in enumerate(seqs):
            self._queue(run.steps[seq])
            if window and index >= window:
                run.steps[seq].turn = "waits"
                run.line.append(seq)
            elif window and len(seqs) > window:
                run.steps[seq].turn = "sent"

    @staticmethod
    def _out_of_line(run: MemoryRun) -> int:
        while run.line:
            seq = run.line.popleft()
            if run.steps[seq].status is StepStatus.QUEUED:
                return seq
        return 0

    def _next_in_line(self, run: MemoryRun) -> int:
        if seq := self._out_of_line(run):
            self._queue(run.steps[seq])
            run.steps[seq].turn = "sent"
        return seq

    def _deliver(self, run: MemoryRun, settled: Settled) -> None:
        run.inbox[settled.seq] = settled.to_json()
        if run.undecided_ms is None:
            run.undecided_ms = self.now

    def _note(self, run: MemoryRun, kind: str, seq: int, **detail: Any) -> None:
        self.last_entry += 1
        run.ledger.append(LedgerEntry(str(self.last_entry), self.now, kind, seq, json.loads(dumps(detail))))
        if run.chain is not None:
            run.chain.append(link(run.chain[-1] if run.chain else "", _audit_line(run.ledger[-1])))

    def _find(self, run_id: str, seq: int) -> tuple[MemoryRun | None, MemoryStep | None]:
        run = self.known.get(run_id)
        return run, run.steps.get(seq) if run else None

    def _run(self, run_id: str) -> MemoryRun:
        if run_id not in self.known:
            raise UnknownRun(f"run {run_id!r} is not in the store")
        return self.known[run_id]

    def _due_steps(self, status: StepStatus, name: str, before: int, limit: int) -> tuple[tuple[str, int], ...]:
        found = [
            (at, run_id, step.seq)
            for run_id, run in self.known.items()
            if run.finish is None
            for step in run.steps.values()
            if step.status is status
            and not (status is StepStatus.QUEUED and (step.turn == "waits" or step.wants))
            and (at := getattr(step, name)) <= before
            and (at or status is StepStatus.QUEUED)
        ]
        return tuple((run_id, seq) for _, run_id, seq in sorted(found)[:limit])

    def _record(self, run: MemoryRun) -> RunRecord:
        new = run.new
        covered = run.paused and run.status in (RunStatus.RUNNING, RunStatus.WAITING)
        return RunRecord(
            run_id=new.run_id,
            title=new.title,
            workflow=new.workflow,
            status=RunStatus.PAUSED if covered else run.status,
            outcome=run.finish.outcome if run.finish else None,
            reason=run.finish.reason if run.finish else "",
            plan_digest=run.plan_digest,
            created_ms=run.created_ms,
            finished_ms=run.finished_ms,
            deadline_ms=run.deadline_ms,
            max_steps=new.max_steps,
            started=run.started,
            key=new.key,
            out=new.out,
            values=new.values,
            budget_usd=new.budget_usd,
            budget_tokens=new.budget_tokens,
            crew_budgets=new.crew_budgets,
            reuse_answers=new.reuse_answers,
            seen_before=new.seen_before,
            priority=new.priority,
        )


class MemoryIdeas:
    """An IdeaIndex that reads every run of a MemoryStore."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.remembered: list[str] = []

    def alike(self, idea: str, *, limit: int = 3) -> tuple[SeenBefore, ...]:
        found = []
        for run_id in reversed(self.remembered):
            record = self.store.run(run_id)
            alike = round(likeness(words(idea), words(self.store.idea(run_id))), 2)
            found.append(SeenBefore(run_id, alike, record.outcome or record.status, record.title))
        near = [seen for seen in found if seen.likeness >= ALIKE]
        return tuple(sorted(near, key=lambda seen: -seen.likeness)[:limit])

    def remember(self, run_id: str, idea: str, *, deadline_s: float) -> None:
        self.remembered.append(run_id)


class MemoryQueue:
    """A StepQueue that keeps what was sent, wave by wave; `broken` lets it refuse."""

    def __init__(self) -> None:
        self.waves: list[tuple[StepMessage, ...]] = []
        self.waiting: deque[StepMessage] = deque()
        self.broken = False

    def send(self, messages: Sequence[StepMessage]) -> None:
        if self.broken:
            raise ServiceUnavailable("the queue is away; start it")
        self.waves.append(tuple(messages))
        self.waiting.extend(messages)

    def pack(self, messages: Sequence[StepMessage]) -> Sequence[Packed]:
        return ()

    def depth(self) -> int:
        return len(self.waiting)


def _status_after(decision: Decision) -> RunStatus:
    if decision.finish:
        return RunStatus.FINISHED
    if decision.state.ending:
        return RunStatus.ENDING
    return RunStatus.WAITING if decision.asks_only else RunStatus.RUNNING


def _audit_line(entry: LedgerEntry) -> AuditLine:
    effect = entry.detail.get("sha256", "") if entry.kind in EFFECTS else ""
    return AuditLine(entry.id, entry.kind, entry.seq, dumps(entry.detail), effect)


def _static(start: StepStart) -> dict[str, Any]:
    names = (
        "state",
        "path",
        "crew",
        "timeout",
        "retry_attempts",
        "values",
        "inputs",
        "workflow",
        "item",
        "join",
    )
    limit = {"max_concurrent": start.max_concurrent} if start.max_concurrent else {}
    return {**{name: getattr(start, name) for name in names}, **limit}


def _waits(step: MemoryStep) -> Waits | None:
    if step.wants:
        return Waits.SLOT
    return Waits.TURN if step.turn == "waits" else None


def _step_record(step: MemoryStep) -> StepRecord:
    due_ms = step.due_ms if step.status in (StepStatus.RETRYING, StepStatus.WAITING) else 0
    return StepRecord(
        seq=step.seq,
        state=step.static["state"],
        path=step.static["path"],
        crew=step.static["crew"],
        status=step.status,
        attempt=step.attempt,
        failures=step.failures,
        worker=step.worker,
        queued_ms=step.queued_ms,
        started_ms=step.started_ms,
        ended_ms=step.ended_ms,
        due_ms=due_ms,
        error=step.error,
        line=step.line,
        prompt=step.static.get("prompt", ""),
        waits=_waits(step) if step.status is StepStatus.QUEUED else None,
    )
