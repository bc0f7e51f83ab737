"""Decides what the lines about steps and attempts mean: waves, tries, ends, what was reused, which outputs count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zts_core.graph.contents import add_contents
from zts_core.graph.memory import MOST_EDGES
from zts_core.graph.run_rows import RunRows
from zts_core.graph.values import LONGEST_TEXT, key, scalars, text
from zts_core.ports import LedgerEntry, StepResult
from zts_core.run import Ref, dumps

MICRO = 1_000_000
"""Whole millionths of a dollar are added up, which comes to the same in any order."""

_IN_A_LOOP = re.compile(r"_\d+([.\[]|$)")
"""States inside of loops are recorded as `<prefix>_<iteration>`, alone or before a dot or an item's number."""


def start(rows: RunRows, entry: LedgerEntry) -> None:
    """A wave: each of its steps was brought about by the steps and the decisions before."""
    seqs: list[int] = list(entry.detail["seqs"])
    for seq in seqs:
        _begin(rows, entry, seq, status="queued")
    for earlier, seq in _pairs(rows.memory.causes, seqs):
        rows.changes.edge("next", rows.step_id(earlier), rows.step_id(seq))
    for decision, seq in _pairs(rows.memory.decisions, seqs):
        rows.changes.edge("led_to_step", decision, rows.step_id(seq))
    rows.memory.waved()


def ask(rows: RunRows, entry: LedgerEntry) -> None:
    """An approval waits for its answer."""
    _begin(rows, entry, entry.seq, status="waiting")
    for earlier in rows.memory.causes[-MOST_EDGES:]:
        rows.changes.edge("next", rows.step_id(earlier), rows.step_id(entry.seq))


def begin_attempt(rows: RunRows, entry: LedgerEntry) -> None:
    number = int(entry.detail["attempt"])
    worker = text(entry.detail.get("worker", ""))
    rows.tell_step(entry.seq, status="running", started_ms=entry.at_ms, attempts=number)
    rows.tell_attempt(entry.seq, number, begun=True, status="running", started_ms=entry.at_ms, worker=worker)
    rows.memory.open[str(entry.seq)] = number


def fail_attempt(rows: RunRows, entry: LedgerEntry) -> None:
    error = text(entry.detail.get("error", ""))
    rows.tell_step(entry.seq, status="retrying", error=error)
    _end_attempt(rows, entry, status="failed", ended_ms=entry.at_ms, error=error, transient=True)
    rows.memory.open[str(entry.seq)] = 0


def lose_attempt(rows: RunRows, entry: LedgerEntry) -> None:
    error = "its worker was lost"
    rows.tell_step(entry.seq, status="queued", error=error)
    _end_attempt(rows, entry, status="lost", ended_ms=entry.at_ms, error=error)
    rows.memory.open[str(entry.seq)] = 0


def bill_call(rows: RunRows, entry: LedgerEntry) -> None:
    """A model call was paid for, or a recorded answer took its place."""
    number, reused = int(entry.detail["attempt"]), bool(entry.detail.get("reused"))
    call = (round(float(entry.detail["usd"]) * MICRO), int(entry.detail["tokens"]), int(not reused), int(reused))
    micro_usd, tokens, paid, again = rows.memory.billed(f"{entry.seq}.{number}", call)
    rows.tell_attempt(entry.seq, number, cost=micro_usd / MICRO, tokens=tokens, calls=paid, answers_reused=again)


def settle(rows: RunRows, entry: LedgerEntry) -> None:
    """A step's end, with its effect where it has one."""
    ended: dict[str, Any] = {"status": entry.kind.removeprefix("step_"), "ended_ms": entry.at_ms}
    if error := entry.detail.get("error"):
        ended["error"] = text(error)
    rows.memory.settled(entry.seq)
    if entry.kind != "step_done":
        rows.tell_step(entry.seq, **ended)
        _end_attempt(rows, entry, **ended)
        return
    result = rows.pending.results[entry.seq]
    _end_attempt(rows, entry, **ended, **_committed(entry, result))
    _take_effect(rows, entry, result, ended)


def reuse(rows: RunRows, entry: LedgerEntry) -> None:
    """A step of a replay whose effect is an earlier run's: nothing was done, so it has no attempt."""
    origin = key(rows.memory.source, entry.detail["origin"])
    _begin(rows, entry, entry.seq, status="done")
    rows.changes.edge("reuses", rows.step_id(entry.seq), origin)
    rows.memory.settled(entry.seq)
    ended = {"ended_ms": entry.at_ms, "reused_from": origin}
    _take_effect(rows, entry, rows.pending.results[entry.seq], ended)


def _begin(rows: RunRows, entry: LedgerEntry, seq: int, *, status: str) -> None:
    static = rows.pending.steps[seq]
    step, crew = rows.step_id(seq), text(static["crew"])
    props = {
        "run": rows.run.run_id,
        "seq": seq,
        "state": text(static["state"]),
        "path": text(static["path"]),
        "crew": crew,
        "status": status,
        "queued_ms": entry.at_ms,
    }
    if item := static.get("item"):
        props["item"] = item[2]
    if prompt := static.get("prompt"):
        props["prompt"] = text(prompt)
    rows.changes.node("steps", step, props, line=rows.line, run=rows.run.run_id, crew=key(crew))
    for used in _used(static.get("inputs") or {}):
        rows.changes.edge("used", step, rows.step_id(used))
    rows.memory.open[str(seq)] = 0


def _used(inputs: Mapping[str, Ref]) -> list[int]:
    """Steps whose outputs a step was given, the newest where there are too many."""
    return sorted({seq for ref in inputs.values() for seq in seqs_of(ref)})[-MOST_EDGES:]


def _end_attempt(rows: RunRows, entry: LedgerEntry, **props: Any) -> None:
    rows.tell_attempt(entry.seq, int(entry.detail["attempt"]), **props)


def _committed(entry: LedgerEntry, result: StepResult) -> dict[str, Any]:
    """What the attempt shows whose commit won; an output that is too long for the graph is told by its size."""
    output = dumps(result.output)
    told = {"effective": True, "digest": str(entry.detail.get("digest", "")), "output_bytes": len(output)}
    return {**told, "output": text(output)} if len(output) <= LONGEST_TEXT else told


def _take_effect(rows: RunRows, entry: LedgerEntry, result: StepResult, ended: Mapping[str, Any]) -> None:
    effect = {"namespace": text(result.namespace), "digest": str(entry.detail.get("digest", "")), "effective": True}
    rows.tell_step(entry.seq, **ended, **effect, **scalars("out_", result.output))
    add_contents(rows.changes, rows.step_id(entry.seq), result)
    _supersede(rows, entry.seq)


def _supersede(rows: RunRows, seq: int) -> None:
    """An iteration takes the place of the one before: of the same node and, in a foreach, the same item."""
    static = rows.pending.steps[seq]
    item = static.get("item")
    node = f"{static['path']}#{item[2]}" if item else static["path"]
    before = rows.memory.newest.get(node, 0)
    if before > seq:
        rows.tell_step(seq, effective=False)
        return
    if before and before != seq:
        rows.tell_step(before, effective=False)
    if item is None or _IN_A_LOOP.search(static["state"]):  # items of a foreach outside of loops come once
        rows.memory.newest[node] = seq


def seqs_of(ref: Ref) -> Iterator[int]:
    """The steps behind a reference to outputs, newest first, MOST_EDGES of each range at most."""
    if isinstance(ref, int):
        yield ref
    elif "of" in ref:
        for each in ref["of"]:
            yield from seqs_of(each)
    else:
        for first, last in ref.get("items", ()):
            yield from range(last, max(first, last - MOST_EDGES + 1) - 1, -1)


def _pairs(causes: Sequence[Any], seqs: Sequence[int]) -> Iterator[tuple[Any, int]]:
    """Every cause with every step; where those are many, enough to keep all of them joined."""
    if not causes or not seqs:
        return
    if len(causes) * len(seqs) <= MOST_EDGES:
        yield from ((cause, seq) for cause in causes for seq in seqs)
        return
    yield from ((cause, seqs[0]) for cause in causes)
    yield from ((causes[-1], seq) for seq in seqs[1:])
