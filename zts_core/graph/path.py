"""Decides how the way a run took is told: its steps and decisions in order, what was reused; table and picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zts_core.graph.asking import ask
from zts_core.graph.flowchart import Flowchart
from zts_core.graph.port import ResultGraph, Table

_MOST = 100_000
_COLUMNS = ("at_ms", "what", "state", "crew", "status", "attempts", "seconds", "reused", "why")
_LONGEST_REASON = 80

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunPath:
    """What a run did: steps and decisions, and the pairs of keys of what came next and of what led to what."""

    steps: Sequence[Row]
    decisions: Sequence[Row]
    next: Sequence[tuple[str, str]]
    led_to: Sequence[tuple[str, str]]

    def table(self) -> Table:
        """In order of time, a decision before the steps it led to."""
        lines = [(step["at_ms"] or 0, 1, _step_line(step)) for step in self.steps]
        lines += [(decision["at_ms"] or 0, 0, _decision_line(decision)) for decision in self.decisions]
        return Table(_COLUMNS, [line for _, _, line in sorted(lines, key=lambda line: line[:2])])

    def chart(self) -> str:
        """A Mermaid flowchart; what an earlier run had done looks different."""
        chart = Flowchart()
        for step in self.steps:
            status = "reused" if step["reused"] else step["status"]
            chart.box(_key(step["seq"]), f"{step['seq']} {step['state']}", step["crew"], _reused(step), status=status)
        for decision in self.decisions:
            reason = str(decision["reason"] or "")[:_LONGEST_REASON]
            chart.box(decision["id"], f"{decision['kind']} {decision['state'] or ''}", reason, shape="{{}}")
        for earlier, later in self.next:
            chart.arrow(earlier, later)
        for cause, effect in self.led_to:
            chart.arrow(cause, effect, dashed=True)
        return str(chart)


def path(graph: ResultGraph, run_id: str) -> RunPath:
    """The way of a run; without steps where the graph does not know it."""
    steps, decisions = _rows(graph, "path_steps", run_id), _rows(graph, "path_decisions", run_id)
    causes = [(_key(row["seq"]), row["decision"]) for row in _rows(graph, "path_causes", run_id)]
    effects = [(row["decision"], _key(row["seq"])) for row in _rows(graph, "path_effects", run_id)]
    come_next = [(_key(row["earlier"]), _key(row["later"])) for row in _rows(graph, "path_next", run_id)]
    return RunPath(steps, decisions, come_next, [*causes, *effects])


def _rows(graph: ResultGraph, name: str, run_id: str) -> list[Row]:
    table = ask(graph, name, limit=_MOST, run=run_id)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _key(seq: int) -> str:
    return f"step {seq}"


def _reused(step: Row) -> str:
    """What was not done anew: the whole step, or some of its model calls."""
    if step["reused"]:
        return f"from {step['reused']}"
    if step["answers"]:
        return f"{step['answers']} model answer{'s' if step['answers'] > 1 else ''}"
    return ""


def _step_line(step: Row) -> list[Any]:
    told = [step[name] for name in ("state", "crew", "status", "attempts", "seconds")]
    return [step["at_ms"], _key(step["seq"]), *told, _reused(step), step["error"]]


def _decision_line(decision: Row) -> list[Any]:
    told = [decision["at_ms"], decision["kind"], decision["state"], "", decision["then"], None, None, ""]
    return [*told, decision["reason"]]
