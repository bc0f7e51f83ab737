"""Decides what the feed and the questions need of a graph, and what they hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = Mapping[str, Any]

KINDS = (
    "ideas",
    "projects",
    "workflows",
    "runs_begun",
    "runs",
    "steps_begun",
    "steps_asked",
    "steps",
    "attempts",
    "decisions",
    "artifacts",
    "tasks",
    "findings",
    "came_from",
    "replays",
    "next",
    "used",
    "reuses",
    "made",
    "led_to_decision",
    "led_to_step",
    "escalated_to",
    "depends_on",
)
"""The statements that write, in the order in which they run; each takes `$rows`. See `cypher/write.cypher`."""


class Changes:
    """Rows for the statements of KINDS. A row with the same key replaces or completes the earlier one."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, dict[str, Any]]] = {}

    def node(self, kind: str, key: str, props: Row, *, line: int = 0, **joined: Any) -> None:
        """Set properties of a node and join it to others, by their ids.

        `line` is the place in the ledger that says so; what a later one said is never replaced by an earlier one.
        """
        rows = self._rows.setdefault(kind, {})
        row = rows.get(key)
        if row is None:
            rows[key] = {"id": key, "line": line, "props": {**props}, **joined}
            return
        row["line"] = max(row["line"], line)
        row["props"].update(props)
        row.update(joined)

    def edge(self, kind: str, start: str, end: str, **props: Any) -> None:
        """Join two nodes; once, however often it is said."""
        self._rows.setdefault(kind, {})[start, end, *props.values()] = {"from": start, "to": end, **props}

    def merge(self, other: Changes) -> None:
        """Take another's rows over; both must not speak of the same run."""
        for kind, rows in other._rows.items():
            mine = self._rows.setdefault(kind, {})
            for key, row in rows.items():
                if key in mine and "props" in row:
                    mine[key] = {**row, "props": {**mine[key]["props"], **row["props"]}}
                else:
                    mine[key] = row

    def by_statement(self) -> dict[str, list[Row]]:
        """Statement and rows, in the order of KINDS, without the empty ones."""
        sorted_out: dict[str, list[Row]] = {}
        for kind, rows in self._rows.items():
            if kind in _SORTED_BY_ROW:
                for row in rows.values():
                    sorted_out.setdefault(_statement(kind, row), []).append(row)
            elif rows:
                sorted_out[kind] = list(rows.values())
        return {kind: sorted_out[kind] for kind in KINDS if kind in sorted_out}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))


_SORTED_BY_ROW = ("runs", "steps")


def _statement(kind: str, row: Row) -> str:
    """Rows of a beginning join their node to others, which a statement cannot make depend on the row.

    (FalkorDB 4.16 applies a WHERE that follows a SET before it.)
    """
    if kind == "runs":
        return "runs_begun" if "idea" in row else "runs"
    if "run" in row:
        return "steps_begun" if row["crew"] else "steps_asked"
    return kind


@dataclass(frozen=True, slots=True)
class Table:
    """An answer: rows of plain data (nodes and relationships as mappings), `more` where it was cut."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    more: bool = False


class ResultGraph(Protocol):
    """A graph that holds results.

    Every call is bounded in time and raises ServiceUnavailable where the graph does not do its part, and GraphRefused
    where it does not take what it was given.
    """

    @property
    def place(self) -> str:
        """Which graph this is, for people; never with a password."""

    def prepare(self) -> None:
        """Bring constraints and indexes up to date; once per process."""

    def write(self, changes: Changes) -> None:
        """Write a batch, all of it or, where the graph knows no rollback, so that writing it again mends it."""

    def forget(self, run_ids: Sequence[str]) -> None:
        """Remove these runs with everything that is theirs alone."""

    def ask(self, cypher: str, parameters: Row, *, limit: int) -> Table:
        """Answer a query that only reads, with at most `limit` rows."""

    def close(self) -> None:
        """Give the connections back."""
