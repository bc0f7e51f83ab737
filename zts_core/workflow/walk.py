"""Decides in which order a workflow's nodes are visited, and by which path each is known to its author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

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


@dataclass(frozen=True)
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

    @cached_property
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


@dataclass
class Places:
    """The nodes of a library's workflows at their paths; laid out once for each workflow that is looked at."""

    library: Mapping[str, Workflow]
    _tops: dict[str, list[Placed]] = field(default_factory=dict)
    _all: dict[str, list[Placed]] = field(default_factory=dict)

    def top(self, name: str) -> list[Placed]:
        """The nodes of a workflow itself; none where it is unknown."""
        if name not in self._tops:
            known = name in self.library
            self._tops[name] = placed(self.library[name].sequence, f"{name}/sequence") if known else []
        return self._tops[name]

    def all(self, name: str) -> list[Placed]:
        """Every node of a workflow, in the order they are written."""
        if name not in self._all:
            self._all[name] = []
            pending = self.top(name)[::-1]
            while pending:
                current = pending.pop()
                self._all[name].append(current)
                pending.extend(reversed(current.children))
        return self._all[name]
