"""Decides how two values compare: what kind each is, whether they are the same, and which come first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zts_core.workflow.patterns import pattern_problem, search

SHOWN = 80
"""Characters of a value that an explanation shows."""


def compare(found: Any, operator: str, value: Any) -> tuple[bool, str]:
    """Whether `found operator value` holds, and an aside where the two do not fit together."""
    match operator:
        case "==" | "!=":
            return _equality(found, operator, value)
        case "in" | "not_in":
            return _membership(found, operator, value)
        case "contains":
            return _contains(found, value)
        case "matches":
            return _matches(found, value)
        case _:
            return _order(found, operator, value)


def same(left: Any, right: Any) -> bool:
    """Equality as JSON has it: 1 is 1.0, but never true; lists and mappings are compared member by member."""
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "list":
        left, right = list(left), list(right)
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if kind == "mapping":
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def _equality(found: Any, operator: str, value: Any) -> tuple[bool, str]:
    kinds = {kind_of(found), kind_of(value)}
    if len(kinds) == 2 and "null" not in kinds:
        return False, _unlike(found, value)
    return same(found, value) == (operator == "=="), ""


def _membership(found: Any, operator: str, value: Any) -> tuple[bool, str]:
    if kind_of(value) != "list":
        return False, f"a {kind_of(value)} is no list to look in"
    return any(same(found, item) for item in value) == (operator == "in"), ""


def _contains(found: Any, value: Any) -> tuple[bool, str]:
    match kind_of(found), kind_of(value):
        case "list", _:
            return any(same(item, value) for item in found), ""
        case "text", "text":
            return value in found, ""
        case "mapping", "text":
            return value in found, ""
        case kind, other:
            return False, f"a {kind} holds no {other}"


def _matches(found: Any, value: Any) -> tuple[bool, str]:
    if not (isinstance(found, str) and isinstance(value, str)):
        return False, "only text is matched, with a pattern that is text"
    refused = pattern_problem(value)
    if refused:
        return False, f"the pattern {refused}"
    result = search(value, found)
    cut = result.searched < len(found)
    return result.found, f"searched in the first {result.searched} of {len(found)} characters" if cut else ""


def _order(found: Any, operator: str, value: Any) -> tuple[bool, str]:
    kind = kind_of(found)
    if kind != kind_of(value):
        return False, _unlike(found, value)
    if kind not in ("number", "text"):
        return False, f"a {kind} has no order"
    match operator:
        case ">":
            return bool(found > value), ""
        case ">=":
            return bool(found >= value), ""
        case "<":
            return bool(found < value), ""
        case _:
            return bool(found <= value), ""


def _unlike(found: Any, value: Any) -> str:
    return f"a {kind_of(found)} is not compared with a {kind_of(value)}"


def kind_of(value: Any) -> str:
    """What a value is to the language: bool, number, text, list, mapping or null."""
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, (list, tuple, set, frozenset)) else type(value).__name__


def shown(value: Any) -> str:
    """A value as JSON, cut to `SHOWN` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
