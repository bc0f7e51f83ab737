"""Decides what the lines about decisions mean: gates, breaks, escalations, halts, approvals, tolerated failures."""

from __future__ import annotations

from zts_core.graph.run_rows import RunRows
from zts_core.graph.values import text
from zts_core.ports import LedgerEntry


def answer(rows: RunRows, entry: LedgerEntry) -> None:
    """A person, or the time-out, answered an approval."""
    approved = bool(entry.detail["approved"])
    by, comment = text(entry.detail.get("by", "")), text(entry.detail.get("comment", ""))
    rows.tell_step(entry.seq, status="done" if approved else "failed", ended_ms=entry.at_ms)
    said = f"{'approved' if approved else 'rejected'} by {by}{': ' if comment else ''}{comment}"
    rows.memory.settled(entry.seq)
    rows.tell_decision(entry, "approval", said, approved=approved, by=by, comment=comment)


def gate(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "gate", entry.detail["why"])


def pass_gate(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "gate", entry.detail["why"], then="pass")


def stop(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "stop", entry.detail["reason"], outcome=str(entry.detail["outcome"]))


def leave_loop(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "break", entry.detail["why"])


def exhaust_loop(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "exhausted", "all its iterations are used")


def escalate(rows: RunRows, entry: LedgerEntry) -> None:
    to = text(entry.detail["to"])
    decision = rows.tell_decision(entry, "escalation", entry.detail["why"], to=to)
    rows.changes.edge("escalated_to", decision, rows.tell_workflow(to))


def halt(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "halt", entry.detail["reason"], outcome=str(entry.detail["outcome"]))


def tolerate(rows: RunRows, entry: LedgerEntry) -> None:
    rows.tell_decision(entry, "tolerated", entry.detail["why"])
