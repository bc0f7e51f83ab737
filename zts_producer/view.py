"""Decides how a run looks to a person: its workflow's tree with the state of every node, and the road it took."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from zts_core.ports import LedgerEntry, RunRecord, StepRecord
from zts_core.run import Outcome, RunStatus, StepStatus
from zts_core.workflow.model import Approval, Call, Foreach, Loop, Step, Terminal
from zts_core.workflow.plan import Kind, Plan, PlanNode
from zts_producer.calls import Bill, bill_of
from zts_producer.notes import Notes


class NodeStatus(StrEnum):
    """Where a node stands."""

    PENDING = "pending"
    """The run may still come here."""
    QUEUED = "queued"
    """Sent, waiting for a worker."""
    RUNNING = "running"
    """At work."""
    RETRYING = "retrying"
    """Backing off after a transient error."""
    WAITING = "waiting"
    """Waiting for a person's answer."""
    DONE = "done"
    """Left well."""
    FAILED = "failed"
    """Failed for good."""
    REJECTED = "rejected"
    """A gate or a person stopped the run here."""
    ESCALATED = "escalated"
    """A gate sent the run into another workflow here."""
    SKIPPED = "skipped"
    """A gate let the run pass by."""
    CANCELLED = "cancelled"
    """The run was stopped before this could end."""
    NOT_REACHED = "not reached"
    """The run ended before it came here."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node of the tree; `steps` are its executions, oldest first; `note` says why it was left or passed by."""

    path: str
    kind: Kind
    label: str
    status: NodeStatus
    crew: str = ""
    note: str = ""
    steps: tuple[StepRecord, ...] = ()
    children: tuple[NodeView, ...] = ()

    @property
    def newest(self) -> StepRecord | None:
        """The latest execution."""
        return self.steps[-1] if self.steps else None

    def walk(self, depth: int = 0) -> Iterator[tuple[int, NodeView]]:
        """This node and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run: its record, its steps in the order they started, its route through workflows and one tree for each."""

    record: RunRecord
    steps: tuple[StepRecord, ...]
    route: tuple[str, ...]
    trees: tuple[NodeView, ...]
    bill: Bill = field(default_factory=lambda: Bill(()))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            **record_json(self.record),
            "usd": round(self.bill.usd, 6),
            "tokens": self.bill.tokens,
            "route": list(self.route),
            "steps": [asdict(step) for step in self.steps],
            "tree": [_node_json(tree) for tree in self.trees],
        }


def run_view(
    record: RunRecord, plan: Plan, *, steps: Iterable[StepRecord], ledger: Iterable[LedgerEntry] = ()
) -> RunView:
    """The view of a run; `ledger` may be just its gates, loop ends and escalations."""
    known, told = tuple(steps), tuple(ledger)
    notes = Notes(told)
    route = (plan.root, *notes.escalations)
    build = _TreeBuilder(plan, record, known, notes)
    trees = tuple(build.tree(name) for name in route if name in plan.nodes)
    return RunView(record, known, route, trees, bill_of(told))


def record_json(record: RunRecord) -> dict[str, Any]:
    """A run's record as plain JSON data."""
    return {**asdict(record), "values": dict(record.values)}


def own_name(node: PlanNode) -> str:
    """What a node is called without the loops and calls around it."""
    match node.model:
        case Step() | Terminal() as model:
            return str(model.state)
        case Loop() as model:
            return model.loop.state_prefix
        case Approval() as model:
            return model.approval.state
        case Foreach() as model:
            return model.foreach.step.state
        case Call() as model:
            return model.call.workflow
    return node.path if "." not in node.path else str(node.kind)


class _TreeBuilder:
    def __init__(self, plan: Plan, record: RunRecord, steps: Sequence[StepRecord], notes: Notes) -> None:
        self.plan = plan
        self.record = record
        self.notes = notes
        self.unreached = NodeStatus.NOT_REACHED if record.outcome else NodeStatus.PENDING
        self.steps: dict[str, list[StepRecord]] = defaultdict(list)
        for step in steps:
            self.steps[step.path].append(step)
        self.end = self.reached_end()

    def reached_end(self) -> str:
        """The path of the terminal that ended the run: the first of its outcome, in the workflow it went to last, that
        no gate stood before; empty where none did."""
        last = self.notes.escalations[-1] if self.notes.escalations else self.plan.root
        ends = [node for node in self.plan.nodes.values() if self.may_be_end(node, last)]
        return min((node.path for node in ends), key=_position, default="")

    def may_be_end(self, node: PlanNode, workflow: str) -> bool:
        if node.kind is not Kind.TERMINAL or node.path.partition(".")[0] != workflow:
            return False
        if self.record.outcome is None or self.record.outcome.value != own_name(node).lower():
            return False
        entered = not node.conditions or node.path in self.notes.passed
        return entered and not any(f"{node.path}.".startswith(f"{gate}.") for gate in self.notes.gates)

    def tree(self, path: str, above: tuple[str, ...] = ()) -> NodeView:
        node = self.plan.nodes[path]
        paths = node.children
        if isinstance(node.model, Call) and node.model.call.workflow not in above:
            paths = (node.model.call.workflow,)
        children = tuple(self.tree(child, (*above, path)) for child in paths)
        steps = tuple(self.steps.get(path, ()))
        gate = self.gate(node)
        return NodeView(
            path=path,
            kind=node.kind,
            label=own_name(node),
            status=self.status(node, steps, gate, children),
            crew=getattr(node.model, "crew", ""),
            note=self.note(node, steps, gate),
            steps=steps,
            children=children,
        )

    def gate(self, node: PlanNode) -> Mapping[str, Any] | None:
        return self.notes.gates.get(node.path) or self.notes.gates.get(own_name(node))

    def status(
        self,
        node: PlanNode,
        steps: tuple[StepRecord, ...],
        gate: Mapping[str, Any] | None,
        children: tuple[NodeView, ...],
    ) -> NodeStatus:
        if steps:
            return self.step_status(steps)
        if gate and all(child.status is self.unreached for child in children):
            return _gate_status(str(gate.get("then", "")))
        if node.kind is Kind.TERMINAL:
            return self.terminal_status(node)
        return self.whole(_joined([child.status for child in children]), children) if children else self.unreached

    def whole(self, status: NodeStatus, children: tuple[NodeView, ...]) -> NodeStatus:
        """A block that a stopped run left half done was not left well."""
        stopped = self.record.outcome not in (None, Outcome.COMPLETED)
        open_ones = any(child.status is NodeStatus.NOT_REACHED for child in children)
        return NodeStatus.CANCELLED if status is NodeStatus.DONE and stopped and open_ones else status

    def step_status(self, steps: tuple[StepRecord, ...]) -> NodeStatus:
        if len(steps) > 1:
            busy = [step.status for step in steps if step.status not in _SETTLED]
            if busy:
                return _joined([NodeStatus(status.value) for status in busy])
        newest = steps[-1]
        if newest.status is StepStatus.DONE and self.notes.answers.get(newest.seq) is False:
            return NodeStatus.REJECTED
        return NodeStatus(newest.status.value)

    def terminal_status(self, node: PlanNode) -> NodeStatus:
        if node.path != self.end:
            return self.unreached
        return NodeStatus.DONE if self.record.outcome is Outcome.COMPLETED else NodeStatus.REJECTED

    def note(self, node: PlanNode, steps: tuple[StepRecord, ...], gate: Mapping[str, Any] | None) -> str:
        if isinstance(node.model, Loop):
            return self.loop_note(node.path, node.model)
        if node.kind is Kind.FOREACH:
            own = self.steps.get(node.children[0], [])
            done = sum(step.status is StepStatus.DONE for step in own)
            return f"{done} of {len(own)} done" if own else ""
        if gate and not steps:
            return str(gate.get("why", ""))
        return ""

    def loop_note(self, path: str, model: Loop) -> str:
        prefix = model.loop.state_prefix
        pattern = re.compile(rf"(?:^|\.){prefix}_(\d+)(?=\.|\[|$)")
        found = [match for step, inner in self._below(path) if (match := pattern.search(inner.state)) and step]
        if not found:
            return ""
        iteration = max(int(match[1]) for match in found)
        told = self.notes.loops.get(path) or self.notes.loops.get(f"{prefix}_{iteration}", "")
        return f"iteration {iteration} of {model.loop.max_iterations}" + (f", {told}" if told else "")

    def _below(self, path: str) -> Iterator[tuple[str, StepRecord]]:
        for inner, steps in self.steps.items():
            if inner.startswith(path + "."):
                for step in steps:
                    yield inner, step


def _position(path: str) -> tuple[int, ...]:
    """Where a node stands in its workflow, from top to bottom."""
    return tuple(int(number) for number in path.split(".")[1:])


_SETTLED = {StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELLED}

_BY_URGENCY = (
    NodeStatus.RUNNING,
    NodeStatus.RETRYING,
    NodeStatus.QUEUED,
    NodeStatus.WAITING,
    NodeStatus.FAILED,
    NodeStatus.REJECTED,
    NodeStatus.ESCALATED,
    NodeStatus.CANCELLED,
)


def _joined(statuses: Sequence[NodeStatus]) -> NodeStatus:
    """A composite node's status: what is at work shows before what went wrong, and that before what is done."""
    for status in _BY_URGENCY:
        if status in statuses:
            return status
    open_ones = [status for status in statuses if status in (NodeStatus.PENDING, NodeStatus.NOT_REACHED)]
    if len(open_ones) == len(statuses):
        return open_ones[0]
    if all(status is NodeStatus.SKIPPED for status in statuses):
        return NodeStatus.SKIPPED
    return NodeStatus.RUNNING if NodeStatus.PENDING in statuses else NodeStatus.DONE


def _gate_status(then: str) -> NodeStatus:
    if then.startswith("escalate"):
        return NodeStatus.ESCALATED
    return NodeStatus.SKIPPED if then == "skip" else NodeStatus.REJECTED


def _node_json(node: NodeView) -> dict[str, Any]:
    newest = node.newest
    return {
        "path": node.path,
        "kind": node.kind,
        "label": node.label,
        "status": node.status,
        "crew": node.crew,
        "note": node.note,
        "steps": [step.seq for step in node.steps],
        "line": newest.line if newest else "",
        "children": [_node_json(child) for child in node.children],
    }


def is_over(record: RunRecord) -> bool:
    """Whether the run has its outcome."""
    return record.status is RunStatus.FINISHED
