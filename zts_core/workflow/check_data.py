"""Decides whether a workflow's conditions, lists and references read what some crew before them can have written.

The analysis follows every path at once: a field is known if a crew on any path before it produces it, around a
loop's back edge too. What a parallel branch writes is seen by its siblings only after the join.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zts_core.workflow import codes
from zts_core.workflow.check_fields import Finding, judge, judge_value
from zts_core.workflow.closest import suggestion
from zts_core.workflow.model import All, Any_, Call, Condition, Foreach, Leaf, Loop, Not, Parallel, Step
from zts_core.workflow.plan import REFERENCE
from zts_core.workflow.problems import Problem
from zts_core.workflow.shapes import CrewShape
from zts_core.workflow.walk import Placed
from zts_core.workflow.writes import Writes, WriteTable


def check_data(name: str, table: WriteTable) -> Iterator[Problem]:
    """Fields never produced, comparisons that do not fit, lists that are none, references into nowhere."""
    return _DataCheck(name, table).sequence(table.places.top(name), table.before(name))


class _DataCheck:
    """One pass over a workflow; `seen` is what may have been written before the node at hand."""

    def __init__(self, name: str, table: WriteTable) -> None:
        self.table = table
        self.writers: dict[str, str] = {}
        for place in table.places.all(name):
            if isinstance(place.node, Step) and (shape := table.crew(place.node.crew)):
                self.writers.setdefault(shape.namespace, place.node.state)

    def sequence(self, places: list[Placed], before: Writes) -> Iterator[Problem]:
        seen = before.copy()
        for place in places:
            yield from self.node(place, seen)
            seen.add(self.table.of(place))

    def node(self, place: Placed, seen: Writes) -> Iterator[Problem]:
        yield from self.conditions(f"{place.path}/conditions", place.conditions, seen)
        match place.node:
            case Step():
                yield from self.values(f"{place.path}/with", place.node.with_, seen, {})
            case Call():
                yield from self.values(f"{place.path}/call/with", place.node.call.with_, seen, {})
            case Parallel():
                for child in place.children:
                    yield from self.node(child, seen)
            case Foreach():
                yield from self.foreach(place, place.node, seen)
            case Loop():
                inside = seen.copy()
                inside.add(self.table.of(place))
                yield from self.sequence(place.children, inside)
                yield from self.conditions(
                    f"{place.path}/loop/break_conditions", place.node.loop.break_conditions, inside
                )
            case _:
                yield from self.sequence(place.children, seen)

    def foreach(self, place: Placed, node: Foreach, seen: Writes) -> Iterator[Problem]:
        body = node.foreach
        path = f"{place.path}/foreach/over"
        found = seen.field(body.over)
        if found is None:
            yield from self.never_produced(path, body.over, seen)
        elif "list" not in found.kinds:
            yield codes.NOT_A_LIST.at(path, f"{body.over} is {found}, not a list", "name a field that is a list")
        step = place.children[0]
        yield from self.conditions(f"{step.path}/conditions", step.conditions, seen, item=body.as_)
        yield from self.values(f"{step.path}/with", body.step.with_, seen, {body.as_: _item(seen, body.over)})

    # -- conditions

    def conditions(
        self, path: str, conditions: tuple[Condition, ...], seen: Writes, *, item: str = ""
    ) -> Iterator[Problem]:
        for index, condition in enumerate(conditions):
            yield from self.condition(f"{path}[{index}]", condition, seen, item=item, decides=True)

    def condition(
        self, path: str, condition: Condition, seen: Writes, *, item: str, decides: bool
    ) -> Iterator[Problem]:
        """`decides` says that the whole entry is false where this part of it is."""
        match condition:
            case Leaf():
                yield from self.leaf(path, condition, seen, item=item, decides=decides)
                return
            case All():
                children = [(f"{path}/all[{index}]", child) for index, child in enumerate(condition.all)]
            case Any_():
                children = [(f"{path}/any[{index}]", child) for index, child in enumerate(condition.any)]
                decides = decides and len(children) == 1
            case Not():
                children, decides = [(f"{path}/not", condition.not_)], False
        for inner, child in children:
            yield from self.condition(inner, child, seen, item=item, decides=decides)

    def leaf(self, path: str, leaf: Leaf, seen: Writes, *, item: str, decides: bool) -> Iterator[Problem]:
        found = judge_value(leaf)
        shape = seen.field(leaf.field)
        if shape is None:
            if item and leaf.field.startswith(f"{item}."):
                message = f"`{item}` is the item, and conditions read crews' outputs only"
                yield codes.NEVER_PRODUCED.at(f"{path}/field", message, "let the crew look at the item")
            else:
                yield from self.never_produced(f"{path}/field", leaf.field, seen)
        elif found is None:
            found = self.gathered_items(leaf, seen) or judge(leaf, shape)
        if found is not None:
            yield _told(path, found, decides=decides)

    def gathered_items(self, leaf: Leaf, seen: Writes) -> Finding | None:
        """The items of a fan-out are found by number when a crew asks for them; no position carries them."""
        namespace, _, inside = leaf.field.partition(".")
        shapes = seen.shapes.get(namespace, {})
        if inside.partition(".")[0] != "items" or not all(shape.gathers for shape in shapes):
            return None
        message = f"{leaf.field} belongs to the items of a foreach, which conditions do not read"
        cure = (
            f"read {namespace}.count or {namespace}.failed, or let a crew after it read the items and say what it found"
        )
        return Finding(codes.NEVER_HOLDS, message, cure)

    def never_produced(self, path: str, field: str, seen: Writes) -> Iterator[Problem]:
        if seen.anything:
            return  # a crew that nobody knows may produce it; that crew is complained about
        namespace = field.partition(".")[0]
        if namespace in seen.shapes:
            message = f"no crew that writes `{namespace}` produces {field}"
        else:
            message = f"no earlier crew on any path produces {field}"
        later = self.writers.get(namespace)
        cure = suggestion(field, seen.known_fields(), otherwise="read a field that an earlier crew produces")
        if later and namespace not in seen.shapes:
            cure = f"{later} writes `{namespace}`, but not before this: read it after that has ended"
        yield codes.NEVER_PRODUCED.at(path, message, cure)

    # -- with values

    def values(
        self, path: str, values: Mapping[str, Any], seen: Writes, items: Mapping[str, CrewShape | None]
    ) -> Iterator[Problem]:
        for place, text in _texts(path, values):
            for reference in REFERENCE.findall(text):
                yield from self.reference(place, reference, seen, items)
            if "${" in REFERENCE.sub("", text):
                message = f"`{text[:60]}` looks like a reference and is none"
                cure = "write ${namespace.path} with the namespace in small letters"
                yield codes.ODD_REFERENCE.at(place, message, cure)

    def reference(
        self, path: str, reference: str, seen: Writes, items: Mapping[str, CrewShape | None]
    ) -> Iterator[Problem]:
        name, _, inside = reference.partition(".")
        if name in items:
            shape = items[name]
            if inside and shape is not None and shape.field(inside) is None:
                cure = suggestion(inside, shape.names(), otherwise=f"write ${{{name}}} for the whole item")
                message = f"the items of {shape.namespace} have no {inside}"
                yield codes.DANGLING_REFERENCE.at(path, message, cure)
        elif seen.field(reference) is None and not seen.anything:
            known = [*seen.known_fields(), *items]
            cure = suggestion(reference, known, otherwise="refer to a field that an earlier crew produces")
            message = f"${{{reference}}} refers to nothing that an earlier crew produces"
            yield codes.DANGLING_REFERENCE.at(path, message, cure)


def _told(path: str, found: Finding, *, decides: bool) -> Problem:
    """A finding at its place. A part that never holds and does not decide alone is not fatal, only pointless."""
    if found.code is codes.NEVER_HOLDS and not decides:
        return codes.ALWAYS_HOLDS.at(path, found.message, found.cure)
    return found.code.at(path, found.message, found.cure)


def _item(seen: Writes, over: str) -> CrewShape | None:
    """The shape of a list's items where it is known for certain."""
    namespace, _, inside = over.partition(".")
    shapes = list(seen.shapes.get(namespace, {}))
    return shapes[0].items(inside) if len(shapes) == 1 else None


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(f"{path}/{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(f"{path}[{index}]", inner)
