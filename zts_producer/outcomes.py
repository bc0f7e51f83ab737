"""Decides with which exit code a command ends that saw a run to its end."""

from __future__ import annotations

from zts_core.run import Outcome

EXIT_CODES = {
    Outcome.COMPLETED: 0,
    Outcome.FAILED: 3,
    Outcome.HALTED_STEP_CAP: 4,
    Outcome.HALTED_LOOP: 4,
    Outcome.HALTED_BUDGET: 4,
    Outcome.TIMED_OUT: 4,
    Outcome.REJECTED: 5,
    Outcome.EXHAUSTED: 6,
    Outcome.CANCELLED: 7,
}
"""4 is every safeguard that stopped a run: the step cap, a loop, a budget, the deadline."""


def exit_code(outcome: Outcome | None) -> int:
    """The code of an outcome; 0 for a run that goes on."""
    return EXIT_CODES[outcome] if outcome else 0
