"""Decides what a workflow would do with given results, without running a crew: the pure heart, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zts_core.advance import SAME_VISITS, advance
from zts_core.decision import ApprovalStart, Decision, Event, StepStart
from zts_core.run import Ending, Outcome, RunState, Settled, SettledAs
from zts_core.workflow.model import Approval, Loop, Step
from zts_core.workflow.plan import Plan


@dataclass(frozen=True, slots=True)
class Given:
    """What the crews are taken to give.

    `outputs` by namespace, for every step; `by_state` the same for one state, over the former; `failing` states fail;
    `rejected` approvals are answered no, all others yes. `namespaces` names each crew's namespace.
    """

    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_state: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it: the waves of states in order with what was decided between them, and the end."""

    path: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    steps: int
    outcome: Outcome
    reason: str
    events: tuple[Event, ...]
    route: tuple[str, ...]


def simulate(plan: Plan, given: Given, *, max_steps: int) -> Simulation:
    """Play `plan` to its end. Every step gives something new, so only the loops' own limits and the cap end them."""
    return _Play(plan, given).to_end(max_steps)


class _Play:
    def __init__(self, plan: Plan, given: Given) -> None:
        self.plan = plan
        self.given = given
        self.visits: Counter[str] = Counter()
        self.waves: list[tuple[str, ...]] = []
        self.events: list[Event] = []

    def to_end(self, max_steps: int) -> Simulation:
        decision = self.decide(RunState(max_steps=max_steps), ())
        while decision.finish is None:
            settled = [self.settle(start) for start in decision.starts]
            settled += [self.answer(asked) for asked in decision.approvals]
            decision = self.decide(decision.state, settled)
        return Simulation(
            path=tuple(state for wave in self.waves for state in wave),
            waves=tuple(self.waves),
            steps=decision.state.started,
            outcome=decision.finish.outcome,
            reason=decision.finish.reason,
            events=tuple(self.events),
            route=tuple(decision.state.route),
        )

    def decide(self, state: RunState, settled: Iterable[Settled]) -> Decision:
        before = state.to_json()
        settled = tuple(settled)
        decision = advance(self.plan, state, settled)
        self.visits.update(decision.visits)
        if place := next((visit for visit in decision.visits if self.visits[visit] >= SAME_VISITS), ""):
            reason = f"no progress: {place.partition(' ')[0]} starts a third time with the same data"
            decision = advance(self.plan, RunState.from_json(before), settled, stop=Ending(Outcome.HALTED_LOOP, reason))
        self.events.extend(decision.events)
        names = {start.seq: start.state for start in decision.starts}
        names |= {asked.seq: asked.state for asked in decision.approvals}
        if names:
            self.waves.append(tuple(names.values()))
            self.events.append(Event("wave", detail={"seqs": list(names), "states": list(names.values())}))
        return decision

    def settle(self, start: StepStart) -> Settled:
        if _names(start.state) & self.given.failing:
            return Settled(start.seq, SettledAs.FAILED, reason=f"{start.state} is given as failing")
        namespace = self.given.namespaces[start.crew]
        output = dict(self.given.outputs.get(namespace, {}))
        for name in sorted(_names(start.state), key=len):
            output.update(self.given.by_state.get(name, {}).get(namespace, {}))
        return Settled(start.seq, SettledAs.DONE, namespace, str(start.seq), self.plan.facts(namespace, output))

    def answer(self, asked: ApprovalStart) -> Settled:
        if _names(asked.state) & self.given.rejected:
            return Settled(asked.seq, SettledAs.REJECTED, reason=f"{asked.state} is given as rejected")
        return Settled(asked.seq, SettledAs.APPROVED)


def _names(state: str) -> frozenset[str]:
    """What a person may call a state: `LOOP_2.REVIEW`, or just `REVIEW` for all iterations."""
    return frozenset({state, state.rpartition(".")[2]})


def states(plan: Plan) -> tuple[str, ...]:
    """What its steps, approvals and loops are called, those of the workflows it can go on in too."""
    models = [node.model for node in plan.nodes.values()]
    named = [model.state for model in models if isinstance(model, Step)]
    named += [model.approval.state for model in models if isinstance(model, Approval)]
    named += [model.loop.state_prefix for model in models if isinstance(model, Loop)]
    # Inside a call, its workflow's name stands before a state.
    return (*named, *plan.workflows)


def fields_read(plan: Plan) -> tuple[str, ...]:
    """The fields that conditions of the plan read, as `namespace.path`."""
    return tuple(
        f"{namespace}.{path.removeprefix('#')}" for namespace, paths in sorted(plan.reads.items()) for path in paths
    )
