"""Decides how a line of the ledger reads to a person, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zts_core.ports import LedgerEntry


def printable(text: str) -> str:
    """Text on one line that cannot move a terminal's cursor or change its colours."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def counted(number: int, what: str, *, none: str = "0") -> str:
    """`1 error`, `2 errors`; `none` says what stands for zero."""
    return f"{number or none} {what}{'' if number == 1 else 's'}"


class Narrator:
    """Tells a run's ledger line by line; remembers which state a step's number stands for."""

    def __init__(self) -> None:
        self._states: dict[int, str] = {}

    def tell(self, entry: LedgerEntry) -> str:
        """One line without its time; empty for what needs no words."""
        self._remember(entry)
        telling = _TELLINGS.get(entry.kind)
        words = telling(entry.detail) if telling else entry.kind.removeprefix("step_").replace("_", " ")
        state = self._states.get(entry.seq) or entry.detail.get("state", "")
        if not (state and entry.seq):
            return printable(words)
        # A step's error names its state, as it is the run's reason too.
        once = words.replace(f": {state} failed: ", ": ", 1).replace(
            f"failed: {state} failed after ", "failed after ", 1
        )
        return printable(f"{state} {once}")

    def state_of(self, seq: int) -> str:
        """The state behind a step's number; empty where no line told of it."""
        return self._states.get(seq, "")

    def _remember(self, entry: LedgerEntry) -> None:
        detail = entry.detail
        if entry.kind == "wave":
            self._states.update(zip(detail.get("seqs", ()), detail.get("states", ()), strict=False))
        elif entry.seq and detail.get("state"):
            self._states[entry.seq] = str(detail["state"])


Detail = Mapping[str, Any]


def _attempt(detail: Detail) -> str:
    number = detail.get("attempt", 1)
    return f" (attempt {number})" if number != 1 else ""


def _started(detail: Detail) -> str:
    return f"started{_attempt(detail)} on {detail.get('worker') or 'a worker'}"


def _call(detail: Detail) -> str:
    if detail.get("reused"):
        return f"{detail.get('prompt', 'somebody')} took an earlier answer of {detail.get('model', 'a model')}"
    came = f", {detail['error']}" if detail.get("error") else ""
    cost = f"{detail.get('tokens', 0)} tokens, ${detail.get('usd', 0):.4f}"
    return f"{detail.get('prompt', 'somebody')} asked {detail.get('model', 'a model')}: {cost}{came}"


def _replayed(detail: Detail) -> str:
    results = counted(int(detail.get("reused", 0)), "result")
    return f"a replay of run {detail.get('of', '')} from {detail.get('from', '')}: {results} of it taken over"


def _wave(detail: Detail) -> str:
    states = detail.get("states", ())
    named = ", ".join(states[:5]) + (f" and {len(states) - 5} more" if len(states) > 5 else "")
    return f"next: {named}"


def _gate(detail: Detail) -> str:
    then = str(detail.get("then", "stop"))
    meaning = {"skip": "skipped", "stop": "the run stops here"}.get(then, then)
    return f"{detail.get('state', '')} not entered: {detail.get('why', '')} ({meaning})"


def _loop_left(detail: Detail) -> str:
    then = str(detail.get("then", "continue"))
    return f"{detail.get('state', '')} left: {detail.get('why', '')}" + ("" if then == "continue" else f" ({then})")


def _answered(detail: Detail) -> str:
    comment = f": {detail['comment']}" if detail.get("comment") else ""
    return f"{'approved' if detail.get('approved') else 'rejected'} by {detail.get('by', '')}{comment}"


_TELLINGS: Mapping[str, Callable[[Detail], str]] = {
    "run_created": lambda d: f"run of {d.get('workflow', '')}: {d.get('title', '')}",
    "replayed": _replayed,
    "step_reused": lambda _: "taken over, not done again",
    "wave": _wave,
    "attempt_started": _started,
    "model_call": _call,
    "said": lambda d: str(d.get("line", "")),
    "step_done": lambda d: f"done{_attempt(d)}",
    "step_failed": lambda d: f"failed{_attempt(d)}: {d.get('error', '')}",
    "attempt_failed": lambda d: (
        f"attempt {d.get('attempt')} failed, next in {d.get('delay_s')} s: {d.get('error', '')}"
    ),
    "gate": _gate,
    "gate_passed": lambda d: f"{d.get('state', '')} entered: {d.get('why', '')}",
    "loop_left": _loop_left,
    "loop_exhausted": lambda d: f"{d.get('state', '')} used all its iterations (then: {d.get('then', '')})",
    "escalated": lambda d: f"goes on in {d.get('to', '')}: {d.get('why', '')}",
    "approval_asked": lambda d: f"waits for an answer: {d.get('prompt', '')}",
    "approval_answered": _answered,
    "failure_tolerated": lambda d: f"its failure is tolerated: {d.get('why', '')}",
    "lease_expired": lambda d: (
        f"was handed back by its worker {d.get('worker', '')}, which stops{_attempt(d)}; another takes it up"
        if d.get("handed_back")
        else f"lost its worker {d.get('worker', '')}{_attempt(d)}, another takes it up"
    ),
    "halted": lambda d: f"halted: {d.get('reason', '')}",
    "stopping": lambda d: f"being stopped as {d.get('outcome', '')}: {d.get('reason', '')}",
    "cancelled": lambda d: f"being cancelled: {d.get('reason', '')}",
    "run_finished": lambda d: f"{d.get('outcome', '')}: {d.get('reason', '')}",
}
