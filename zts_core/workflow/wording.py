"""Decides how conditions and what follows from them are put into words, in trees and in diagrams."""

from __future__ import annotations

from zts_core.workflow.comparing import shown
from zts_core.workflow.model import All, Any_, Condition, Conditions, EscalateTo, Leaf, Not, OnFail


def in_words(condition: Condition) -> str:
    """A condition on one line: `validation.confidence > 0.8`."""
    match condition:
        case All():
            return " and ".join(_inner(child) for child in condition.all)
        case Any_():
            return " or ".join(_inner(child) for child in condition.any)
        case Not():
            return f"not ({in_words(condition.not_)})"
        case Leaf(operator="exists"):
            return f"{condition.field} {'is missing' if condition.value is False else 'exists'}"
        case Leaf():
            return f"{condition.field} {condition.operator.replace('_', ' ')} {shown(condition.value)}"


def all_in_words(conditions: Conditions, joint: str = " and ") -> str:
    """A list of conditions on one line."""
    if len(conditions) == 1:
        return in_words(conditions[0])
    return joint.join(_inner(condition) for condition in conditions)


def consequence(choice: OnFail | str) -> str:
    """What a false condition, a break or an exhausted loop leads to."""
    if isinstance(choice, EscalateTo):
        return f"escalate to {choice.escalate_to}"
    return {"stop": "stop as rejected", "reject": "reject", "fail": "fail"}.get(choice, choice)


def _inner(condition: Condition) -> str:
    """A part of a longer condition, in brackets where it would be read wrongly."""
    text = in_words(condition)
    many = isinstance(condition, All | Any_) and len(_children(condition)) > 1
    return f"({text})" if many else text


def _children(condition: All | Any_) -> Conditions:
    return condition.all if isinstance(condition, All) else condition.any
