"""Decides how values go into FalkorDB's query text and come back: its compact answers name types and ids by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Names = Callable[[str, int], str]
"""Gives the name behind a number of one of the procedures `labels`, `relationshipTypes`, `propertyKeys`."""


def with_parameters(cypher: str, parameters: Mapping[str, Any]) -> str:
    """A query behind its parameters, as `CYPHER name=value ...` (FalkorDB documentation, parametrized queries)."""
    if not parameters:
        return cypher
    told = " ".join(f"{name}={literal(value)}" for name, value in parameters.items())
    return f"CYPHER {told} {cypher}"


def literal(value: Any) -> str:
    """A value as Cypher writes it; ValueError where Cypher has no word for it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_name(key)}:{literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(literal, value)) + "]"
    raise ValueError(f"a graph cannot hold {type(value).__name__}")


def _quoted(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a graph cannot hold a NUL character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _name(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else "`" + name.replace("`", "") + "`"


def decoded(cell: Sequence[Any], names: Names) -> Any:
    """A value of a compact answer, `[type, value]`, as plain JSON data (FalkorDB documentation, client spec)."""
    kind, value = cell
    return _DECODERS[kind](value, names) if kind in _DECODERS else value


def _node(value: Sequence[Any], names: Names) -> dict[str, Any]:
    _, labels, properties = value
    return {"labels": sorted(names("labels", number) for number in labels), **_properties(properties, names)}


def _edge(value: Sequence[Any], names: Names) -> dict[str, Any]:
    return {"type": names("relationshipTypes", value[1]), **_properties(value[4], names)}


def _path(value: Sequence[Any], names: Names) -> dict[str, Any]:
    nodes, edges = (decoded(part, names) for part in value)
    return {"nodes": nodes, "relationships": [edge["type"] for edge in edges]}


def _properties(properties: Sequence[Any], names: Names) -> dict[str, Any]:
    return {names("propertyKeys", number): decoded(cell, names) for number, *cell in properties}


def _map(value: Sequence[Any], names: Names) -> dict[str, Any]:
    return {str(key): decoded(cell, names) for key, cell in zip(value[::2], value[1::2], strict=True)}


_DECODERS: Mapping[int, Callable[[Any, Names], Any]] = {
    1: lambda _value, _names: None,
    3: lambda value, _names: int(value),
    4: lambda value, _names: value in ("true", b"true", True),
    5: lambda value, _names: float(value),
    6: lambda value, names: [decoded(cell, names) for cell in value],
    7: _edge,
    8: _node,
    9: _path,
    10: _map,
}
