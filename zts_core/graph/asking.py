"""Decides how a named question reaches a graph."""

from __future__ import annotations

from typing import Any

from zts_core.graph.port import ResultGraph, Table
from zts_core.graph.statements import statements

MOST_ROWS = 1000


def ask(graph: ResultGraph, name: str, *, limit: int = MOST_ROWS, **parameters: Any) -> Table:
    """The answer to a question of `questions.cypher`."""
    return graph.ask(statements("questions")[name], parameters, limit=limit)
