"""Decides what the ledger says of nodes that are not steps: gates, loops, answers and escalations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from zts_core.ports import LedgerEntry


class Notes:
    """What the ledger says about nodes that are not steps, by the node's path or, without one, its name."""

    def __init__(self, ledger: Iterable[LedgerEntry]) -> None:
        self.gates: dict[str, Mapping[str, Any]] = {}
        self.passed: set[str] = set()
        self.loops: dict[str, str] = {}
        self.answers: dict[int, bool] = {}
        self.escalations: list[str] = []
        for entry in ledger:
            self._read(entry)

    def _read(self, entry: LedgerEntry) -> None:
        detail = entry.detail
        if entry.kind == "gate":
            self.gates[_place(detail)] = detail
        elif entry.kind == "gate_passed":
            self.passed.add(_place(detail))
            self.gates.pop(_place(detail), None)  # that of an earlier iteration
        elif entry.kind == "loop_left":
            self.loops[_place(detail)] = f"left: {detail.get('why', '')}"
        elif entry.kind == "loop_exhausted":
            self.loops[_place(detail)] = "all iterations used"
        elif entry.kind == "escalated":
            self.escalations.append(str(detail.get("to", "")))
        elif entry.kind == "approval_answered":
            self.answers[entry.seq] = bool(detail.get("approved"))


def _place(detail: Mapping[str, Any]) -> str:
    return str(detail["path"]) if detail.get("path") else name_of_state(str(detail.get("state", "")))


def name_of_state(state: str) -> str:
    """`FEEDBACK_ITERATION_2.REWORK[3]` -> `REWORK`, the name a node has in its workflow."""
    return re.sub(r"\[\d+\]$", "", state).rpartition(".")[2]
