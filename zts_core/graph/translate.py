"""Decides what a run's ledger means in the graph: each line becomes rows, in order, and never depends on a clock.

The same lines give the same rows, so that delivering a run again, from any point, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from zts_core.graph import decision_lines, run_lines, step_lines
from zts_core.graph.port import Changes
from zts_core.graph.run_rows import RunRows
from zts_core.outbox import UNREADABLE, Pending
from zts_core.ports import LedgerEntry


class Translator:
    """Turns the lines of one run into changes; `memory` is what the run's next lines need."""

    def __init__(self, pending: Pending) -> None:
        self._rows = RunRows(pending)

    @property
    def memory(self) -> str:
        return self._rows.memory.to_json()

    def add(self, entries: Sequence[LedgerEntry]) -> Changes:
        """The rows of these lines; raises ValueError, KeyError or TypeError for a line that makes no sense."""
        for entry in entries:
            if meaning := MEANINGS.get(entry.kind):
                self._rows.line = place(entry)
                meaning(self._rows, entry)
        return self._rows.changes


def place(entry: LedgerEntry) -> int:
    """A line's place in the ledger as one number, in the order of the lines: milliseconds, then 20 bits of number."""
    ms, _, number = entry.id.partition("-")
    return int(ms) << 20 | min(int(number or 0), (1 << 20) - 1)


def _refuse(_rows: RunRows, entry: LedgerEntry) -> None:
    raise ValueError(entry.detail["error"])


MEANINGS: Mapping[str, Callable[[RunRows, LedgerEntry], None]] = {
    "run_created": run_lines.begin,
    "run_finished": run_lines.end,
    "replayed": run_lines.replay,
    "run_reopened": run_lines.reopen,
    "paused": run_lines.pause,
    "resumed": run_lines.pause,
    "wave": step_lines.start,
    "approval_asked": step_lines.ask,
    "attempt_started": step_lines.begin_attempt,
    "attempt_failed": step_lines.fail_attempt,
    "lease_expired": step_lines.lose_attempt,
    "model_call": step_lines.bill_call,
    "step_done": step_lines.settle,
    "step_reused": step_lines.reuse,
    "step_failed": step_lines.settle,
    "step_cancelled": step_lines.settle,
    "approval_answered": decision_lines.answer,
    "gate": decision_lines.gate,
    "gate_passed": decision_lines.pass_gate,
    "stopping": decision_lines.stop,
    "loop_left": decision_lines.leave_loop,
    "loop_exhausted": decision_lines.exhaust_loop,
    "escalated": decision_lines.escalate,
    "halted": decision_lines.halt,
    "failure_tolerated": decision_lines.tolerate,
    UNREADABLE: _refuse,
}
"""Lines of other kinds (what crews say, messages sent again) tell the graph nothing."""
