"""Decides how a test plays a workflow by hand: it builds plans from plain data and settles steps by their state.

A crew's namespace is its own name, so `step("A", "a")` writes the namespace `a`. The position goes through JSON after
every decision, so each test of the heart is a test of the round trip too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zts_core.advance import advance
from zts_core.decision import Decision, Event, StepStart
from zts_core.merging import digest_of, merge_values
from zts_core.run import Ending, Ref, RunState, Settled, SettledAs
from zts_core.workflow.model import Step, Workflow
from zts_core.workflow.plan import Plan, compile_plan

Raw = dict[str, Any]


def plan_of(*nodes: Raw, **others: list[Raw]) -> Plan:
    """The plan of a workflow `main`, and of the others by name."""
    library = {"main": list(nodes), **others}
    models = {name: Workflow.model_validate({"name": name, "sequence": seq}) for name, seq in library.items()}
    return with_namespaces(compile_plan("main", models))


def with_namespaces(plan: Plan) -> Plan:
    """The plan of crews whose namespace is their own name."""
    crews = {node.model.crew for node in plan.nodes.values() if isinstance(node.model, Step)}
    return Plan(plan.root, plan.workflows, {crew: crew for crew in sorted(crews)})


def step(state: str, crew: str = "", *, with_: Raw | None = None, **fields: Any) -> Raw:
    return {"state": state, "crew": crew or state.lower(), "with": with_ or {}, **fields}


def terminal(state: str, **fields: Any) -> Raw:
    return {"state": state, **fields}


def parallel(*nodes: Raw, **fields: Any) -> Raw:
    return {"parallel": list(nodes), **fields}


def sequence(*nodes: Raw, **fields: Any) -> Raw:
    return {"sequence": list(nodes), **fields}


def loop(prefix: str, *nodes: Raw, times: int, conditions: list[Raw] | None = None, **fields: Any) -> Raw:
    body = {"state_prefix": prefix, "max_iterations": times, "sequence": list(nodes), **fields}
    return {"loop": body, "conditions": conditions or []}


def foreach(over: str, inner: Raw, conditions: list[Raw] | None = None, **fields: Any) -> Raw:
    return {"foreach": {"over": over, "as": "item", "step": inner, **fields}, "conditions": conditions or []}


def approval(state: str, conditions: list[Raw] | None = None, **fields: Any) -> Raw:
    return {"approval": {"state": state, "prompt": "May it go on?", **fields}, "conditions": conditions or []}


def call(workflow: str, conditions: list[Raw] | None = None, *, with_: Raw | None = None) -> Raw:
    return {"call": {"workflow": workflow, "with": with_ or {}}, "conditions": conditions or []}


def when(field: str, value: Any = True, operator: str = "==", **fields: Any) -> Raw:
    return {"field": field, "operator": operator, "value": value, **fields}


class Play:
    """A run played by hand. `waves` holds the states of each decision that started some, sorted."""

    def __init__(self, plan: Plan, *, max_steps: int = 50) -> None:
        self.plan = plan
        self.outputs: dict[int, Raw] = {}
        self.open: dict[int, str] = {}
        self.starts: dict[int, StepStart] = {}
        self.waves: list[list[str]] = []
        self.visits: list[str] = []
        self.events: list[Event] = []
        self.finish: Ending | None = None
        self.text = RunState(max_steps=max_steps).to_json()
        self.move()

    @property
    def state(self) -> RunState:
        return RunState.from_json(self.text)

    def move(self, *settled: Settled, stop: Ending | None = None) -> Decision:
        """Decide on some settlements at once, and keep what came of it."""
        decision = advance(self.plan, self.state, settled, stop=stop)
        self.text = decision.state.to_json()
        assert RunState.from_json(self.text).to_json() == self.text
        assert RunState.from_json(self.text) == decision.state
        for settlement in settled:
            self.open.pop(settlement.seq, None)
        for seq in decision.closed:
            del self.open[seq]
        for start in decision.starts:
            self.starts[start.seq] = start
        begun = [(start.seq, start.state) for start in decision.starts]
        begun += [(asked.seq, asked.state) for asked in decision.approvals]
        self.open |= dict(begun)
        if begun:
            self.waves.append(sorted(state for _, state in begun))
        self.visits += decision.visits
        self.events += decision.events
        assert self.finish is None or decision.finish is None, "a run ends once"
        self.finish = decision.finish or self.finish
        return decision

    def done(self, state: str, **output: Any) -> Decision:
        return self.move(self.settlement(state, output))

    def fail(self, state: str, reason: str = "boom") -> Decision:
        return self.move(self.settlement(state, SettledAs.FAILED, reason=reason))

    def answer(self, state: str, *, approved: bool) -> Decision:
        status = SettledAs.APPROVED if approved else SettledAs.REJECTED
        return self.move(self.settlement(state, status, reason=f"a person answered {status}"))

    def all_done(self, *states: str) -> Decision:
        """Several steps settle before anybody decides."""
        return self.move(*(self.settlement(state, {}) for state in states))

    def settlement(self, state: str, result: Raw | SettledAs, *, reason: str = "") -> Settled:
        seq = next(seq for seq, label in self.open.items() if label == state)
        return self.settlement_of(seq, result, reason=reason)

    def settlement_of(self, seq: int, result: Raw | SettledAs, *, reason: str = "") -> Settled:
        if isinstance(result, SettledAs):
            return Settled(seq, result, reason=reason)
        namespace = self.starts[seq].crew
        self.outputs[seq] = result
        facts = self.plan.facts(namespace, result)
        return Settled(seq, SettledAs.DONE, namespace, digest_of(json.dumps(result, sort_keys=True)), facts)

    @property
    def last(self) -> list[str]:
        """The newest wave."""
        return self.waves[-1]

    @property
    def ended(self) -> str:
        return self.finish.outcome.value if self.finish else "still going"

    @property
    def reason(self) -> str:
        return self.finish.reason if self.finish else ""

    @property
    def data(self) -> Raw:
        """What each namespace holds for the run as a whole."""
        return self.view({name: held.ref for name, held in self.state.data.items()})

    def sees(self, state: str) -> Raw:
        """What the newest step of a state was given."""
        start = max((each for each in self.starts.values() if each.state == state), key=lambda each: each.seq)
        return self.view(start.inputs)

    def view(self, refs: Mapping[str, Ref]) -> Raw:
        return {name: resolved(ref, self.outputs) for name, ref in refs.items()}

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        """Details of the ledger lines of one kind."""
        return [event.detail for event in self.events if event.kind == kind]


def resolved(ref: Ref, outputs: Mapping[int, Raw]) -> Raw:
    """The value a reference stands for."""
    if isinstance(ref, int):
        return outputs[ref]
    if "merge" in ref:
        return merge_values(ref["merge"], [resolved(each, outputs) for each in ref["of"]])
    items = [outputs[seq] for first, last in ref["items"] for seq in range(first, last + 1)]
    return {"items": items, "count": len(items), "failed": ref["failed"], "skipped": ref["skipped"]}
