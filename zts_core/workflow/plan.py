"""Decides the compiled form of a workflow: everything a run can reach, addressed by short paths.

A run carries the plan it was submitted with, by digest; editing a YAML file never changes it. A node's path is its
workflow's name and the index of each node on the way down: `rapid_prototype.2.0`. The workflow itself is the
sequence at the bare name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from zts_core.workflow.conditions import MISSING, fields_of, lookup
from zts_core.workflow.model import (
    Approval,
    Call,
    Condition,
    Conditions,
    EscalateTo,
    Foreach,
    Loop,
    Merge,
    Node,
    Parallel,
    Sequence,
    Step,
    Terminal,
    Workflow,
)

REFERENCE = re.compile(r"\$\{([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\}")
"""A reference inside a `with` value: `${namespace.path}`, or `${item}` below a foreach `as: item`."""


class Kind(StrEnum):
    """What a compiled node is."""

    STEP = "step"
    TERMINAL = "terminal"
    PARALLEL = "parallel"
    LOOP = "loop"
    FOREACH = "foreach"
    APPROVAL = "approval"
    CALL = "call"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A node of the plan: its model, its children's paths and the conditions at its door."""

    path: str
    kind: Kind
    model: Node | Workflow
    children: tuple[str, ...]
    conditions: Conditions = ()
    merge: Merge | None = None


@dataclass(frozen=True)
class Plan:
    """The compiled form: the root workflow and every workflow it can escalate into or call."""

    root: str
    workflows: Mapping[str, Workflow]
    namespaces: Mapping[str, str] = field(default_factory=dict)
    """Where the crews of foreach steps put their output: an empty list has no step that would say."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many steps of a crew may be at work at once, in all runs, of those crews that say so."""
    nodes: Mapping[str, PlanNode] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {node.path: node for name in self.workflows for node in _compile(self.workflows[name])}
        object.__setattr__(self, "nodes", found)

    @cached_property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """By namespace, the paths of output fields that conditions read; `#path` for the length of a list."""
        found: dict[str, set[str]] = {}
        for name in sorted(_fields_read(self.nodes.values())):
            sign, dotted = ("#", name[1:]) if name.startswith("#") else ("", name)
            namespace, _, path = dotted.partition(".")
            found.setdefault(namespace, set()).add(sign + path)
        return {namespace: tuple(sorted(paths)) for namespace, paths in found.items()}

    @cached_property
    def crews(self) -> tuple[str, ...]:
        """Names of the crews it may call, each once, sorted."""
        return tuple(sorted({node.model.crew for node in self.nodes.values() if isinstance(node.model, Step)}))

    @cached_property
    def audited(self) -> bool:
        """Whether one of its workflows asks for a tamper-evident history."""
        return any(workflow.metadata.get("audit") is True for workflow in self.workflows.values())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: the same plan gives the same text."""
        dumped = {
            name: flow.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, flow in self.workflows.items()
        }
        whole = {
            "root": self.root,
            "workflows": dumped,
            "namespaces": dict(self.namespaces),
            "limits": dict(self.limits),
        }
        return json.dumps(whole, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str | bytes) -> Plan:
        """The plan that `to_json` wrote."""
        raw = json.loads(text)
        workflows = {name: Workflow.model_validate(flow) for name, flow in raw["workflows"].items()}
        return Plan(raw["root"], workflows, raw["namespaces"], raw["limits"])

    def facts(self, namespace: str, output: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of `output` that some condition or foreach of this plan reads, by their path."""
        found = {}
        for path in self.reads.get(namespace, ()):
            value = lookup(output, path.removeprefix("#"))
            if path.startswith("#"):
                found[path] = len(value) if isinstance(value, list) else MISSING
            else:
                found[path] = value
        return {path: value for path, value in found.items() if value is not MISSING}


def compile_plan(
    root: str,
    library: Mapping[str, Workflow],
    *,
    namespace_of: Callable[[str], str] | None = None,
    limit_of: Callable[[str], int] = lambda _crew: 0,
) -> Plan:
    """The plan of `root` with all workflows reachable by escalation and call; KeyError names a missing one.

    `namespace_of` gives a crew's namespace, so that a foreach over an empty list still leaves an empty output;
    `limit_of` how many of a crew's steps may be at work at once, 0 for any number.
    """
    reached: dict[str, Workflow] = {}
    todo = [root]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached[name] = library[name]
            todo.extend(sorted(targets_of(library[name])))
    plan = Plan(root, dict(sorted(reached.items())))
    limits = {crew: limit for crew in plan.crews if (limit := limit_of(crew))}
    gathered = {node.model.foreach.step.crew for node in plan.nodes.values() if isinstance(node.model, Foreach)}
    namespaces = {crew: namespace_of(crew) for crew in sorted(gathered)} if namespace_of else {}
    return Plan(root, plan.workflows, namespaces, limits)


def targets_of(workflow: Workflow) -> set[str]:
    """Names of the workflows that `workflow` escalates into or calls."""
    found: set[str] = set()
    for node in _compile(workflow):
        found.update(_escalations(node))
        if isinstance(node.model, Call):
            found.add(node.model.call.workflow)
    return found


def _escalations(node: PlanNode) -> Iterator[str]:
    for condition in node.conditions:
        if isinstance(condition.on_fail, EscalateTo):
            yield condition.on_fail.escalate_to
    if isinstance(node.model, Loop) and isinstance(node.model.loop.on_exhausted, EscalateTo):
        yield node.model.loop.on_exhausted.escalate_to


def _compile(workflow: Workflow) -> Iterator[PlanNode]:
    yield from _walk(workflow, workflow.name)


def _walk(model: Node | Workflow, path: str) -> Iterator[PlanNode]:
    pending: list[tuple[Node | Workflow, str]] = [(model, path)]
    while pending:
        current, place = pending.pop()
        inner = _children(current)
        paths = tuple(f"{place}.{index}" for index in range(len(inner)))
        yield PlanNode(place, _KINDS[type(current)], current, paths, _conditions(current), _merge(current))
        pending.extend(zip(inner, paths, strict=True))


_KINDS: Mapping[type, Kind] = {
    Step: Kind.STEP,
    Terminal: Kind.TERMINAL,
    Parallel: Kind.PARALLEL,
    Loop: Kind.LOOP,
    Foreach: Kind.FOREACH,
    Approval: Kind.APPROVAL,
    Call: Kind.CALL,
    Sequence: Kind.SEQUENCE,
    Workflow: Kind.SEQUENCE,
}


def _conditions(model: Node | Workflow) -> tuple[Condition, ...]:
    return () if isinstance(model, Workflow) else model.conditions


def _merge(model: Node | Workflow) -> Merge | None:
    if isinstance(model, Parallel):
        return model.merge
    return model.foreach.merge if isinstance(model, Foreach) else None


def _children(model: Node | Workflow) -> tuple[Node, ...]:
    if isinstance(model, Parallel):
        return model.parallel
    if isinstance(model, Sequence | Workflow):
        return model.sequence
    if isinstance(model, Loop):
        return loop_steps(model)
    return (model.foreach.step,) if isinstance(model, Foreach) else ()


def loop_steps(model: Loop) -> tuple[Node, ...]:
    """The nodes of one iteration, with the loop's crew where a step names none."""
    body = model.loop
    if body.sequence:
        return body.sequence
    step = Step.model_validate(
        {
            "state": body.state_prefix,
            "crew": body.crew or "",
            "timeout": body.timeout,
            "retry_attempts": body.retry_attempts,
            "on_error": body.on_error,
            "with": body.with_,
        }
    )
    return (step,)


def _fields_read(nodes: Any) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        conditions = node.conditions
        if isinstance(node.model, Loop):
            conditions = (*conditions, *node.model.loop.break_conditions)
        for condition in conditions:
            found |= fields_of(condition)
        if isinstance(node.model, Foreach):
            found.add("#" + node.model.foreach.over)
    return found
