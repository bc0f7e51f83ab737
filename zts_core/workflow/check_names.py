"""Decides whether the names in a workflow are sound: states told apart, targets that exist, no way in a circle."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zts_core.workflow import codes
from zts_core.workflow.closest import suggestion
from zts_core.workflow.model import (
    TERMINAL_STATES,
    Approval,
    Call,
    EscalateTo,
    Loop,
    Step,
)
from zts_core.workflow.problems import Problem
from zts_core.workflow.walk import Placed, Places

_NUMBERED = re.compile(r"(.+)_([1-9]\d*)\Z")


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a workflow into another; `is_call` where it comes back."""

    target: str
    path: str
    is_call: bool


def edges_of(name: str, places: Places) -> Iterator[Edge]:
    """Every escalation and call of a workflow."""
    for place in places.all(name):
        yield from edges_at(place)


def edges_at(place: Placed) -> Iterator[Edge]:
    """The escalations and calls of one node, not of those inside it."""
    for index, condition in enumerate(place.conditions):
        if isinstance(condition.on_fail, EscalateTo):
            yield Edge(condition.on_fail.escalate_to, f"{place.path}/conditions[{index}]/on_fail", False)
    node = place.node
    if isinstance(node, Loop) and isinstance(node.loop.on_exhausted, EscalateTo):
        yield Edge(node.loop.on_exhausted.escalate_to, f"{place.path}/loop/on_exhausted", False)
    if isinstance(node, Call):
        yield Edge(node.call.workflow, f"{place.path}/call/workflow", True)


def check_names(name: str, places: Places) -> Iterator[Problem]:
    """Duplicate and reserved states, unknown targets, escalation cycles and recursion."""
    yield from _states(places.all(name))
    yield from _targets(name, places)


def unknown_workflow(path: str, name: str, known: Iterable[str]) -> Problem:
    """The complaint about a name that no workflow has, with the names that come close."""
    names = sorted(known)
    cure = suggestion(name, names, otherwise=f"name one of: {', '.join(names) or '(none)'}")
    return codes.UNKNOWN_WORKFLOW.at(path, f"no workflow is called {name}", cure)


def _states(places: list[Placed]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    loops: dict[str, int] = {}
    for path, state in _named(places):
        if state in TERMINAL_STATES:
            message = f"{state} ends a run and cannot be the name of work"
            yield codes.RESERVED_STATE.at(path, message, "rename the state, or remove its `crew`")
        elif state in first:
            message = f"the state {state} is used already at {first[state]}"
            yield codes.DUPLICATE_STATE.at(path, message, "give each state a name of its own")
        first.setdefault(state, path)
    for place in places:
        if isinstance(place.node, Loop):
            loops[place.node.loop.state_prefix] = place.node.loop.max_iterations
    for state, path in first.items():
        numbered = _NUMBERED.match(state)
        if numbered and int(numbered[2]) <= loops.get(numbered[1], 0):
            message = f"{state} is also what an iteration of the loop {numbered[1]} is called"
            yield codes.DUPLICATE_STATE.at(path, message, "rename the state, or the loop's `state_prefix`")


def _named(places: list[Placed]) -> Iterator[tuple[str, str]]:
    """Paths and names of all states that stand for work."""
    for place in places:
        match place.node:
            case Step() if not place.path.endswith("/loop"):  # a loop's single step is called as the loop is
                yield f"{place.path}/state", place.node.state
            case Approval():
                yield f"{place.path}/approval/state", place.node.approval.state
            case Loop():
                yield f"{place.path}/loop/state_prefix", place.node.loop.state_prefix


def _targets(home: str, places: Places) -> Iterator[Problem]:
    ways: dict[str, list[Edge] | None] = {}
    told: set[tuple[str, str]] = set()
    for edge in edges_of(home, places):
        if edge.target not in places.library:
            yield unknown_workflow(edge.path, edge.target, places.library)
            continue
        if edge.target not in ways:
            ways[edge.target] = _way(edge.target, home, places)
        way = ways[edge.target]
        node = edge.path.partition("/conditions[")[0]
        if way is None or (node, edge.target) in told:
            continue
        told.add((node, edge.target))
        yield _circle(home, edge, way)


def _circle(home: str, edge: Edge, way: list[Edge]) -> Problem:
    route = " → ".join([home, edge.target, *(step.target for step in way)])
    if edge.is_call and all(step.is_call for step in way):
        cure = "call another workflow, or write the nodes out"
        return codes.CALL_RECURSION.at(edge.path, f"the call comes back to itself: {route}", cure)
    cure = "escalate into a workflow that does not lead back here"
    return codes.ESCALATION_CYCLE.at(edge.path, f"the way goes in a circle: {route}", cure)


def _way(start: str, home: str, places: Places) -> list[Edge] | None:
    """The shortest way from one workflow to another; None where there is none."""
    ways: deque[tuple[str, list[Edge]]] = deque([(start, [])])
    seen = {start}
    while ways:
        at, way = ways.popleft()
        if at == home:
            return way
        for edge in edges_of(at, places):
            if edge.target not in seen:
                seen.add(edge.target)
                ways.append((edge.target, [*way, edge]))
    return None
