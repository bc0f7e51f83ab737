"""Decides in which order a workflow's nodes are visited, and by which path each is known to its author."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zts_core.workflow.model import (
    Condition,
    Conditions,
    Foreach,
    Loop,
    Node,
    OnFail,
    Parallel,
    Sequence,
    Workflow,
)
from zts_core.workflow.plan import loop_steps


@dataclass(frozen=True, slots=True)
class Placed:
    """A node at its path. `beside` says that it stands directly in a parallel block or a foreach."""

    path: str
    node: Node
    beside: bool = False

    @property
    def conditions(self) -> Conditions:
        """The conditions at the node's door."""
        return self.node.conditions

    def on_fail(self, condition: Condition) -> OnFail:
        """What a false condition leads to: without a word, a child beside others is skipped, else the run stops."""
        return condition.on_fail or ("skip" if self.beside else "stop")

    def may_be_skipped(self) -> bool:
        """Whether the node's conditions can lead past it."""
        return any(self.on_fail(condition) == "skip" for condition in self.conditions)

    def children(self) -> list[Placed]:
        """The nodes inside, in order."""
        match self.node:
            case Sequence():
                return placed(self.node.sequence, f"{self.path}/sequence")
            case Parallel():
                return placed(self.node.parallel, f"{self.path}/parallel", beside=True)
            case Loop() if self.node.loop.sequence:
                return placed(self.node.loop.sequence, f"{self.path}/loop/sequence")
            case Loop():
                return [Placed(f"{self.path}/loop", step) for step in loop_steps(self.node)]
            case Foreach():
                return [Placed(f"{self.path}/foreach/step", self.node.foreach.step, beside=True)]
            case _:
                return []


def placed(nodes: tuple[Node, ...], path: str, *, beside: bool = False) -> list[Placed]:
    """Nodes of a list at its path."""
    return [Placed(f"{path}[{index}]", node, beside) for index, node in enumerate(nodes)]


def top_of(workflow: Workflow) -> list[Placed]:
    """The nodes of the workflow itself."""
    return placed(workflow.sequence, f"{workflow.name}/sequence")


def walk(workflow: Workflow) -> Iterator[Placed]:
    """Every node of the workflow, in the order they are written."""
    pending = top_of(workflow)[::-1]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(current.children()))
