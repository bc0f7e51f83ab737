"""Decides how a file's descent is told: the step that made it, all that step used, and so on, back to the idea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zts_core.graph.asking import MOST_ROWS, ask
from zts_core.graph.flowchart import Flowchart
from zts_core.graph.port import ResultGraph, Table

MOST_GENERATIONS = 200
_COLUMNS = ("generation", "what", "state", "crew", "attempts", "at_ms", "reused")


@dataclass(slots=True)
class Lineage:
    """Descent; `steps` are [generation, id, state, crew, attempts, at_ms, reused from], `used` pairs of ids."""

    path: str
    run: str
    maker: str
    at_ms: int | None
    steps: list[Sequence[Any]] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    idea: Sequence[Any] = ()

    def table(self) -> Table:
        """From the file, generation by generation, to the idea."""
        rows: list[Sequence[Any]] = [[0, f"file {self.path}", "", "", None, self.at_ms, None]]
        rows += [[generation, f"step {step_id}", *rest] for generation, step_id, *rest in self.steps]
        if self.idea:
            idea, title, created_ms = self.idea
            last = self.steps[-1][0] if self.steps else 0
            rows.append([last + 1, f"idea {idea[:12]}", title, f"run {self.run}", None, created_ms, None])
        return Table(_COLUMNS, rows)

    def chart(self) -> str:
        """A Mermaid flowchart from the idea to the file."""
        chart = Flowchart()
        if self.idea:
            chart.box("idea", self.idea[1], f"run {self.run}", shape="([])")
        for _, step_id, state, crew, _, _, reused in reversed(self.steps):
            chart.box(step_id, state, crew, f"from {reused}" if reused else "", status="reused" if reused else "done")
        chart.box("file", self.path, shape="[()]")
        users = {user for user, _ in self.used}
        for _, step_id, *_ in reversed(self.steps):
            if step_id not in users:
                chart.arrow("idea", step_id)
        for user, used in self.used:
            chart.arrow(used, user)
        chart.arrow(self.maker, "file")
        return str(chart)


def lineage(graph: ResultGraph, *, digest: str = "", file_path: str = "") -> Lineage | None:
    """By a content's SHA-256, or by the path under which a step left it; None where no run left such a file."""
    if digest:
        makers = ask(graph, "runs_of_file", limit=1, digest=digest).rows
    else:
        makers = ask(graph, "runs_of_path", limit=1, path=file_path).rows
    if not makers:
        return None
    maker, run, path, at_ms = makers[0]
    found = Lineage(path, run, maker, at_ms)
    _trace(graph, found)
    found.idea = next(iter(ask(graph, "idea_of_run", limit=1, run=run).rows), ())
    return found


def _trace(graph: ResultGraph, found: Lineage) -> None:
    """All that the maker used, and what that used, each step once, in the generation in which it is met first."""
    known: set[str] = set()
    step_ids = [found.maker]
    for generation in range(1, MOST_GENERATIONS + 1):
        known.update(step_ids)
        found.steps += [[generation, *row] for row in ask(graph, "steps", ids=step_ids).rows]
        pairs = [(user, used) for user, used in ask(graph, "used", limit=MOST_ROWS, ids=step_ids).rows]
        found.used += pairs
        step_ids = list(dict.fromkeys(used for _, used in pairs if used not in known))
        if not step_ids:
            return
