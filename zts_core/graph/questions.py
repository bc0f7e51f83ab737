"""Decides what the named questions ask a graph, and how their answers are laid out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zts_core.graph.port import ResultGraph, Table
from zts_core.graph.statements import statements
from zts_core.likeness import words

MOST_ROWS = 1000
MOST_GENERATIONS = 200


def failures(graph: ResultGraph, *, since_ms: int, limit: int) -> Table:
    """Attempts that failed or were lost since then, the newest first."""
    return _ask(graph, "failures", limit=limit, since=since_ms)


def crews(graph: ResultGraph, *, limit: int = MOST_ROWS) -> Table:
    """Per crew: steps, how many succeeded, retries, seconds and cost."""
    return _ask(graph, "crews", limit=limit)


def similar(graph: ResultGraph, idea: str, *, limit: int) -> Table:
    """Runs of ideas that share words with this one, the most alike first."""
    return _ask(graph, "similar", limit=limit, words=words(idea))


def slowest(graph: ResultGraph, *, since_ms: int, limit: int) -> Table:
    """Steps of runs since then that took longest."""
    return _ask(graph, "slowest", limit=limit, since=since_ms)


def path(graph: ResultGraph, run_id: str) -> Table:
    """What a run did, in order: its steps, and between them the decisions."""
    steps = _ask(graph, "path_steps", limit=100_000, run=run_id).rows
    decisions = _ask(graph, "path_decisions", limit=100_000, run=run_id).rows
    lines: list[tuple[int, int, list[Any]]] = []
    for at_ms, seq, state, crew, status, attempts, seconds, error in steps:
        lines.append((at_ms or 0, 1, [at_ms, f"step {seq}", state, crew, status, attempts, seconds, error]))
    for at_ms, kind, state, then, reason in decisions:
        lines.append((at_ms or 0, 0, [at_ms, kind, state, "", then, None, None, reason]))
    columns = ("at_ms", "what", "state", "crew", "status", "attempts", "seconds", "why")
    return Table(columns, [line for _, _, line in sorted(lines, key=lambda line: line[:2])])


def lineage(graph: ResultGraph, *, digest: str = "", file_path: str = "") -> Table:
    """What a file came from, back to the idea: the newest step that made it, all that step used, and so on.

    By its content's SHA-256, or by the path under which a step left it.
    """
    if digest:
        makers = _ask(graph, "runs_of_file", limit=1, digest=digest).rows
    else:
        makers = _ask(graph, "runs_of_path", limit=1, path=file_path).rows
    columns = ("generation", "what", "state", "crew", "attempts", "at_ms")
    if not makers:
        return Table(columns, [])
    step, run, path, at_ms = makers[0]
    rows: list[Sequence[Any]] = [[0, f"file {path}", "", "", None, at_ms]]
    known: set[str] = set()
    generation = 0
    step_ids = [step]
    while step_ids and generation < MOST_GENERATIONS:
        known.update(step_ids)
        generation += 1
        found = _ask(graph, "steps", limit=MOST_ROWS, ids=step_ids).rows
        rows += [[generation, f"step {step_id}", *rest] for step_id, *rest in found]
        step_ids = _used(graph, step_ids, known)
    for idea, title, created_ms in _ask(graph, "idea_of_run", limit=1, run=run).rows:
        rows.append([generation + 1, f"idea {idea[:12]}", title, f"run {run}", None, created_ms])
    return Table(columns, rows)


def _used(graph: ResultGraph, step_ids: Sequence[str], known: Iterable[str]) -> list[str]:
    rows = _ask(graph, "used", limit=MOST_ROWS, ids=list(step_ids)).rows
    return [step_id for (step_id,) in rows if step_id not in known]


def _ask(graph: ResultGraph, name: str, *, limit: int, **parameters: Any) -> Table:
    return graph.ask(statements("questions")[name], parameters, limit=limit)
