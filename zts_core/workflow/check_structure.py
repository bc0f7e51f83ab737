"""Decides whether the parts of a workflow fit together: settings without effect, loops without end, merges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from zts_core.workflow import codes
from zts_core.workflow.conditions import fields_of
from zts_core.workflow.model import All, Any_, Condition, Leaf, Loop, LoopBody, Not, Parallel
from zts_core.workflow.problems import Problem
from zts_core.workflow.spans import Spans
from zts_core.workflow.walk import Placed
from zts_core.workflow.writes import WriteTable

NAMED = 5
"""Branches of a merge conflict that are named; the others are counted."""

_FOR_ONE_STEP = ("timeout", "retry_attempts", "on_error", "with_")


def check_structure(name: str, table: WriteTable, spans: Spans) -> Iterator[Problem]:
    """Unused settings, loops that nothing breaks, merge conflicts, and nodes that are never reached."""
    yield from _unreachable(table.places.top(name), spans)
    for place in table.places.all(name):
        yield from _unused(f"{place.path}/conditions", place.conditions, at_a_door=True)
        if isinstance(place.node, Loop):
            body = f"{place.path}/loop"
            yield from _unused(f"{body}/break_conditions", place.node.loop.break_conditions, at_a_door=False)
            yield from _settings(body, place.node.loop)
            yield from _unbreakable(place, place.node.loop, table)
        if isinstance(place.node, Parallel):
            yield from _merges(place, place.node, table)
        if not isinstance(place.node, Parallel):
            yield from _unreachable(place.children, spans)


def _unused(path: str, conditions: tuple[Condition, ...], *, at_a_door: bool) -> Iterator[Problem]:
    for index, condition in enumerate(conditions):
        place = f"{path}[{index}]"
        if at_a_door and condition.then != "continue":
            cure = "`then` belongs to break conditions; at a door write `on_fail`"
            yield codes.UNUSED_THEN.at(place, "`then` says nothing here", cure)
        if not at_a_door and condition.on_fail is not None:
            cure = "`on_fail` belongs to a door; at a break condition write `then`"
            yield codes.UNUSED_ON_FAIL.at(place, "`on_fail` says nothing in a break condition", cure)
        yield from _unused_inside(place, condition)


def _unused_inside(path: str, condition: Condition) -> Iterator[Problem]:
    for inner, child in _parts(path, condition):
        if child.on_fail is not None:
            message = "`on_fail` says nothing inside all, any or not"
            yield codes.UNUSED_ON_FAIL.at(inner, message, "move it to the entry of the list")
        if child.then != "continue":
            message = "`then` says nothing inside all, any or not"
            yield codes.UNUSED_THEN.at(inner, message, "move it to the entry of the list")
        yield from _unused_inside(inner, child)


def _parts(path: str, condition: Condition) -> list[tuple[str, Condition]]:
    match condition:
        case All():
            return [(f"{path}/all[{index}]", child) for index, child in enumerate(condition.all)]
        case Any_():
            return [(f"{path}/any[{index}]", child) for index, child in enumerate(condition.any)]
        case Not():
            return [(f"{path}/not", condition.not_)]
        case Leaf():
            return []


def _settings(path: str, body: LoopBody) -> Iterator[Problem]:
    if not body.sequence:
        return
    for name in _FOR_ONE_STEP:
        if name in body.model_fields_set:
            key = name.rstrip("_")
            message = f"`{key}` says nothing in a loop that has a `sequence`"
            yield codes.UNUSED_SETTING.at(f"{path}/{key}", message, "write it at the steps inside")


def _unbreakable(place: Placed, body: LoopBody, table: WriteTable) -> Iterator[Problem]:
    written = table.of(place)
    if written.anything:
        return
    read = {field.partition(".")[0] for condition in body.break_conditions for field in fields_of(condition)}
    path = f"{place.path}/loop/break_conditions"
    if read and not read & written.shapes.keys():
        inside = ", ".join(sorted(written.shapes)) or "nothing"
        message = f"the break conditions read {', '.join(sorted(read))}, and the loop writes {inside}"
        yield codes.ENDLESS_LOOP.at(path, message, "read something that changes inside the loop")
    elif not read and body.on_exhausted != "continue":
        message = f"without a break condition the loop always uses all its {body.max_iterations} iterations"
        yield codes.ENDLESS_LOOP.at(path, message, "add `break_conditions`, or `on_exhausted: continue`")


def _merges(place: Placed, node: Parallel, table: WriteTable) -> Iterator[Problem]:
    first: dict[str, str] = {}
    conflicts: dict[str, list[str]] = {}
    for child in place.children:
        for namespace in table.of(child).shapes:
            if namespace in first:
                conflicts.setdefault(namespace, [first[namespace]]).append(child.path)
            first.setdefault(namespace, child.path)
    if conflicts and node.merge is None:
        for namespace, paths in conflicts.items():
            more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
            message = f"{len(paths)} branches write `{namespace}`: {', '.join(paths[:NAMED])}{more}"
            cure = "say which counts with `merge: first | last | union | max`, or run them one after the other"
            yield codes.MERGE_CONFLICT.at(f"{place.path}/parallel", message, cure)
    elif node.merge is not None and not conflicts and not table.of(place).anything:
        yield codes.NEEDLESS_MERGE.at(f"{place.path}/merge", "no two branches write the same", "remove `merge`")


def _unreachable(places: list[Placed], spans: Spans) -> Iterator[Problem]:
    for place, following in pairwise(places):
        if not spans.of(place).through.is_met:
            message = f"the run never gets past {place.path}, so this and what follows is never reached"
            cure = "remove it, or give the node before it a condition with `on_fail: skip`"
            yield codes.UNREACHABLE.at(following.path, message, cure)
            return
