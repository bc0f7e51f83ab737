"""Decides which rows of a batch a graph with unique ids may create instead of merging them.

A step whose beginning is in the batch is new, and so are its first attempts and what joins it to others. Where that is
wrong, because the batch was delivered before, the graph refuses it as a whole, and it is merged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from zts_core.graph.port import Changes, Row
from zts_core.graph.statements import statements

Work = Sequence[tuple[str, Row]]
"""Statements with their parameters, in order."""

_NEW_END = {"next": "to", "used": "from"}
"""Which end of these relationships begins with them."""


def merging(changes: Changes) -> Work:
    """A batch of which anything may be there already."""
    texts = statements("write")
    return [(texts[kind], {"rows": rows}) for kind, rows in changes.by_statement().items()]


def creating(changes: Changes) -> Work | None:
    """The batch with what is new in it created; None where nothing is."""
    rows = changes.by_statement()
    begun = {row["id"] for row in rows.get("steps_begun", ())}
    if not begun:
        return None
    creates, merges = statements("create"), statements("write")
    work: list[tuple[str, Row]] = []
    for kind, new, other in _parted(rows, begun):
        if new:
            work.append((creates[kind], {"rows": new}))
        if other:
            work.append((merges[kind], {"rows": other}))
    return work


def _parted(
    rows: Mapping[str, Sequence[Row]], begun: Collection[str]
) -> Iterator[tuple[str, Sequence[Row], Sequence[Row]]]:
    """Each kind with its rows that are new and those that may not be."""
    attempts = _first_attempts(rows.get("attempts", ()), begun)
    for kind, of_kind in rows.items():
        if kind == "steps_begun":
            yield kind, [_step(row, attempts.get(row["id"], ())) for row in of_kind], []
        elif kind == "attempts":
            yield kind, (), [row for row in of_kind if not _is_first(row, begun)]
        elif end := _NEW_END.get(kind):
            new = [row for row in of_kind if row[end] in begun]
            yield kind, new, [] if len(new) == len(of_kind) else [row for row in of_kind if row[end] not in begun]
        else:
            yield kind, (), of_kind


def _first_attempts(rows: Sequence[Row], begun: Collection[str]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if _is_first(row, begun):
            found.setdefault(row["step"], []).append(_whole(row))
    return found


def _is_first(row: Row, begun: Collection[str]) -> bool:
    return "begun" in row and row["step"] in begun


def _step(row: Row, attempts: Sequence[Row]) -> dict[str, Any]:
    return {"run": row["run"], "crew": row["crew"], "props": _whole(row), "attempts": attempts}


def _whole(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "line": row["line"], **row["props"]}
