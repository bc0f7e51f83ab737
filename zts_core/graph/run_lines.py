"""Decides what the lines about a run as a whole mean: its beginning, its ends, its pauses, a replay."""

from __future__ import annotations

import hashlib

from zts_core.graph.run_rows import RunRows
from zts_core.graph.values import key, text
from zts_core.likeness import words
from zts_core.ports import LedgerEntry
from zts_core.run import dumps

_END = ("outcome", "reason", "finished_ms")


def begin(rows: RunRows, entry: LedgerEntry) -> None:
    run, idea = rows.run, rows.pending.idea
    digest = hashlib.sha256(idea.encode("utf-8", "surrogatepass")).hexdigest()
    workflow = rows.tell_workflow(run.workflow)
    project = key(" ".join(run.title.split()) or digest)
    told = text(idea)
    rows.changes.node("ideas", digest, {"title": text(run.title), "text": told, "words": words(told)})
    rows.changes.node("projects", project, {"title": project})
    props = {
        "title": text(run.title),
        "workflow": text(run.workflow),
        "plan": run.plan_digest,
        "created_ms": entry.at_ms,
        "max_steps": run.max_steps,
        "key": text(run.key),
        "values": text(dumps(run.values)),
        "status": "running",
    }
    rows.changes.node("runs", run.run_id, props, line=rows.line, idea=digest, project=project, workflow=workflow)
    rows.changes.edge("came_from", project, digest)


def replay(rows: RunRows, entry: LedgerEntry) -> None:
    """The run goes on from the results of an earlier one."""
    source = key(entry.detail["of"])
    rows.tell_run(replay_of=source, replay_from=text(entry.detail["from"]))
    rows.changes.edge("replays", rows.run.run_id, source)
    rows.memory.source = source


def reopen(rows: RunRows, entry: LedgerEntry) -> None:
    """A run that had ended goes on: its newest end is the run's, the earlier ones are told by decisions."""
    memory = rows.memory
    outcome, reason = memory.ended or (entry.detail["outcome"], "")
    rows.tell_run(status="running", **dict.fromkeys(_END))
    again = [int(seq) for seq in entry.detail["seqs"]]
    settled = [seq for seq in memory.steps if seq not in again]
    memory.steps = again or settled
    decision = rows.tell_decision(entry, "reopened", f"it had ended as {outcome}: {reason}", outcome=str(outcome))
    for seq in again:
        rows.tell_step(seq, status="queued", ended_ms=None, error=None)
        rows.changes.edge("led_to_step", decision, rows.step_id(seq))
        memory.open[str(seq)] = 0
    memory.steps = settled


def end(rows: RunRows, entry: LedgerEntry) -> None:
    outcome, reason = str(entry.detail["outcome"]), text(entry.detail["reason"])
    rows.tell_run(status="finished", outcome=outcome, reason=reason, finished_ms=entry.at_ms)
    for seq, attempt in rows.memory.open.items():
        _give_up(rows, entry, int(seq), attempt)
    rows.memory.open = {}
    rows.memory.ended = [outcome, reason]


def _give_up(rows: RunRows, entry: LedgerEntry, seq: int, attempt: int) -> None:
    """A run that has ended leaves nothing open: what had not started never will, what was at work was given up."""
    rows.tell_step(seq, status="cancelled", ended_ms=entry.at_ms)
    if attempt:
        rows.tell_attempt(seq, attempt, status="lost", ended_ms=entry.at_ms)


def pause(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_run(status="paused" if entry.kind == "paused" else "running")
