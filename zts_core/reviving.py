"""Decides how a run that has ended lives on: opened again at what failed, or played once more from a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from zts_core.decision import Event, Reused, StepStart
from zts_core.dispatch import Dispatcher
from zts_core.errors import BadInput
from zts_core.limits import MoreBudget
from zts_core.ports import SAME_BUDGET, Created, Files, NewRun, RunRecord, StepRecord, StepResult
from zts_core.rebuilding import Numbers, Rebuilt, Start, rebuild
from zts_core.run import Outcome, Settled, SettledAs, StepStatus
from zts_core.workflow.model import Step
from zts_core.workflow.plan import Plan

REVIVABLE = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED, Outcome.HALTED_BUDGET)
"""Ends that a step met, or a limit that can be raised; the others were decided by the workflow, and would be again."""


class Reviver:
    """Retries and replays runs over the dispatcher's store and queue."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.store = dispatcher.store

    def retry_run(self, run_id: str, *, more: MoreBudget = SAME_BUDGET) -> bool:
        """Open a run again at the steps that failed; what is done stays done. False where it is open already.

        `more` replaces its limits. BadInput where its end is none that a retry can change.
        """
        record = self.store.run(run_id)
        if record.outcome is None:
            return False
        if record.outcome is Outcome.HALTED_BUDGET and not more:
            raise BadInput(
                f"run {run_id} has used up its budget: {record.reason}; give it more with --budget-usd, "
                f"--budget-tokens or --crew-budget"
            )
        if record.outcome not in REVIVABLE:
            raise BadInput(
                f"run {run_id} has ended as {record.outcome}, which a retry would only repeat; "
                f"replay it from a state, or submit it again"
            )
        plan, position = self.store.plan(record.plan_digest), self.store.position(run_id)
        past = _Past(self.dispatcher, record)
        rebuilt = rebuild(plan, max_steps=record.max_steps, known=past.known(plan, lambda _: True))
        _must_be_open(rebuilt, run_id)
        numbers = Numbers(past.old_numbers(rebuilt), rebuilt.blocks, position.state.seq)
        decision = numbers.decision(plan, rebuilt.decision)
        again = [start for start in decision.starts if start.seq in past.steps]
        fresh = tuple(start for start in decision.starts if start.seq not in past.steps)
        # Steps of a run count once, however often they are tried.
        decision.state.started = record.started + len(fresh)
        decision = replace(decision, starts=fresh, visits=(), window=self.dispatcher.window)
        opened = self.store.reopen(
            run_id, decision, version=position.version, again=[start.seq for start in again], more=more
        )
        if opened:
            for starts in (tuple(again), fresh):
                self.dispatcher.send_wave(run_id, replace(decision, starts=starts), record.priority)
        return opened

    def replay_run(self, run_id: str, new: NewRun, *, from_state: str, files: Files) -> Created:
        """Start `new` on the workflow of a run, with the results of all that was done before a state was decided.

        BadInput where the run has no such state, or where its workflow does not come to it.
        """
        record = self.store.run(run_id)
        plan = self.store.plan(record.plan_digest)
        past = _Past(self.dispatcher, record)
        before = past.done_before(from_state)
        known = past.known(plan, lambda seq: seq in before)
        rebuilt = rebuild(plan, max_steps=new.max_steps, known=known)
        _must_be_open(rebuilt, run_id)
        results = self.store.results(run_id, before)
        reused = tuple(
            Reused(
                start,
                past.origin(start),
                settled.namespace,
                results[past.origin(start)].output,
                _copied(results[past.origin(start)], run_id, new.run_id, files),
                settled.digest,
            )
            for start, settled in rebuilt.settled
            if isinstance(start, StepStart)
        )
        link = Event("replayed", 0, {"of": run_id, "from": from_state, "reused": len(reused)})
        decision = replace(rebuilt.decision, reused=reused, events=(link,))
        decision = self.dispatcher.packed(new.run_id, decision, new.priority)
        created = self.store.create(new, plan, decision)
        if not created.existed:
            self.dispatcher.send_wave(created.run_id, decision, new.priority)
        return created


class _Past:
    """What an ended run has done, found by node and state: numbers may come out differently when it is rebuilt."""

    def __init__(self, dispatcher: Dispatcher, record: RunRecord) -> None:
        self.store = dispatcher.store
        self.run_id = record.run_id
        self.steps = {step.seq: step for step in self.store.steps(self.run_id)}
        self.ledger = list(self.store.ledger(self.run_id))
        self.by_place = {(step.path, step.state): step for step in self.steps.values()}
        self.digests = {
            e.seq: e.detail.get("digest", "") for e in self.ledger if e.kind in ("step_done", "step_reused")
        }

    def origin(self, start: Start) -> int:
        """The number that a start has had; 0 where it never came to it."""
        step = self.by_place.get((start.path, start.state))
        return step.seq if step else 0

    def old_numbers(self, rebuilt: Rebuilt) -> dict[int, int]:
        starts = [start for start, _ in rebuilt.settled]
        starts += [*rebuilt.decision.starts, *rebuilt.decision.approvals]
        return {start.seq: self.origin(start) for start in starts if self.origin(start)}

    def done_before(self, state: str) -> set[int]:
        """Steps that were done when a state was decided for the first time."""
        names = {step.seq for step in self.steps.values() if state in (step.state, step.state.rpartition(".")[2])}
        if not names:
            known = ", ".join(dict.fromkeys(step.state for step in self.steps.values()))
            raise BadInput(f"run {self.run_id} has no state {state!r}; it came to {known}")
        done: set[int] = set()
        for entry in self.ledger:
            if names & {entry.seq, *entry.detail.get("seqs", ())} and entry.kind in ("wave", "approval_asked"):
                break
            if entry.kind in ("step_done", "step_reused", "approval_answered"):
                done.add(entry.seq)
        return done - names

    def known(self, plan: Plan, may: Callable[[int], bool]) -> Callable[[Start], Settled | None]:
        results: Mapping[int, StepResult] = self.store.results(self.run_id, [*self.digests])

        def found(start: Start) -> Settled | None:
            step = self.by_place.get((start.path, start.state))
            if step is None or not may(step.seq):
                return None
            if step.status is StepStatus.DONE and step.seq in results:
                result = results[step.seq]
                facts = plan.facts(result.namespace, result.output)
                return Settled(start.seq, SettledAs.DONE, result.namespace, self.digests[step.seq], facts)
            return _other_end(plan, start, step)

        return found


def _other_end(plan: Plan, start: Start, step: StepRecord) -> Settled | None:
    """An approval that was given, and a failure that the workflow tolerates, are not asked for again."""
    if not isinstance(start, StepStart):
        return Settled(start.seq, SettledAs.APPROVED) if step.status is StepStatus.DONE else None
    model = plan.nodes[start.path].model
    tolerated = isinstance(model, Step) and model.on_error == "continue" and step.status is StepStatus.FAILED
    return Settled(start.seq, SettledAs.FAILED, reason=step.error) if tolerated else None


def _must_be_open(rebuilt: Rebuilt, run_id: str) -> None:
    if rebuilt.decision.state.ending:
        raise BadInput(
            f"run {run_id} would end again at once: {rebuilt.decision.state.ending.reason}; submit it again instead"
        )


def _copied(result: StepResult, old: str, new: str, files: Files) -> Mapping[str, tuple[str, int]]:
    """The manifest, with each file kept for the new run as well: runs expire one by one."""
    for path, (digest, _) in result.artifacts.items():
        try:
            files.put(new, files.get(old, digest))
        except KeyError:
            raise BadInput(f"file {path} of run {old} is not kept any more; submit the idea again") from None
    return result.artifacts
