"""Decides why a run stands where it stands: a chain of reasons with times, from its record, steps and ledger alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zts_core.ports import LedgerEntry, RunRecord, StepRecord, Waits
from zts_core.run import Outcome, RunStatus, StepStatus
from zts_core.workflow.model import Step
from zts_core.workflow.plan import Plan
from zts_producer.cli.spent import FOR_RESUME, Spent, spent
from zts_producer.narrate import Narrator, printable
from zts_producer.times import clock, duration

SHOWN = 12
"""Steps of one status that are told one by one; the others are counted."""

OPEN = (StepStatus.WAITING, StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.QUEUED)


@dataclass(frozen=True, slots=True)
class Reason:
    """One link of the chain: since when (ms since 1970, 0 where nothing tells), what, and for which state."""

    at_ms: int
    what: str
    state: str = ""
    seq: int = 0
    do: str = ""
    """A command that helps, where there is one."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a run stands where it stands: one line, the reasons behind it in order, and where its time went."""

    run_id: str
    status: RunStatus
    outcome: Outcome | None
    summary: str
    reasons: tuple[Reason, ...]
    spent: Spent

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def explain(
    record: RunRecord, steps: Sequence[StepRecord], ledger: Sequence[LedgerEntry], plan: Plan, *, now_ms: int
) -> Explanation:
    """The reasons for a run's present state. `now_ms` in milliseconds since 1970, by the clock of the records."""
    case = _Case(record, steps, ledger, plan, now_ms)
    finished = record.status is RunStatus.FINISHED
    reasons = tuple(case.of_the_end() if finished else case.of_the_present())
    summary = case.ending() if finished else case.standing()
    return Explanation(
        record.run_id, record.status, record.outcome, summary, reasons, spent(steps, ledger, now_ms=now_ms)
    )


class _Case:
    """What is known about one run."""

    def __init__(
        self,
        record: RunRecord,
        steps: Sequence[StepRecord],
        ledger: Sequence[LedgerEntry],
        plan: Plan,
        now_ms: int,
    ) -> None:
        self.record = record
        self.steps = steps
        self.ledger = ledger
        self.plan = plan
        self.now_ms = now_ms
        self.is_paused = record.status is RunStatus.PAUSED

    # a run that goes on

    def standing(self) -> str:
        counted = [(status, sum(step.status is status for step in self.steps)) for status in OPEN]
        told = ", ".join(f"{count} {self.told(status)}" for status, count in counted if count)
        since = duration((self.now_ms - self.record.created_ms) / 1000)
        return f"{self.record.status} for {since}: {told or 'no step is open'}"

    def told(self, status: StepStatus) -> str:
        waits_for_resume = self.is_paused and status is StepStatus.QUEUED
        return FOR_RESUME if waits_for_resume else _TOLD[status]

    def of_the_present(self) -> Iterator[Reason]:
        yield from self.of_a_stop()
        yield from self.of_a_pause()
        yield from self.of_a_line()
        for status in OPEN:
            of_status = [step for step in self.steps if step.status is status and step.waits is not Waits.TURN]
            for step in of_status[:SHOWN]:
                yield _OF_STEP[status](self, step)
            if len(of_status) > SHOWN:
                yield Reason(of_status[SHOWN].queued_ms, f"and {len(of_status) - SHOWN} more {self.told(status)}")
        if not any(step.status in OPEN for step in self.steps):
            yield self.of_silence()
        yield from self.of_escalations()

    def of_a_stop(self) -> Iterator[Reason]:
        stops = [entry for entry in self.ledger if entry.kind == "stopping"]
        if stops:
            yield Reason(stops[-1].at_ms, f"{_told(stops[-1])}; steps at work are let end")
        elif self.record.status is RunStatus.ENDING:
            yield Reason(0, "its outcome is decided; steps at work are let end")

    def of_a_pause(self) -> Iterator[Reason]:
        if self.is_paused:
            at_ms = self.newest("paused") or self.record.created_ms
            do = f"zts resume {self.record.run_id}"
            yield Reason(at_ms, f"paused since {self.since(at_ms)}: no attempt starts", do=do)

    def of_a_line(self) -> Iterator[Reason]:
        waiting = [step for step in self.steps if step.waits is Waits.TURN]
        if waiting:
            what = f"{len(waiting)} steps of a wide wave wait behind its others, so that other runs get their turn"
            yield Reason(waiting[0].queued_ms, what)

    def of_silence(self) -> Reason:
        at_ms = self.ledger[-1].at_ms if self.ledger else self.record.created_ms
        what = f"everything has settled since {self.since(at_ms)} and no worker has decided what is next"
        return Reason(at_ms, what, do="zts health")

    def of_escalations(self) -> Iterator[Reason]:
        for entry in self.ledger:
            if entry.kind == "escalated":
                yield Reason(entry.at_ms, _told(entry))

    def of_queued(self, step: StepRecord) -> Reason:
        if self.is_paused:
            return self.of_step(step, step.queued_ms, "starts when the run is resumed")
        sent_again = sum(entry.kind == "sent_again" and entry.seq == step.seq for entry in self.ledger)
        first_ms = self.queued_first(step)
        what = f"waits for a worker since {self.since(first_ms)}"
        if step.waits is Waits.SLOT:
            what = f"waits since {self.since(first_ms)}: its crew is at work on as many steps as it may at once"
            return self.of_step(step, first_ms, what)
        if sent_again:
            times = "once" if sent_again == 1 else f"{sent_again} times"
            what += f"; it was sent again {times}, last at {clock(step.queued_ms)}"
        return self.of_step(step, first_ms, what, do="zts health")

    def of_running(self, step: StepRecord) -> Reason:
        what = f"attempt {step.attempt} is held by worker {step.worker} since {self.since(step.started_ms)}"
        model = self.model_of(step)
        if model:
            until_ms = step.started_ms + int(model.timeout * 1000)
            what += f", until {self.until(until_ms)} at the latest"
        lost = [entry for entry in self.ledger if entry.kind == "lease_expired" and entry.seq == step.seq]
        if lost:
            what += f"; {lost[-1].detail.get('worker') or 'a worker'} was lost with it at {clock(lost[-1].at_ms)}"
        if step.line:
            what += f'; it says "{step.line}"'
        return self.of_step(step, step.started_ms, what)

    def of_retrying(self, step: StepRecord) -> Reason:
        model = self.model_of(step)
        of = f" of {model.retry_attempts + 1}" if model else ""
        what = f"try {step.failures + 1}{of} backs off until {self.until(step.due_ms)}, after: {step.error}"
        failed = [e.at_ms for e in self.ledger if e.kind == "attempt_failed" and e.seq == step.seq]
        return self.of_step(step, failed[-1] if failed else step.started_ms, what)

    def of_waiting(self, step: StepRecord) -> Reason:
        what = f"approval unanswered since {self.since(step.queued_ms)}: {step.prompt}"
        if step.due_ms:
            what += f" (answers itself at {self.until(step.due_ms)})"
        return self.of_step(step, step.queued_ms, what, do=f"zts approve {self.record.run_id} {step.state}")

    # a run that has ended

    def ending(self) -> str:
        took = duration((self.record.finished_ms - self.record.created_ms) / 1000)
        return printable(f"{self.record.outcome} after {took}: {self.record.reason}")

    def of_the_end(self) -> Iterator[Reason]:
        narrator = Narrator()
        for entry in self.ledger:
            told = narrator.tell(entry)
            if _explains_an_end(entry):
                again = entry.kind == "step_failed" and self.record.outcome is Outcome.FAILED
                do = f"zts retry {self.record.run_id}" if again else ""
                yield Reason(entry.at_ms, told, narrator.state_of(entry.seq), entry.seq, do)

    # bookkeeping

    def of_step(self, step: StepRecord, at_ms: int, what: str, *, do: str = "") -> Reason:
        return Reason(at_ms, printable(what), step.state, step.seq, do)

    def model_of(self, step: StepRecord) -> Step | None:
        node = self.plan.nodes.get(step.path)
        return node.model if node and isinstance(node.model, Step) else None

    def queued_first(self, step: StepRecord) -> int:
        """When a step began to wait: sending it again is no new wait, a retry or a takeover is."""
        waits = 0
        for entry in self.ledger:
            if (entry.kind == "wave" and step.seq in entry.detail.get("seqs", ())) or (
                entry.seq == step.seq and entry.kind == "lease_expired"
            ):
                waits = entry.at_ms
            elif entry.seq == step.seq and entry.kind == "attempt_failed":
                waits = entry.at_ms + int(float(entry.detail.get("delay_s", 0)) * 1000)
        return waits or step.queued_ms

    def newest(self, kind: str) -> int:
        return max((entry.at_ms for entry in self.ledger if entry.kind == kind), default=0)

    def since(self, at_ms: int) -> str:
        return f"{clock(at_ms)} ({duration(max(0, self.now_ms - at_ms) / 1000)})"

    def until(self, at_ms: int) -> str:
        left = (at_ms - self.now_ms) / 1000
        return f"{clock(at_ms)} ({f'in {duration(left)}' if left > 0 else 'overdue'})"


_TOLD: Mapping[StepStatus, str] = {
    StepStatus.WAITING: "waiting for an answer",
    StepStatus.RUNNING: "at work",
    StepStatus.RETRYING: "backing off",
    StepStatus.QUEUED: "waiting for a worker",
}

_OF_STEP: Mapping[StepStatus, Callable[[_Case, StepRecord], Reason]] = {
    StepStatus.WAITING: _Case.of_waiting,
    StepStatus.RUNNING: _Case.of_running,
    StepStatus.RETRYING: _Case.of_retrying,
    StepStatus.QUEUED: _Case.of_queued,
}

_ALWAYS = frozenset(
    {
        "attempt_failed",
        "step_failed",
        "lease_expired",
        "gate",
        "escalated",
        "loop_exhausted",
        "failure_tolerated",
        "halted",
        "stopping",
        "run_finished",
    }
)


def _explains_an_end(entry: LedgerEntry) -> bool:
    """Whatever turned the run from its straight road, and its end."""
    if entry.kind == "approval_answered":
        return not entry.detail.get("approved")
    return entry.kind in _ALWAYS or (entry.kind == "loop_left" and entry.detail.get("then") != "continue")


def _told(entry: LedgerEntry) -> str:
    return Narrator().tell(entry)


def commands(reasons: Iterable[Reason]) -> list[str]:
    """What helps, each command once, in the order of the reasons."""
    return list(dict.fromkeys(reason.do for reason in reasons if reason.do))
