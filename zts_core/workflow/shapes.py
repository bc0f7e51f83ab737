"""Decides what can be known about a crew's output before it runs: each field's kinds, range and possible values.

A shape is read from the JSON Schema of the crew's `Output` model, so constraints count however they are written
(`Field(ge=0)`, `Literal`, enums, nested models, optional fields).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

_KINDS = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "bool",
    "array": "list",
    "object": "mapping",
    "null": "null",
}
_JSON_KINDS = {str: "text", bool: "bool", int: "number", float: "number", type(None): "null"}

ALL_KINDS = frozenset(_KINDS.values())


@dataclass(frozen=True)
class FieldShape:
    """What a field may hold.

    `kinds` are those of conditions (bool, number, text, list, mapping, null). `choices` are the only values where
    they are listed, else None. `low` / `high` bound numbers; an open bound excludes itself.
    """

    kinds: frozenset[str] = ALL_KINDS
    choices: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    most_items: int | None = None

    def __str__(self) -> str:
        if self.choices is not None:
            return f"one of {', '.join(repr(choice) for choice in self.choices)}"
        if self.kinds == ALL_KINDS:
            return "anything"
        named = " or ".join(sorted(self.kinds))
        if self.low is None and self.high is None:
            return f"a {named}"
        lower = "" if self.low is None else f"{self.low:g} {'<' if self.low_open else '≤'} "
        upper = "" if self.high is None else f" {'<' if self.high_open else '≤'} {self.high:g}"
        return f"a {named}, {lower}x{upper}"


ANYTHING = FieldShape()


@dataclass(frozen=True, eq=False)
class CrewShape:
    """What a crew writes: its namespace, and the JSON Schema of its output."""

    crew: str
    namespace: str
    schema: Mapping[str, Any] = field(repr=False)
    gathers: bool = False
    """Whether it is what a foreach without `merge` leaves."""
    _known: dict[str, FieldShape | None] = field(default_factory=dict, repr=False)

    def field(self, path: str) -> FieldShape | None:
        """The shape of the field at a path inside the namespace; None where the crew gives no such field."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def _find(self, path: str) -> FieldShape | None:
        places: list[Mapping[str, Any]] = [self.schema]
        for part in path.split("."):
            places = [inner for place in places for inner in self._members(place, part)]
            if not places:
                return None
        return united([self._shape(place) for place in places])

    def items(self, path: str) -> CrewShape | None:
        """The items of the list at a path, as a shape of their own; None where nothing is known of them."""
        places: list[Mapping[str, Any]] = [self.schema]
        for part in [*path.split("."), "0"]:
            places = [inner for place in places for inner in self._members(place, part)]
        return CrewShape(self.crew, path, {**places[0], "$defs": self._definitions}) if len(places) == 1 else None

    def names(self, path: str = "") -> list[str]:
        """Names of the members at a path, for suggestions."""
        places: list[Mapping[str, Any]] = [self.schema]
        for part in path.split(".") if path else ():
            places = [inner for place in places for inner in self._members(place, part)]
        found = {name for place in places for each in self._expand(place) for name in each.get("properties", ())}
        return sorted(found)

    @property
    def _definitions(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("$defs", {})
        return found

    def _expand(self, place: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The alternatives a schema stands for, references followed; a reference to itself adds nothing."""
        found: list[Mapping[str, Any]] = []
        followed: set[str] = set()
        pending = [place]
        while pending:
            current = pending.pop()
            reference = str(current.get("$ref", ""))
            if reference:
                if reference not in followed:
                    followed.add(reference)
                    pending.append(self._definitions.get(reference.rpartition("/")[2], {}))
                continue
            alternatives = current.get("anyOf") or current.get("oneOf") or current.get("allOf")
            if alternatives:
                pending.extend(reversed(alternatives))
            else:
                found.append(current)
        return found

    def _members(self, place: Mapping[str, Any], part: str) -> Iterable[Mapping[str, Any]]:
        for schema in self._expand(place):
            kind = schema.get("type")
            if kind == "object" or "properties" in schema:
                more = schema.get("additionalProperties", False)
                if part in schema.get("properties", {}):
                    yield schema["properties"][part]
                elif more:
                    yield more if isinstance(more, Mapping) else {}
            elif kind == "array" and part.isdigit():
                yield _item(schema, int(part))
            elif kind is None and "enum" not in schema and "const" not in schema:
                yield {}

    def _shape(self, place: Mapping[str, Any]) -> FieldShape:
        return united([_plain_shape(schema) for schema in self._expand(place)])


def shape_of(crew: str, namespace: str, output: type[BaseModel]) -> CrewShape:
    """The shape of a crew whose output is the given model."""
    return CrewShape(crew, namespace, output.model_json_schema(mode="serialization"))


def gathered(shape: CrewShape) -> CrewShape:
    """What a foreach without `merge` leaves in the namespace: all outputs in item order, and how many there are."""
    count = {"type": "integer", "minimum": 0}
    outputs = {key: value for key, value in shape.schema.items() if key != "$defs"}
    properties = {"items": {"type": "array", "items": outputs}, "count": count, "failed": count, "skipped": count}
    schema = {"type": "object", "properties": properties, "$defs": shape.schema.get("$defs", {})}
    return CrewShape(shape.crew, shape.namespace, schema, gathers=True)


def _item(schema: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    first = schema.get("prefixItems", ())
    found: Mapping[str, Any] = first[index] if index < len(first) else schema.get("items") or {}
    return found


def _plain_shape(schema: Mapping[str, Any]) -> FieldShape:
    """The shape of a schema without references and alternatives."""
    choices = (schema["const"],) if "const" in schema else schema.get("enum")
    if choices is not None:
        kinds = frozenset(_JSON_KINDS.get(type(choice), "mapping") for choice in choices)
        return FieldShape(kinds, tuple(choices))
    written = schema.get("type")
    if written is None:
        return ANYTHING
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return FieldShape(
        kinds=frozenset({_KINDS[written]}),
        low=above if above is not None else low,
        high=below if below is not None else high,
        low_open=above is not None,
        high_open=below is not None,
        most_items=schema.get("maxItems"),
    )


def united(shapes: Sequence[FieldShape]) -> FieldShape:
    """What holds for every alternative: all their kinds, and a bound only where each number has one."""
    if len(shapes) == 1:
        return shapes[0]
    numbers = [shape for shape in shapes if "number" in shape.kinds]
    low, low_open = _outermost([(shape.low, shape.low_open) for shape in numbers], sign=-1)
    high, high_open = _outermost([(shape.high, shape.high_open) for shape in numbers], sign=1)
    listed = [_choices(shape) for shape in shapes]
    sizes = [shape.most_items for shape in shapes if "list" in shape.kinds]
    known_sizes = [size for size in sizes if size is not None]
    return FieldShape(
        kinds=frozenset(kind for shape in shapes for kind in shape.kinds),
        choices=None if None in listed else tuple(choice for each in listed for choice in each or ()),
        low=low,
        high=high,
        low_open=low_open,
        high_open=high_open,
        most_items=max(known_sizes) if sizes and len(known_sizes) == len(sizes) else None,
    )


def _outermost(bounds: Sequence[tuple[float | None, bool]], *, sign: int) -> tuple[float | None, bool]:
    """The bound furthest out, in the direction of `sign`; none where one of them is missing."""
    known = [(bound, is_open) for bound, is_open in bounds if bound is not None]
    if not known or len(known) < len(bounds):
        return None, False
    return max(known, key=lambda entry: (sign * entry[0], not entry[1]))


def _choices(shape: FieldShape) -> tuple[Any, ...] | None:
    return (None,) if shape.kinds == {"null"} else shape.choices
