"""Decides which approval a person answers, and by which name that person is remembered."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Sequence

from zts_core.errors import BadInput
from zts_core.ports import StepRecord


def the_open_one(open_ones: Sequence[StepRecord], state: str, run_id: str) -> StepRecord:
    """The approval that `state` names among those that wait, or the only one; BadInput says what does wait."""
    names = ", ".join(step.state for step in open_ones)
    if not open_ones:
        raise BadInput(f"run {run_id} waits for no answer; see `zts status {run_id}`")
    matching = [step for step in open_ones if not state or state in (step.state, step.state.rpartition(".")[2])]
    if not matching:
        raise BadInput(f"no approval {state!r} waits in run {run_id}; these do: {names}")
    if len(matching) > 1:
        raise BadInput(f"run {run_id} waits for several answers; name one of {names}")
    return matching[0]


def user_name() -> str:
    """Who is at the keyboard, as far as the system knows."""
    with contextlib.suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return "unknown"
