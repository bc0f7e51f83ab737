"""Decides how many steps and how much time the shortest and the longest way through a workflow take."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from zts_core.workflow.model import Approval, Call, EscalateTo, Foreach, Loop, Parallel, Step, Terminal
from zts_core.workflow.walk import Placed
from zts_core.workflow.writes import WriteTable


@dataclass(frozen=True, slots=True)
class Reach:
    """Fewest and most steps, and the most seconds without retries, to a place.

    `fewest` is inf where no way leads there, or only one that turns the run down.
    """

    fewest: float = inf
    most: float = -inf
    seconds: float = -inf

    def then(self, other: Reach) -> Reach:
        """This way and then the other."""
        return Reach(self.fewest + other.fewest, self.most + other.most, self.seconds + other.seconds)

    def beside(self, other: Reach) -> Reach:
        """Both ways at once."""
        return Reach(self.fewest + other.fewest, self.most + other.most, max(self.seconds, other.seconds))

    def otherwise(self, other: Reach) -> Reach:
        """Either way."""
        most, seconds = max(self.most, other.most), max(self.seconds, other.seconds)
        return Reach(min(self.fewest, other.fewest), most, seconds)

    def times(self, fewest: int, most: int) -> Reach:
        """This way again and again, at least once."""
        return Reach(self.fewest * fewest, self.most * most, self.seconds * most)

    @property
    def without_success(self) -> Reach:
        """This way, leading to an end that no shortest path counts."""
        return Reach(inf, self.most, self.seconds)

    @property
    def is_met(self) -> bool:
        """Whether any way leads here."""
        return self.fewest != inf


NOWHERE = Reach()
AT_ONCE = Reach(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """How far it is through a node to what follows it, and to an end of the run inside it."""

    through: Reach
    out: Reach = NOWHERE

    @property
    def either(self) -> Reach:
        """To whatever comes first."""
        return self.through.otherwise(self.out)


@dataclass
class Spans:
    """The spans of a library's workflows and their nodes; worked out once for each."""

    table: WriteTable
    _workflows: dict[str, Span] = field(default_factory=dict)
    _nodes: dict[str, Span] = field(default_factory=dict)

    def of_workflow(self, name: str) -> Span:
        """To the end of a workflow, or out of it; one that leads back to itself has no end of its own."""
        if name not in self._workflows:
            self._workflows[name] = Span(NOWHERE)
            # One that is unknown takes no step; it is complained about elsewhere.
            self._workflows[name] = self.sequence(self.table.places.top(name))
        return self._workflows[name]

    def of(self, place: Placed) -> Span:
        """Through one node, its door included."""
        if place.path not in self._nodes:
            self._nodes[place.path] = self._at_the_door(place, self._inside(place))
        return self._nodes[place.path]

    def sequence(self, places: list[Placed]) -> Span:
        """Through nodes one after the other."""
        through, out = AT_ONCE, NOWHERE
        for place in places:
            span = self.of(place)
            out = out.otherwise(through.then(span.out))
            through = through.then(span.through)
        return Span(through, out)

    def _at_the_door(self, place: Placed, inside: Span) -> Span:
        through, out = inside.through, inside.out
        for condition in place.conditions:
            on_fail = place.on_fail(condition)
            if on_fail == "skip":
                through = through.otherwise(AT_ONCE)
            elif isinstance(on_fail, EscalateTo):
                out = out.otherwise(self.of_workflow(on_fail.escalate_to).either)
        return Span(through, out)

    def _inside(self, place: Placed) -> Span:
        match place.node:
            case Step():
                return Span(Reach(1, 1, place.node.timeout))
            case Terminal():
                return Span(NOWHERE, AT_ONCE if place.node.state == "COMPLETED" else AT_ONCE.without_success)
            case Approval():
                seconds = place.node.approval.timeout or 0
                return Span(Reach(0, 0, seconds))
            case Call():
                called = self.of_workflow(place.node.call.workflow)
                return Span(called.either)
            case Parallel():
                return self._parallel(place)
            case Foreach():
                return self._foreach(place, place.node)
            case Loop():
                return self._loop(place, place.node)
            case _:
                return self.sequence(place.children)

    def _parallel(self, place: Placed) -> Span:
        """A branch that ends the run is heard at the join, so that all branches count."""
        through, either, out = AT_ONCE, AT_ONCE, NOWHERE
        for child in place.children:
            span = self.of(child)
            out = out.beside(span.either).otherwise(either.beside(span.out))
            either = either.beside(span.either)
            through = through.beside(span.through)
        return Span(through, out)

    def _foreach(self, place: Placed, node: Foreach) -> Span:
        """An empty list is the shortest way; how long the longest is, only a bounded list tells."""
        over = self.table.anywhere(place.path.partition("/")[0]).field(node.foreach.over)
        most = over.most_items if over is not None and over.most_items is not None else 1
        once = self.of(place.children[0]).through
        at_a_time = min(node.foreach.max_parallel or most, most) or 1
        return Span(Reach(0, once.most * most, once.seconds * -(-most // at_a_time)))

    def _loop(self, place: Placed, node: Loop) -> Span:
        body, once = node.loop, self.sequence(place.children)
        full = body.max_iterations
        used_up = once.through.times(full, full)
        out = once.out.otherwise(used_up.without_success)
        if full > 1:
            out = out.otherwise(once.through.times(1, full - 1).then(once.out))
        through = NOWHERE
        if any(condition.then == "continue" for condition in body.break_conditions):
            through = once.through.times(1, full)
        if body.on_exhausted == "continue":
            through = through.otherwise(used_up)
        elif isinstance(body.on_exhausted, EscalateTo):
            out = out.otherwise(used_up.then(self.of_workflow(body.on_exhausted.escalate_to).either))
        return Span(through, out)
