"""Decides what the named questions about many runs ask a graph."""

from __future__ import annotations

from zts_core.graph.asking import MOST_ROWS, ask
from zts_core.graph.port import ResultGraph, Table
from zts_core.likeness import words


def failures(graph: ResultGraph, *, since_ms: int, limit: int) -> Table:
    """Attempts that failed or were lost since then, the newest first."""
    return ask(graph, "failures", limit=limit, since=since_ms)


def crews(graph: ResultGraph, *, limit: int = MOST_ROWS) -> Table:
    """Per crew: steps, how many succeeded, retries, seconds and cost."""
    return ask(graph, "crews", limit=limit)


def similar(graph: ResultGraph, idea: str, *, limit: int) -> Table:
    """Runs of ideas that share words with this one, the most alike first."""
    return ask(graph, "similar", limit=limit, words=words(idea))


def slowest(graph: ResultGraph, *, since_ms: int, limit: int) -> Table:
    """Steps of runs since then that took longest."""
    return ask(graph, "slowest", limit=limit, since=since_ms)
