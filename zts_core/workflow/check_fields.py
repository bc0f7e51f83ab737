"""Decides whether one comparison makes sense for the field it reads: operator, value, and what it can still decide."""

from __future__ import annotations

from dataclasses import dataclass

from zts_core.workflow import codes
from zts_core.workflow.closest import suggestion
from zts_core.workflow.codes import Code
from zts_core.workflow.comparing import compare, kind_of, shown
from zts_core.workflow.model import Leaf
from zts_core.workflow.patterns import pattern_problem
from zts_core.workflow.shapes import ALL_KINDS, FieldShape

_ORDERS = (">", ">=", "<", "<=")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a comparison."""

    code: Code
    message: str
    cure: str


def judge(leaf: Leaf, shape: FieldShape) -> Finding | None:
    """What is wrong with a comparison of a field of this shape; None where nothing is."""
    return _misfit(leaf, shape) or _constant(leaf, shape)


def judge_value(leaf: Leaf) -> Finding | None:
    """What is wrong with a comparison whatever its field is: a list, a pattern or a bool that it needs."""
    operator, value, kind = leaf.operator, leaf.value, kind_of(leaf.value)
    if operator in ("in", "not_in") and kind != "list":
        return _value(f"`{operator}` looks in a list, and {shown(value)} is a {kind}", "write [one, two]")
    if operator == "exists" and value is not None and kind != "bool":
        return _value(f"`exists` takes true or false, not {shown(value)}", "write true, or no value")
    if operator in _ORDERS and kind not in ("number", "text"):
        return _value(f"`{operator}` needs a number or text, and {shown(value)} is a {kind}", "write one")
    if operator == "matches":
        if not isinstance(value, str):
            return _value(f"`matches` needs a pattern, and {shown(value)} is a {kind}", "write text")
        refused = pattern_problem(value)
        if refused:
            return Finding(codes.BAD_PATTERN, f"the pattern {shown(value)} {refused}", "write a simpler one")
    return None


def _misfit(leaf: Leaf, shape: FieldShape) -> Finding | None:
    kinds = shape.kinds - {"null"}
    match leaf.operator:
        case "exists":
            return None
        case ">" | ">=" | "<" | "<=":
            return _needs(leaf, shape, {"number", "text"}) or _same_kind(leaf, shape)
        case "matches":
            return _needs(leaf, shape, {"text"})
        case "contains":
            found = _needs(leaf, shape, {"text", "list", "mapping"})
            if found is None and kinds <= {"text", "mapping"} and not isinstance(leaf.value, str):
                message = f"{leaf.field} is {shape} and can only contain text, not {shown(leaf.value)}"
                return _value(message, "write text")
            return found
        case "in" | "not_in":
            strange = [item for item in leaf.value if kind_of(item) not in shape.kinds]
            if strange:
                listed = ", ".join(shown(item) for item in strange[:3])
                return _value(f"{leaf.field} is {shape}, never {listed}", "remove it from the list")
            return None
        case _:
            return None if leaf.value is None and "null" in shape.kinds else _same_kind(leaf, shape)


def _needs(leaf: Leaf, shape: FieldShape, kinds: set[str]) -> Finding | None:
    if shape.kinds & kinds:
        return None
    message = f"`{leaf.operator}` does not fit {leaf.field}, which is {shape}"
    fitting = "== or != or in" if "bool" in shape.kinds or "text" in shape.kinds else "one that fits"
    return Finding(codes.OPERATOR_MISFIT, message, f"use {fitting}")


def _same_kind(leaf: Leaf, shape: FieldShape) -> Finding | None:
    kind = kind_of(leaf.value)
    if kind in shape.kinds:
        return None
    message = f"{leaf.field} is {shape}, and {shown(leaf.value)} is a {kind}"
    if kind == "text" and "bool" in shape.kinds and str(leaf.value).lower() in ("true", "false", "yes", "no"):
        return _value(message, f"write {str(leaf.value).lower()} without quotes")
    return _value(message, f"compare it with a {' or '.join(sorted(shape.kinds - {'null'})) or 'null'}")


def _value(message: str, cure: str) -> Finding:
    return Finding(codes.VALUE_MISFIT, message, cure)


def _constant(leaf: Leaf, shape: FieldShape) -> Finding | None:
    """Whether the comparison gives the same answer for every value the field can have."""
    if leaf.operator == "exists" or shape.kinds == ALL_KINDS:
        return None
    can_hold, can_fail = _answers(leaf, shape)
    if not can_hold:
        message = f"{leaf.field} is {shape}, so `{leaf.operator} {shown(leaf.value)}` can never hold"
        return Finding(codes.NEVER_HOLDS, message, _nearer(leaf, shape))
    if not can_fail:
        message = f"{leaf.field} is {shape}, so `{leaf.operator} {shown(leaf.value)}` holds whenever it is there"
        return Finding(codes.ALWAYS_HOLDS, message, "compare with another value, or use `exists`")
    return None


def _nearer(leaf: Leaf, shape: FieldShape) -> str:
    choices = [str(choice) for choice in shape.choices or () if isinstance(choice, str)]
    return suggestion(str(leaf.value), choices, otherwise="compare with a value it can have")


def _answers(leaf: Leaf, shape: FieldShape) -> tuple[bool, bool]:
    """Whether some value makes the comparison hold, and whether some value makes it fail."""
    if shape.choices is not None:
        answers = {compare(choice, leaf.operator, leaf.value)[0] for choice in shape.choices}
        return True in answers, False in answers
    if leaf.operator == "in" and not leaf.value:
        return False, True
    if leaf.operator == "not_in" and not leaf.value:
        return True, False
    if shape.kinds - {"null"} != {"number"}:
        return True, True
    may_be_null = "null" in shape.kinds
    match leaf.operator:
        case "==":
            return leaf.value is None or _inside(leaf.value, shape), True
        case "!=":
            return True, leaf.value is None or _inside(leaf.value, shape)
        case "in":
            return any(item is None or _inside(item, shape) for item in leaf.value), True
        case "not_in":
            return True, any(item is None or _inside(item, shape) for item in leaf.value)
        case operator if operator in _ORDERS:
            can_hold, can_fail = _order_answers(operator, leaf.value, shape)
            return can_hold, can_fail or may_be_null
        case _:
            return True, True


def _inside(value: float, shape: FieldShape) -> bool:
    above = shape.low is None or value > shape.low or (value == shape.low and not shape.low_open)
    below = shape.high is None or value < shape.high or (value == shape.high and not shape.high_open)
    return above and below


def _order_answers(operator: str, value: float, shape: FieldShape) -> tuple[bool, bool]:
    greater = shape.high is None or shape.high > value
    less = shape.low is None or shape.low < value
    equal = _inside(value, shape)
    return {
        ">": (greater, less or equal),
        ">=": (greater or equal, less),
        "<": (less, greater or equal),
        "<=": (less or equal, greater),
    }[operator]
