"""Decides what a run does next: the pure heart, without clock and without I/O.

`advance(plan, state, settled)` takes a run's position and the steps that have settled since, and returns a Decision:
the new position, the steps of the next wave, approvals to ask for, gates passed and failed, and, once, the end. It
is incremental: its cost follows what has settled and what starts, not the size of the plan or the run's history.
The same arguments give the same decision, so any worker may compute it and the store admits one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from zts_core.decision import ApprovalStart, Decision, Event, StepStart
from zts_core.merging import digest_of, items_ref, merge_held
from zts_core.position import Position
from zts_core.run import (
    OK,
    Ending,
    Frame,
    Held,
    Leaf,
    Outcome,
    RunState,
    Settled,
    SettledAs,
    Signal,
    SignalKind,
)
from zts_core.workflow.conditions import MISSING, Facts, first_failing, holds
from zts_core.workflow.model import (
    Approval,
    Call,
    Condition,
    EscalateTo,
    Foreach,
    Loop,
    OnFail,
    Step,
    Terminal,
)
from zts_core.workflow.plan import Kind, Plan, PlanNode

SAME_VISITS = 3
"""The same state with the same data this many times means no progress (product decision)."""


def advance(plan: Plan, state: RunState, settled: Iterable[Settled] = (), *, stop: Ending | None = None) -> Decision:
    """The decision that follows from a position; `state` is taken over and must not be used afterwards.

    `stop` ends the run from outside (cancel, deadline, a loop found in the history): nothing starts any more, and the
    run finishes when the last step at work has settled.
    """
    walk = _Walk(plan, state)
    if stop and not state.ending:
        walk.end(stop)
    if not state.begun:
        state.begun = True
        walk.begin(plan.root)
    for settlement in settled:
        walk.settle(settlement)
    return walk.decision()


class _Walk:
    """One pass over the active part of a run; an agenda instead of recursion, so that no workflow is too long."""

    def __init__(self, plan: Plan, state: RunState) -> None:
        self.plan = plan
        self.state = state
        self.position = Position(plan, state)
        self.agenda: deque[Callable[[], None]] = deque()
        self.starts: list[StepStart] = []
        self.approvals: list[ApprovalStart] = []
        self.visits: list[str] = []
        self.consumed: list[int] = []
        self.events: list[Event] = []

    # -- the way in and out

    def begin(self, workflow: str) -> None:
        self.state.route.append(workflow)
        self.enter(workflow, 0, 0)
        self.run_agenda()

    def settle(self, settled: Settled) -> None:
        leaf = self.state.leaves.pop(settled.seq, None)
        self.consumed.append(settled.seq)
        if leaf is None:
            return
        self.keep_output(leaf, settled)
        if settled.status is SettledAs.CANCELLED and self.state.ending is None:
            self.end(Ending(Outcome.CANCELLED, settled.reason))  # steps are only withdrawn from a run that is stopped
        if self.state.ending is not None:
            self.give_up(leaf, settled)
            return
        self.leave(leaf.frame, leaf.slot, self.signal_of(leaf, settled))
        self.run_agenda()

    def run_agenda(self) -> None:
        while self.agenda and self.state.ending is None:
            self.agenda.popleft()()
        self.agenda.clear()

    def end(self, ending: Ending) -> None:
        self.state.ending = ending

    def decision(self) -> Decision:
        self.hold_the_cap()
        state = self.state
        closed = self.close_questions() if state.ending else ()
        finish = state.ending if state.ending and not state.leaves else None
        if finish:
            self.fold_frames()
            self.note("run_finished", outcome=finish.outcome, reason=finish.reason)
        state.started += len(self.starts)
        return Decision(
            state=state,
            starts=tuple(self.starts),
            approvals=tuple(self.approvals),
            visits=tuple(self.visits),
            consumed=tuple(self.consumed),
            events=tuple(self.events),
            closed=closed,
            finish=finish,
            asks_only=self.asks_only(),
        )

    def close_questions(self) -> tuple[int, ...]:
        """An ending run lets steps at work end, but waits for no person's answer."""
        leaves = self.state.leaves
        open_ones = tuple(seq for seq in leaves if self.plan.nodes[leaves[seq].path].kind is Kind.APPROVAL)
        for seq in open_ones:
            del leaves[seq]
        return open_ones

    def asks_only(self) -> bool:
        leaves = self.state.leaves.values()
        return bool(leaves) and all(self.plan.nodes[leaf.path].kind is Kind.APPROVAL for leaf in leaves)

    def hold_the_cap(self) -> None:
        """A wave that would pass the cap is not sent at all, and ends the run. An ending run starts nothing."""
        state = self.state
        over = state.started + len(self.starts) > state.max_steps
        if over and state.ending is None:
            refused = ", ".join(start.state for start in self.starts[:5])
            reason = f"step cap of {state.max_steps} reached: {state.started} steps had started when {refused} was next"
            self.note("halted", outcome=Outcome.HALTED_STEP_CAP, reason=reason)
            self.end(Ending(Outcome.HALTED_STEP_CAP, reason))
        if state.ending:
            for seq in [start.seq for start in self.starts] + [start.seq for start in self.approvals]:
                self.give_up(state.leaves.pop(seq))
            self.starts.clear()
            self.approvals.clear()
            self.visits.clear()

    def note(self, kind: str, seq: int = 0, **detail: Any) -> None:
        self.events.append(Event(kind, seq, detail))

    # -- entering a node

    def enter(self, path: str, parent: int, slot: int) -> None:
        node = self.plan.nodes[path]
        facts = self.facts(parent, slot)
        failing = first_failing(node.conditions, facts) if node.conditions else None
        if failing is None:
            if node.conditions:
                self.note_passed(node, parent, facts)
            _ENTER[node.kind](self, node, parent, slot)
            return
        condition, verdict = failing
        on_fail = self.on_fail_of(condition, parent)
        label = self.position.label(node, parent)
        self.note("gate", state=label, path=node.path, why=verdict.explanation, then=_name(on_fail))
        self.leave_later(parent, slot, _gate_signal(on_fail, f"{label}: {verdict.explanation}"))

    def note_passed(self, node: PlanNode, parent: int, facts: Facts) -> None:
        why = "; ".join(holds(condition, facts).explanation for condition in node.conditions)
        self.note("gate_passed", state=self.position.label(node, parent), path=node.path, why=why)

    def on_fail_of(self, condition: Condition, parent: int) -> OnFail:
        """Without an `on_fail`, a child of a parallel block is skipped and a step of a sequence stops the run."""
        if condition.on_fail is not None:
            return condition.on_fail
        frame = self.state.frames.get(parent)
        beside_others = frame is not None and self.position.kind(frame) in (Kind.PARALLEL, Kind.FOREACH)
        return "skip" if beside_others else "stop"

    def enter_step(self, node: PlanNode, parent: int, slot: int) -> None:
        step = cast(Step, node.model)
        place = self.position
        seq = self.step_number(parent, slot)
        self.state.leaves[seq] = Leaf(node.path, parent, slot)
        if visit := place.visit(node, parent, slot):
            self.visits.append(visit)
        self.starts.append(
            StepStart(
                seq=seq,
                state=place.item_label(node, parent, slot),
                path=node.path,
                crew=step.crew,
                timeout=step.timeout,
                retry_attempts=step.retry_attempts,
                values={**place.call_values(parent), **step.with_},
                inputs=place.inputs(parent, slot),
                workflow=node.path.partition(".")[0],
                item=place.item(parent, slot),
                join=place.join_of(parent),
                max_concurrent=self.plan.limits.get(step.crew, 0),
            )
        )

    def enter_approval(self, node: PlanNode, parent: int, slot: int) -> None:
        body = cast(Approval, node.model).approval
        seq = self.step_number(parent, slot)
        self.state.leaves[seq] = Leaf(node.path, parent, slot)
        label = self.position.label(node, parent)
        self.approvals.append(ApprovalStart(seq, label, node.path, body.prompt, body.timeout, body.on_timeout))

    def enter_terminal(self, node: PlanNode, parent: int, slot: int) -> None:
        terminal = cast(Terminal, node.model)
        outcome = Outcome(terminal.state.lower())
        self.leave_later(parent, slot, Signal(SignalKind.END, terminal.reason or _END_REASONS[outcome], outcome))

    def enter_sequence(self, node: PlanNode, parent: int, slot: int) -> None:
        frame = self.open_frame(node, parent, slot)
        self.enter_later(node.children[0], frame.id, 0)

    def enter_call(self, node: PlanNode, parent: int, slot: int) -> None:
        frame = self.open_frame(node, parent, slot)
        self.enter_later(cast(Call, node.model).call.workflow, frame.id, 0)

    def enter_parallel(self, node: PlanNode, parent: int, slot: int) -> None:
        frame = self.open_frame(node, parent, slot)
        frame.open = frame.total = len(node.children)
        for index, child in enumerate(node.children):
            self.enter_later(child, frame.id, index)

    def enter_loop(self, node: PlanNode, parent: int, slot: int) -> None:
        self.begin_iteration(self.open_frame(node, parent, slot), node)

    def begin_iteration(self, frame: Frame, node: PlanNode) -> None:
        frame.iteration += 1
        frame.cursor = 0
        frame.first = self.state.seq
        self.enter_later(node.children[0], frame.id, 0)

    def enter_foreach(self, node: PlanNode, parent: int, slot: int) -> None:
        body = cast(Foreach, node.model).foreach
        namespace, _, path = body.over.partition(".")
        count = self.position.fact(f"{namespace}.#{path}", parent, slot)
        if count is MISSING:
            label = self.position.label(node, parent)
            reason = f"{label}: {body.over} is missing or no list, so there is nothing to go over"
            self.leave_later(parent, slot, Signal(SignalKind.FAILED, reason))
            return
        frame = self.open_frame(node, parent, slot)
        frame.total = int(count)
        frame.first = self.state.seq + 1
        self.state.seq += frame.total
        self.fill_window(frame, body.max_parallel or frame.total)
        if frame.total == 0:
            self.gather(frame, node)
            self.complete(frame, OK)

    def fill_window(self, frame: Frame, limit: int) -> None:
        child = self.plan.nodes[frame.path].children[0]
        # One step more than the cap allows is enough to end the run, however long the list is.
        limit = min(limit, frame.open + self.state.max_steps - self.state.started - len(self.starts) + 1)
        while frame.open < limit and frame.cursor < frame.total:
            self.enter_later(child, frame.id, frame.cursor)
            frame.cursor += 1
            frame.open += 1

    # -- leaving a node

    def leave(self, frame_id: int, slot: int, signal: Signal) -> None:
        """A child told its frame how it was left; frame 0 is the run."""
        frame = self.state.frames.get(frame_id)
        if frame is None:
            self.leave_run(signal)
            return
        _LEAVE[self.position.kind(frame)](self, frame, slot, signal)

    def leave_sequence(self, frame: Frame, _slot: int, signal: Signal) -> None:
        children = self.plan.nodes[frame.path].children
        frame.cursor += 1
        if signal.kind is SignalKind.OK and frame.cursor < len(children):
            self.enter_later(children[frame.cursor], frame.id, 0)
        else:
            self.complete(frame, signal)

    def leave_call(self, frame: Frame, _slot: int, signal: Signal) -> None:
        ended_well = signal.kind is SignalKind.END and signal.target == Outcome.COMPLETED
        self.complete(frame, OK if ended_well else signal)

    def leave_parallel(self, frame: Frame, slot: int, signal: Signal) -> None:
        if signal.kind is not SignalKind.OK:
            frame.signals[slot] = signal
        frame.open -= 1
        if frame.open == 0:
            self.join(frame, self.plan.nodes[frame.path])
            self.complete(frame, _worst(frame.signals))

    def leave_foreach(self, frame: Frame, slot: int, signal: Signal) -> None:
        node = self.plan.nodes[frame.path]
        body = cast(Foreach, node.model).foreach
        if signal != OK:
            frame.signals[slot] = signal
        frame.open -= 1
        self.fill_window(frame, body.max_parallel or frame.total)
        if frame.open == 0:
            self.gather(frame, node)
            self.complete(frame, _worst(frame.signals))

    def leave_loop(self, frame: Frame, _slot: int, signal: Signal) -> None:
        children = self.plan.nodes[frame.path].children
        frame.cursor += 1
        if signal.kind is not SignalKind.OK:
            self.complete(frame, signal)
        elif frame.cursor < len(children):
            self.enter_later(children[frame.cursor], frame.id, 0)
        else:
            self.end_iteration(frame, self.plan.nodes[frame.path])

    def end_iteration(self, frame: Frame, node: PlanNode) -> None:
        body = cast(Loop, node.model).loop
        facts = self.facts(frame.id, 0)
        label = self.position.prefix(frame)
        for condition in body.break_conditions:
            verdict = holds(condition, facts)
            if verdict.holds:
                self.note("loop_left", state=label, path=node.path, why=verdict.explanation, then=condition.then)
                self.complete(frame, _break_signal(condition.then, f"{label}: {verdict.explanation}"))
                return
        # An iteration in which nothing happened would only be repeated: loops in loops could keep that up for hours.
        if frame.iteration < body.max_iterations and self.state.seq > frame.first:
            self.begin_iteration(frame, node)
            return
        reason = f"{body.state_prefix} used all its {body.max_iterations} iterations"
        self.note("loop_exhausted", state=label, path=node.path, then=_name(body.on_exhausted))
        self.complete(frame, _exhausted_signal(body.on_exhausted, reason))

    def complete(self, frame: Frame, signal: Signal) -> None:
        self.state.frames.pop(frame.id, None)
        self.leave_later(frame.parent, frame.slot, signal)

    def leave_run(self, signal: Signal) -> None:
        if signal.kind is SignalKind.ESCALATE:
            self.escalate(signal)
            return
        if signal.kind is SignalKind.OK:
            signal = OK  # that its last node was skipped is no reason to complete
        ended = _OUTCOMES.get(signal.kind) or Outcome(signal.target)
        self.end(Ending(ended, signal.reason or _END_REASONS.get(ended, "")))

    def escalate(self, signal: Signal) -> None:
        if signal.target in self.state.route:
            cycle = " → ".join([*self.state.route, signal.target])
            reason = f"escalating into {signal.target} again would go in a circle: {cycle} ({signal.reason})"
            self.note("halted", outcome=Outcome.HALTED_LOOP, reason=reason)
            self.end(Ending(Outcome.HALTED_LOOP, reason))
            return
        self.note("escalated", to=signal.target, why=signal.reason)
        self.state.route.append(signal.target)
        self.enter_later(signal.target, 0, 0)

    # -- what a settled step means

    def signal_of(self, leaf: Leaf, settled: Settled) -> Signal:
        if settled.status in (SettledAs.DONE, SettledAs.APPROVED):
            return OK
        if settled.status is SettledAs.REJECTED:
            return Signal(SignalKind.REJECTED, settled.reason)
        model = self.plan.nodes[leaf.path].model
        if isinstance(model, Step) and model.on_error == "continue":
            self.note("failure_tolerated", settled.seq, why=settled.reason)
            return _TOLERATED
        return Signal(SignalKind.FAILED, settled.reason)

    def keep_output(self, leaf: Leaf, settled: Settled) -> None:
        if settled.status is not SettledAs.DONE or not settled.namespace:
            return
        held = Held(settled.seq, settled.digest, settled.facts)
        frame = self.state.frames.get(leaf.frame)
        if frame is not None and self.position.kind(frame) is Kind.FOREACH:
            self.keep_item(frame, leaf.slot, settled.namespace, held)
        else:
            self.position.data_at(leaf.frame, leaf.slot)[settled.namespace] = held

    def keep_item(self, frame: Frame, slot: int, namespace: str, held: Held) -> None:
        """Items without a merge policy are found by their numbers later: only their digests are folded together.

        The fold must not depend on the order in which items end, hence exclusive or.
        """
        if self.plan.nodes[frame.path].merge:
            frame.branches.setdefault(slot, {})[namespace] = held
            return
        gathered = frame.branches.setdefault(0, {}).get(namespace)
        folded = int(gathered.digest, 16) if gathered else 0
        folded ^= int(digest_of(str(slot), held.digest), 16)
        frame.branches[0][namespace] = Held(0, f"{folded:016x}", {})

    def gather(self, frame: Frame, node: PlanNode) -> None:
        if node.merge:
            self.join(frame, node)
            return
        missing = sorted({*frame.signals, *range(frame.cursor, frame.total)})
        count = frame.total - len(missing)
        skipped = sum(signal == _SKIPPED for signal in frame.signals.values())
        facts = {"count": count, "failed": len(missing) - skipped, "skipped": skipped, "#items": count}
        gathered = frame.branches.get(0, {})
        known = self.plan.namespaces.get(cast(Foreach, node.model).foreach.step.crew)
        if known and not gathered:
            gathered = {known: Held(0, "0" * 16, {})}
        for namespace, held in gathered.items():
            ref = items_ref(frame.first, frame.total, missing, skipped=skipped)
            self.leave_gathering(frame, namespace, Held(ref, held.digest, facts))

    def leave_gathering(self, frame: Frame, namespace: str, held: Held) -> None:
        """Even an empty list may change what conditions see: then the rounds it is in may not be cut short."""
        if self.position.held(namespace, frame.parent, frame.slot) != held:
            for around in self.position.chain(frame.parent):
                around.first = -1 if self.position.kind(around) is Kind.LOOP else around.first
        self.position.data_at(frame.parent, frame.slot)[namespace] = held

    def join(self, frame: Frame, node: PlanNode) -> None:
        """Branches' namespaces reach the scope around the block in branch order, whatever order they ended in."""
        written: dict[str, list[Held]] = {}
        for slot in sorted(frame.branches):
            for namespace, held in frame.branches[slot].items():
                written.setdefault(namespace, []).append(held)
        target = self.position.data_at(frame.parent, frame.slot)
        for namespace, versions in written.items():
            target[namespace] = merge_held(node.merge or "last", versions)

    def give_up(self, leaf: Leaf, settled: Settled | None = None) -> None:
        """An ending run asks nothing of a settled or refused step, but a foreach must know which items it lacks."""
        frame = self.state.frames.get(leaf.frame)
        if frame is not None and (settled is None or settled.status is not SettledAs.DONE):
            frame.signals.setdefault(leaf.slot, _GIVEN_UP)

    def fold_frames(self) -> None:
        """A run that ends inside of blocks keeps what their branches wrote: joins from the inside out."""
        for frame in sorted(self.state.frames.values(), key=lambda frame: -frame.id):
            node = self.plan.nodes[frame.path]
            if node.kind is Kind.PARALLEL:
                self.join(frame, node)
            elif node.kind is Kind.FOREACH and frame.branches:  # one that has just begun has nothing to leave yet
                self.gather(frame, node)
        self.state.frames.clear()

    # -- bookkeeping

    def facts(self, parent: int, slot: int) -> Facts:
        return lambda field: self.position.fact(field, parent, slot)

    def step_number(self, parent: int, slot: int) -> int:
        """The next number; a foreach has reserved one for each of its items, in item order."""
        frame = self.state.frames.get(parent)
        if frame is not None and self.position.kind(frame) is Kind.FOREACH:
            return frame.first + slot
        self.state.seq += 1
        return self.state.seq

    def open_frame(self, node: PlanNode, parent: int, slot: int) -> Frame:
        self.state.last_frame += 1
        frame = Frame(self.state.last_frame, node.path, parent, slot)
        self.state.frames[frame.id] = frame
        return frame

    def enter_later(self, path: str, parent: int, slot: int) -> None:
        self.agenda.append(lambda: self.enter(path, parent, slot))

    def leave_later(self, parent: int, slot: int, signal: Signal) -> None:
        self.agenda.append(lambda: self.leave(parent, slot, signal))


_ENTER: Mapping[Kind, Callable[[_Walk, PlanNode, int, int], None]] = {
    Kind.STEP: _Walk.enter_step,
    Kind.TERMINAL: _Walk.enter_terminal,
    Kind.PARALLEL: _Walk.enter_parallel,
    Kind.LOOP: _Walk.enter_loop,
    Kind.FOREACH: _Walk.enter_foreach,
    Kind.APPROVAL: _Walk.enter_approval,
    Kind.CALL: _Walk.enter_call,
    Kind.SEQUENCE: _Walk.enter_sequence,
}

_LEAVE: Mapping[Kind, Callable[[_Walk, Frame, int, Signal], None]] = {
    Kind.SEQUENCE: _Walk.leave_sequence,
    Kind.CALL: _Walk.leave_call,
    Kind.PARALLEL: _Walk.leave_parallel,
    Kind.FOREACH: _Walk.leave_foreach,
    Kind.LOOP: _Walk.leave_loop,
}

_TOLERATED = Signal(SignalKind.OK, "its failure was tolerated")
_SKIPPED = Signal(SignalKind.OK, "it was skipped")
_GIVEN_UP = Signal(SignalKind.FAILED, "the run ended first")

_END_REASONS: Mapping[Outcome, str] = {
    Outcome.COMPLETED: "all its steps are done",
    Outcome.REJECTED: "the workflow says so at this point",
    Outcome.FAILED: "the workflow says so at this point",
}

_OUTCOMES: Mapping[SignalKind, Outcome] = {
    SignalKind.OK: Outcome.COMPLETED,
    SignalKind.FAILED: Outcome.FAILED,
    SignalKind.REJECTED: Outcome.REJECTED,
}

_SEVERITY = (SignalKind.FAILED, SignalKind.REJECTED, SignalKind.ESCALATE, SignalKind.END)


def _worst(signals: Mapping[int, Signal]) -> Signal:
    """What a join tells: a failure before a rejection before an escalation before an end, then by branch order."""
    for kind in _SEVERITY:
        for slot in sorted(signals):
            if signals[slot].kind is kind:
                return signals[slot]
    return OK


def _gate_signal(on_fail: OnFail, reason: str) -> Signal:
    if isinstance(on_fail, EscalateTo):
        return Signal(SignalKind.ESCALATE, reason, on_fail.escalate_to)
    return _SKIPPED if on_fail == "skip" else Signal(SignalKind.REJECTED, reason)


def _break_signal(then: str, reason: str) -> Signal:
    if then == "reject":
        return Signal(SignalKind.REJECTED, reason)
    return Signal(SignalKind.FAILED, reason) if then == "fail" else OK


def _exhausted_signal(on_exhausted: str | EscalateTo, reason: str) -> Signal:
    if isinstance(on_exhausted, EscalateTo):
        return Signal(SignalKind.ESCALATE, reason, on_exhausted.escalate_to)
    return OK if on_exhausted == "continue" else Signal(SignalKind.END, reason, Outcome.EXHAUSTED)


def _name(choice: str | EscalateTo) -> str:
    return f"escalate to {choice.escalate_to}" if isinstance(choice, EscalateTo) else choice
