"""Decides whether a condition holds for the data of a run, and says why in words a person can check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from zts_core.workflow.comparing import compare, shown
from zts_core.workflow.model import All, Any_, Condition, Leaf, Not


class Missing(Enum):
    """The one value that stands for "there is no such field", because `null` is a value of its own."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Facts = Mapping[str, Any] | Callable[[str], Any]
"""Values by field path (`validation.confidence`): a mapping, or a function that returns `MISSING`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, and the comparison that decided it."""

    holds: bool
    explanation: str


def holds(condition: Condition, facts: Facts) -> Verdict:
    """Judge one condition; never raises, whatever the data holds.

    A missing field makes every comparison false, `!=` and `not_in` too; only `exists` looks at it. Values of
    different kinds are never equal, unequal or ordered; `true` is no number.
    """
    match condition:
        case All():
            return _all_hold(condition.all, facts)
        case Any_():
            return _any_holds(condition.any, facts)
        case Not():
            inner = holds(condition.not_, facts)
            return Verdict(not inner.holds, f"{inner.explanation}{', and must not' if inner.holds else ''}")
        case Leaf():
            return _leaf_holds(condition, read(facts, condition.field))


def first_failing(conditions: Iterable[Condition], facts: Facts) -> tuple[Condition, Verdict] | None:
    """The first entry of an ANDed list that does not hold, with its verdict; None where all hold."""
    for condition in conditions:
        verdict = holds(condition, facts)
        if not verdict.holds:
            return condition, verdict
    return None


def fields_of(condition: Condition) -> set[str]:
    """Paths of all fields the condition reads."""
    return {leaf.field for leaf in leaves_of(condition)}


def leaves_of(condition: Condition) -> Iterable[Leaf]:
    """The comparisons a condition consists of, in the order they are written."""
    match condition:
        case All():
            children: Sequence[Condition] = condition.all
        case Any_():
            children = condition.any
        case Not():
            children = (condition.not_,)
        case Leaf():
            yield condition
            return
    for child in children:
        yield from leaves_of(child)


def read(facts: Facts, field: str) -> Any:
    """The value at a field path, or `MISSING`."""
    return facts(field) if callable(facts) else facts.get(field, MISSING)


def facts_from(data: Mapping[str, Any]) -> Callable[[str], Any]:
    """Facts over nested data, outputs by namespace; a number in a path (`graph.tasks.0`) counts into a list."""
    return lambda field: lookup(data, field)


def lookup(value: Any, path: str) -> Any:
    """The value at a dotted path of mappings and list indexes; `MISSING` where there is none."""
    for part in path.split("."):
        value = _member(value, part)
        if value is MISSING:
            break
    return value


def _member(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part, MISSING)
    if isinstance(value, (list, tuple)) and part.isascii() and part.isdigit() and len(part) < 10:
        return value[int(part)] if int(part) < len(value) else MISSING
    return MISSING


def _all_hold(children: Sequence[Condition], facts: Facts) -> Verdict:
    verdicts = []
    for child in children:
        verdict = holds(child, facts)
        if not verdict.holds:
            return verdict
        verdicts.append(verdict.explanation)
    return Verdict(True, " and ".join(verdicts))


def _any_holds(children: Sequence[Condition], facts: Facts) -> Verdict:
    verdicts = []
    for child in children:
        verdict = holds(child, facts)
        if verdict.holds:
            return verdict
        verdicts.append(verdict.explanation)
    return Verdict(False, " and ".join(verdicts))


_PHRASES: Final[Mapping[str, tuple[str, str]]] = {
    "not_in": ("is not in", "is in"),
    "contains": ("contains", "does not contain"),
    "matches": ("matches", "does not match"),
}


def _leaf_holds(leaf: Leaf, found: Any) -> Verdict:
    if leaf.operator == "exists":
        return _exists(leaf, found)
    if found is MISSING:
        return Verdict(False, f"{leaf.field} is missing, so it {_unmet(leaf)} {shown(leaf.value)}")
    verdict, aside = compare(found, leaf.operator, leaf.value)
    positive, negative = _PHRASES.get(leaf.operator, (f"is {leaf.operator}", f"is not {leaf.operator}"))
    if aside and not verdict:
        negative = _unmet(leaf)
    said = f"{leaf.field} = {shown(found)} {positive if verdict else negative} {shown(leaf.value)}"
    return Verdict(verdict, f"{said} ({aside})" if aside else said)


def _unmet(leaf: Leaf) -> str:
    if leaf.operator == "not_in":
        return "does not count as not in"
    return _PHRASES.get(leaf.operator, ("", f"is not {leaf.operator}"))[1]


def _exists(leaf: Leaf, found: Any) -> Verdict:
    present = found is not MISSING and found is not None
    wanted = leaf.value is not False
    if found is None:
        state = "is null, which counts as missing"
    else:
        state = f"exists ({shown(found)})" if present else "is missing"
    must = "" if present == wanted else ", and must exist" if wanted else ", and must not"
    return Verdict(present == wanted, f"{leaf.field} {state}{must}")
