"""Decides where a run would stand if it began again and knew some of its answers already: pure, as the heart is.

A run that failed has left the blocks it was in, so its last position says nothing about where to go on. Its workflow is
gone through once more instead: a step whose settlement is known settles at once, the others are what is open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from zts_core.advance import advance
from zts_core.decision import ApprovalStart, Decision, StepStart
from zts_core.run import Frame, Held, Ref, RunState, Settled
from zts_core.workflow.plan import Kind, Plan

Start = StepStart | ApprovalStart
Known = Callable[[Start], Settled | None]
"""What is known of a step that starts, under the number it has there; None where it has to be done."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Where a run stands then: `decision` records it, with all that is open in `starts` and `approvals`.

    `settled` are the starts whose settlement was known, in the order in which they were gone by; `blocks` the numbers
    that each foreach reserved, as (first number, how many).
    """

    decision: Decision
    settled: tuple[tuple[Start, Settled], ...]
    blocks: Mapping[int, int]


def rebuild(plan: Plan, *, max_steps: int, known: Known) -> Rebuilt:
    """Go through `plan` from its beginning with everything that is `known`."""
    decision = advance(plan, RunState(max_steps=max_steps))
    waiting: deque[tuple[Start, Settled]] = deque()
    settled: list[tuple[Start, Settled]] = []
    visits: list[str] = []
    open_starts: dict[int, Start] = {}
    blocks: dict[int, int] = {}
    while True:
        blocks.update(_blocks(plan, decision.state))
        visits += decision.visits
        begun: list[Start] = [*decision.starts, *decision.approvals]
        for start in begun:
            found = known(start)
            if found is None:
                open_starts[start.seq] = start
            else:
                waiting.append((start, found))
        if not waiting or decision.state.ending:
            break
        settled.append(waiting.popleft())
        decision = advance(plan, decision.state, [settled[-1][1]])
    opened = replace(
        decision,
        starts=tuple(start for start in open_starts.values() if isinstance(start, StepStart)),
        approvals=tuple(start for start in open_starts.values() if isinstance(start, ApprovalStart)),
        visits=tuple(visits),
        consumed=(),
        events=(),
    )
    return Rebuilt(opened, tuple(settled), blocks)


def _blocks(plan: Plan, state: RunState) -> dict[int, int]:
    return {f.first: f.total for f in state.frames.values() if plan.nodes[f.path].kind is Kind.FOREACH}


@dataclass(slots=True)
class Numbers:
    """Gives a rebuilt run the numbers that its steps have had: `old` by the rebuilt one's, fresh ones after `last`."""

    old: dict[int, int]
    blocks: Mapping[int, int]
    last: int
    shifts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for first, total in self.blocks.items():
            had = [(new, self.old[new]) for new in range(first, first + total) if new in self.old]
            self.shifts[first] = had[0][1] - had[0][0] if had else self.last + 1 - first
            self.last += 0 if had else total

    def of(self, new: int) -> int:
        if new == 0 or new in self.old:
            return self.old.get(new, 0)
        for first, total in self.blocks.items():
            if first <= new < first + total:
                return new + self.shifts[first]
        self.last += 1
        self.old[new] = self.last
        return self.last

    def ref(self, ref: Ref) -> Ref:
        if isinstance(ref, int):
            return self.of(ref)
        if "items" in ref:
            return {**ref, "items": [[self.of(a), self.of(b)] for a, b in ref["items"]]}
        return {**ref, "of": [self.ref(part) for part in ref["of"]]}

    def held(self, data: Mapping[str, Held]) -> dict[str, Held]:
        return {name: Held(self.ref(held.ref), held.digest, held.facts) for name, held in data.items()}

    def step(self, start: StepStart) -> StepStart:
        inputs = {name: self.ref(ref) for name, ref in start.inputs.items()}
        return replace(start, seq=self.of(start.seq), inputs=inputs)

    def decision(self, plan: Plan, decision: Decision) -> Decision:
        """The whole decision in old numbers."""
        state = decision.state
        starts = tuple(self.step(start) for start in sorted(decision.starts, key=lambda start: start.seq))
        approvals = tuple(replace(asked, seq=self.of(asked.seq)) for asked in decision.approvals)
        state.leaves = {self.of(seq): leaf for seq, leaf in state.leaves.items()}
        state.data = self.held(state.data)
        begun = state.seq
        for frame in state.frames.values():
            self.frame(plan, frame, begun)
        state.seq = self.last
        return replace(decision, starts=starts, approvals=approvals)

    def frame(self, plan: Plan, frame: Frame, begun: int) -> None:
        frame.branches = {slot: self.held(data) for slot, data in frame.branches.items()}
        kind = plan.nodes[frame.path].kind
        if kind is Kind.FOREACH:
            frame.first = self.of(frame.first)
        elif kind is Kind.LOOP:
            # What a loop compares this with is only whether its iteration has started any step.
            frame.first = 0 if begun > frame.first else self.last
