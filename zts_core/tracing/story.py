"""Decides which spans an ended run's ledger tells of: the run, its waves, questions to people, and attempts cut off.

Workers write the span of each attempt they carry out. What lasts longer than any process is written from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zts_core.ports import LedgerEntry, RunRecord
from zts_core.tracing.context import TraceContext, span_id

OPENS = ("wave", "run_reopened")
"""Lines that name the steps they set going."""
_ENDS = ("step_done", "step_failed", "step_cancelled", "run_finished")

Attribute = str | int | float | bool


@dataclass(frozen=True, slots=True)
class ToldSpan:
    """A span that is over; times in milliseconds since 1970 by the Redis server's clock, `error` where one came."""

    name: str
    id: int
    parent: int
    start_ms: int
    end_ms: int
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True)
class _Open:
    """A wave, a question or an attempt whose end has not been read yet."""

    entry: LedgerEntry
    end_ms: int = 0


def wave_id(run_id: str, line: str) -> int:
    """Id of the span of the wave that this ledger line opened."""
    return span_id(run_id, "wave", line)


def attempt_id(run_id: str, seq: int, attempt: int) -> int:
    """Id of the span of an attempt."""
    return span_id(run_id, "attempt", seq, attempt)


def waves_of(run_id: str, entries: Iterable[LedgerEntry]) -> dict[int, int]:
    """Step -> id of the span of the wave that set it going last."""
    opening = (entry for entry in entries if entry.kind in OPENS)
    return {int(seq): wave_id(run_id, entry.id) for entry in opening for seq in entry.detail.get("seqs", ())}


def story(record: RunRecord, context: TraceContext, entries: Sequence[LedgerEntry]) -> list[ToldSpan]:
    """Every span of a run that no worker writes while it lasts."""
    return [
        _run(record, context, entries),
        *_waves(record, context, entries),
        *_questions(record, context, entries),
        *_cut_off(record, entries),
    ]


def _run(record: RunRecord, context: TraceContext, entries: Sequence[LedgerEntry]) -> ToldSpan:
    outcome = str(record.outcome or record.status)
    about: dict[str, Attribute] = {
        "zts.run": record.run_id,
        "zts.workflow": record.workflow,
        "zts.outcome": outcome,
        "zts.steps": record.started,
        "zts.reopened": sum(entry.kind == "run_reopened" for entry in entries),
    }
    error = outcome if outcome == "failed" or outcome.startswith(("halted", "timed")) else ""
    end_ms = record.finished_ms or record.created_ms
    return ToldSpan(f"run {record.workflow}", context.root, context.parent, record.created_ms, end_ms, about, error)


def _waves(record: RunRecord, context: TraceContext, entries: Sequence[LedgerEntry]) -> list[ToldSpan]:
    """From the decision to the end of the wave's last step; a step that was opened again belongs to its later wave."""
    waves: list[_Open] = []
    of_step: dict[int, _Open] = {}
    for entry in entries:
        if entry.kind in OPENS:
            waves.append(_Open(entry, entry.at_ms))
            of_step |= dict.fromkeys(entry.detail.get("seqs", ()), waves[-1])
        elif entry.kind in _ENDS and entry.seq in of_step:
            of_step[entry.seq].end_ms = entry.at_ms
    return [_wave(record.run_id, context, number, wave) for number, wave in enumerate(waves, 1)]


def _wave(run_id: str, context: TraceContext, number: int, wave: _Open) -> ToldSpan:
    detail = wave.entry.detail
    about: dict[str, Attribute] = {"zts.run": run_id, "zts.wave": number, "zts.wave.steps": len(detail.get("seqs", ()))}
    if states := detail.get("states"):
        about["zts.states"] = ", ".join(states[:20])
    name = f"wave {number}" + (" (opened again)" if wave.entry.kind == "run_reopened" else "")
    return ToldSpan(name, wave_id(run_id, wave.entry.id), context.root, wave.entry.at_ms, wave.end_ms, about)


def _questions(record: RunRecord, context: TraceContext, entries: Sequence[LedgerEntry]) -> list[ToldSpan]:
    asked: dict[int, LedgerEntry] = {}
    found: list[ToldSpan] = []
    for entry in entries:
        if entry.kind == "approval_asked":
            asked[entry.seq] = entry
        elif entry.kind == "approval_answered" and entry.seq in asked:
            question = asked.pop(entry.seq)
            state = str(question.detail.get("state", ""))
            approved = bool(entry.detail.get("approved"))
            about: dict[str, Attribute] = {
                "zts.run": record.run_id,
                "zts.step": entry.seq,
                "zts.state": state,
                "zts.approved": approved,
            }
            number = span_id(record.run_id, "approval", entry.seq, question.id)
            found.append(ToldSpan(f"approval {state}", number, context.root, question.at_ms, entry.at_ms, about))
    return found


def _cut_off(record: RunRecord, entries: Sequence[LedgerEntry]) -> list[ToldSpan]:
    """Attempts whose worker went away, and with it what it knew of them."""
    states = _states(entries)
    parents: dict[int, int] = {}
    began: dict[int, LedgerEntry] = {}
    found: list[ToldSpan] = []
    for entry in entries:
        if entry.kind in OPENS:
            parents |= waves_of(record.run_id, [entry])
        elif entry.kind == "attempt_started":
            began[entry.seq] = entry
        elif entry.kind == "lease_expired" and entry.seq in began:
            attempt = int(entry.detail.get("attempt", 1))
            about: dict[str, Attribute] = {
                "zts.run": record.run_id,
                "zts.step": entry.seq,
                "zts.attempt": attempt,
                "zts.worker": str(entry.detail.get("worker", "")),
            }
            number = attempt_id(record.run_id, entry.seq, attempt)
            parent = parents.get(entry.seq, 0)
            name = f"step {states.get(entry.seq, entry.seq)}"
            start_ms = began[entry.seq].at_ms
            found.append(ToldSpan(name, number, parent, start_ms, entry.at_ms, about, "its worker was lost"))
    return found


def _states(entries: Iterable[LedgerEntry]) -> dict[int, str]:
    return {
        seq: state
        for entry in entries
        if entry.kind == "wave"
        for seq, state in zip(entry.detail.get("seqs", ()), entry.detail.get("states", ()), strict=False)
    }
