"""Decides what raw data is meant to be before it becomes a model: which node, which crew, which plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

TerminalState = Literal["COMPLETED", "REJECTED", "FAILED"]
TERMINAL_STATES: tuple[str, ...] = get_args(TerminalState)

_KEYED = (
    ("parallel", "Parallel"),
    ("loop", "Loop"),
    ("foreach", "Foreach"),
    ("approval", "Approval"),
    ("call", "Call"),
    ("sequence", "Sequence"),
)


def node_kind(value: Any) -> str:
    """Name of the model a raw mapping is meant to be: the one key only that node has tells."""
    if isinstance(value, BaseModel):
        return type(value).__name__
    if isinstance(value, dict):
        for key, kind in _KEYED:
            if key in value:
                return kind
        if "crew" not in value and value.get("state") in TERMINAL_STATES:
            return "Terminal"
    return "Step"


_NODE_LISTS = ("parallel", "sequence")


def with_crew(raw: Any, crew: str) -> Any:
    """`raw` nodes, not yet validated, with `crew` in each step and inner loop that names none."""
    if isinstance(raw, list | tuple):
        return [with_crew(node, crew) for node in raw]
    if not isinstance(raw, dict):
        return raw
    kind = node_kind(raw)
    if kind == "Step":
        return {"crew": crew, **raw}
    if kind == "Foreach" and isinstance(raw["foreach"], dict) and "step" in raw["foreach"]:
        return {**raw, "foreach": {**raw["foreach"], "step": with_crew(raw["foreach"]["step"], crew)}}
    if kind == "Loop" and isinstance(raw["loop"], dict):
        return {**raw, "loop": {"crew": crew, **raw["loop"]}}
    return {key: with_crew(value, crew) if key in _NODE_LISTS else value for key, value in raw.items()}


def plain(value: Any) -> Any:
    """The value as JSON data, with dates as ISO text; ValueError names what JSON cannot say."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        raise PydanticCustomError("plain", "{value} is no number that can be kept", {"value": str(value)})
    if isinstance(value, Mapping):
        return {_plain_key(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, str | int | float):
        return value
    kind = type(value).__name__
    raise PydanticCustomError("plain", "a {kind} is neither text, number, bool, list nor mapping", {"kind": kind})


def _plain_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise PydanticCustomError("plain", "the key {key} is no text", {"key": str(key)})
