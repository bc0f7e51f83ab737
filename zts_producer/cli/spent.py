"""Decides where a run's time went: at work, waiting for a worker or a resume, backing off, waiting for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zts_core.ports import LedgerEntry, StepRecord

AT_WORK = "at work"
FOR_WORKER = "waiting for a worker"
BACKING_OFF = "backing off"
FOR_PEOPLE = "waiting for people"
FOR_RESUME = "waiting for the resume"

SLOWEST = 3


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by what they were spent on, steps beside each other added up, and the states that worked longest."""

    seconds: Mapping[str, float]
    slowest: tuple[tuple[str, float], ...]


_AFTER = {"attempt_started": AT_WORK, "lease_expired": FOR_WORKER, "approval_asked": FOR_PEOPLE}
_ENDS = frozenset({"step_done", "step_failed", "step_cancelled", "approval_answered"})


def spent(steps: Sequence[StepRecord], ledger: Sequence[LedgerEntry], *, now_ms: int) -> Spent:
    """Where the time of all steps went until they ended, or until `now_ms` (milliseconds since 1970)."""
    state_of = {step.seq: step.state for step in steps}
    ended_ms = {step.seq: step.ended_ms for step in steps if step.ended_ms}
    seconds: dict[str, float] = defaultdict(float)
    worked: dict[str, float] = defaultdict(float)
    pauses = _pauses(ledger, now_ms)
    for seq, spans in _spans(ledger).items():
        closing = [(ended_ms.get(seq, now_ms), "")]
        for (at_ms, what), (until_ms, _) in zip(spans, [*spans[1:], *closing], strict=True):
            if what:
                took = max(0, until_ms - at_ms) / 1000
                stood_still = _within(pauses, at_ms, until_ms) / 1000 if what == FOR_WORKER else 0.0
                seconds[FOR_RESUME] += stood_still
                seconds[what] += took - stood_still
                worked[state_of.get(seq, "")] += took if what == AT_WORK else 0.0
    slowest = sorted(((state, took) for state, took in worked.items() if took), key=lambda pair: -pair[1])
    return Spent({what: took for what, took in seconds.items() if took}, tuple(slowest[:SLOWEST]))


def _pauses(ledger: Sequence[LedgerEntry], now_ms: int) -> list[tuple[int, int]]:
    """When the run was paused: from, until; one that began so has only its resume in the ledger."""
    pauses: list[tuple[int, int]] = []
    since_ms = 0
    for entry in ledger:
        if entry.kind == "paused":
            since_ms = entry.at_ms
        elif entry.kind == "resumed" or (since_ms and entry.kind == "run_finished"):
            pauses.append((since_ms or ledger[0].at_ms, entry.at_ms))
            since_ms = 0
    return [*pauses, (since_ms, now_ms)] if since_ms else pauses


def _within(pauses: Iterable[tuple[int, int]], at_ms: int, until_ms: int) -> int:
    """How much of a time (ms) lies in pauses."""
    return sum(max(0, min(until_ms, end) - max(at_ms, begin)) for begin, end in pauses)


def _spans(ledger: Iterable[LedgerEntry]) -> dict[int, list[tuple[int, str]]]:
    """By step: what it was doing from when on; nothing after its end."""
    spans: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for entry in ledger:
        if entry.kind == "wave":
            for seq in entry.detail.get("seqs", ()):
                spans[seq].append((entry.at_ms, FOR_WORKER))
        elif entry.kind in _AFTER:
            spans[entry.seq].append((entry.at_ms, _AFTER[entry.kind]))
        elif entry.kind == "attempt_failed":
            due_ms = entry.at_ms + int(float(entry.detail.get("delay_s", 0)) * 1000)
            spans[entry.seq] += [(entry.at_ms, BACKING_OFF), (due_ms, FOR_WORKER)]
        elif entry.kind in _ENDS:
            spans[entry.seq].append((entry.at_ms, ""))
    return spans
