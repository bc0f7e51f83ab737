"""Decides which namespaces a node may have written, and in which shape, once it has been passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from zts_core.errors import BadInput
from zts_core.workflow.check_names import edges_of
from zts_core.workflow.model import Call, Foreach, Step
from zts_core.workflow.shapes import CrewShape, FieldShape, gathered, united
from zts_core.workflow.walk import Placed, Places

ShapeOf = Callable[[str], CrewShape | None]
"""The shape of a crew by its name; None, or a `BadInput` that says why, where there is no such crew."""


@dataclass(slots=True)
class Writes:
    """Shapes by namespace. `anything` says that a crew nobody knows took part, so nothing can be ruled out."""

    shapes: dict[str, dict[CrewShape, None]] = field(default_factory=dict)
    anything: bool = False

    def add(self, other: Writes) -> None:
        """Take in what another node may have written too."""
        for namespace, shapes in other.shapes.items():
            self.shapes.setdefault(namespace, {}).update(shapes)
        self.anything = self.anything or other.anything

    def copy(self) -> Writes:
        """A set of writes of its own."""
        return Writes({namespace: dict(shapes) for namespace, shapes in self.shapes.items()}, self.anything)

    def fields(self, path: str) -> Iterator[FieldShape]:
        """Every shape that the field at a path (`namespace.inside`) may have."""
        namespace, _, inside = path.partition(".")
        for shape in self.shapes.get(namespace, {}):
            found = shape.field(inside) if inside else FieldShape(frozenset({"mapping"}))
            if found is not None:
                yield found

    def field(self, path: str) -> FieldShape | None:
        """What is known of a field; None where nobody produces it."""
        found = list(self.fields(path))
        return united(found) if found else None

    def known_fields(self) -> list[str]:
        """Paths of all fields at the top of their namespaces, for suggestions."""
        each = ((namespace, shape) for namespace, shapes in self.shapes.items() for shape in shapes)
        return sorted({f"{namespace}.{name}" for namespace, shape in each for name in shape.names()})


@dataclass
class WriteTable:
    """What each node of a library's workflows may write; worked out once for each."""

    places: Places
    shapes: ShapeOf
    broken: dict[str, str] = field(default_factory=dict)
    _crews: dict[str, CrewShape | None] = field(default_factory=dict)
    _gathered: dict[str, CrewShape | None] = field(default_factory=dict)
    _nodes: dict[str, Writes] = field(default_factory=dict)
    _workflows: dict[str, Writes] = field(default_factory=dict)

    def crew(self, name: str) -> CrewShape | None:
        """The shape of a crew; where there is none, `broken` tells why."""
        if name not in self._crews:
            try:
                self._crews[name] = self.shapes(name)
            except BadInput as error:
                self._crews[name] = None
                self.broken[name] = str(error)
        return self._crews[name]

    def of(self, place: Placed) -> Writes:
        """What passing a node may write."""
        if place.path not in self._nodes:
            self._nodes[place.path] = self._work_out(place)
        return self._nodes[place.path]

    def of_workflow(self, name: str) -> Writes:
        """What a workflow may write from its start to its end; nothing for one that calls itself meanwhile."""
        if name not in self._workflows:
            self._workflows[name] = Writes()
            self._workflows[name] = _together(self.of(place) for place in self.places.top(name))
        return self._workflows[name]

    def before(self, name: str) -> Writes:
        """What may have been written when a workflow begins: by those that escalate into it or call it."""
        sources: dict[str, list[str]] = {}
        for source in self.places.library:
            for edge in edges_of(source, self.places):
                sources.setdefault(edge.target, []).append(source)
        found: set[str] = set()
        pending = list(sources.get(name, ()))
        while pending:
            source = pending.pop()
            if source not in found:
                found.add(source)
                pending.extend(sources.get(source, ()))
        return _together(self.of_workflow(source) for source in sorted(found - {name}))

    def anywhere(self, name: str) -> Writes:
        """What may have been written at some point in a workflow."""
        return _together((self.before(name), self.of_workflow(name)))

    def _work_out(self, place: Placed) -> Writes:
        node = place.node
        if isinstance(node, Step):
            return _of_shape(self.crew(node.crew))
        if isinstance(node, Call):
            return self.of_workflow(node.call.workflow)
        if isinstance(node, Foreach) and node.foreach.merge is None:
            return _of_shape(self._list_of(node.foreach.step.crew))
        return _together(self.of(child) for child in place.children)

    def _list_of(self, crew: str) -> CrewShape | None:
        if crew not in self._gathered:
            shape = self.crew(crew)
            self._gathered[crew] = None if shape is None else gathered(shape)
        return self._gathered[crew]


def _of_shape(shape: CrewShape | None) -> Writes:
    if shape is None:
        return Writes(anything=True)
    return Writes({shape.namespace: {shape: None}})


def _together(each: Iterable[Writes]) -> Writes:
    found = Writes()
    for writes in each:
        found.add(writes)
    return found
