"""Decides how a run's tree reads as plain lines, for pipes and for terminals alike."""

from __future__ import annotations

import sys

import click

from zts_core.ports import RunRecord, Waits
from zts_core.run import Priority
from zts_producer.narrate import printable
from zts_producer.times import duration, moment, now_ms, run_seconds, step_seconds
from zts_producer.view import NodeView, RunView


def print_view(view: RunView) -> None:
    """On a terminal the picture of the live view, in a pipe its lines."""
    if sys.stdout.isatty():
        from rich.console import Console

        from zts_producer.cli.live import picture

        console = Console()
        console.print(picture(view, now=now_ms(), console=console))
        if words := view.bill.against(view.record):
            console.print(f"cost: {words}", markup=False, highlight=False)
        if view.record.reason:
            console.print(printable(view.record.reason), markup=False, highlight=False)
        return
    for line in lines_of(view):
        click.echo(line)


def lines_of(view: RunView) -> list[str]:
    """Header, reason and one line per node."""
    record = view.record
    now = now_ms()
    head = [
        f"{record.run_id} {record.outcome or record.status}: {record.title}",
        f"workflow {' → '.join(view.route)} (definition {record.plan_digest[:12]}), "
        f"{record.started} of at most {record.max_steps} steps, {_priority(record)}"
        f"submitted {moment(record.created_ms)}, {duration(run_seconds(record, now))}",
    ]
    cost = [f"cost: {words}"] if (words := view.bill.against(record)) else []
    reason = [printable(f"reason: {record.reason}")] if record.reason else []
    nodes = [_line(node, depth, now) for tree in view.trees for depth, node in tree.walk()]
    return [*head, *cost, *reason, *nodes]


def _priority(record: RunRecord) -> str:
    return "" if record.priority is Priority.NORMAL else f"{record.priority} priority, "


_WAITS = {
    Waits.SLOT: "waits for a slot of its crew",
    Waits.TURN: "waits behind steps of its own wave",
}


def _line(node: NodeView, depth: int, now: int) -> str:
    step = node.newest
    parts = [f"{'  ' * depth}{node.label}: {node.status}", node.crew]
    if step and step.started_ms:
        parts.append(duration(step_seconds(step, now)))
    if step and step.attempt > 1:
        parts.append(f"attempt {step.attempt}")
    if len(node.steps) > 1:
        parts.append(f"{len(node.steps)} times")
    if step and step.waits:
        parts.append(_WAITS[step.waits])
    words = node.note or ((step.error or step.prompt or step.line) if step else "")
    return ", ".join(part for part in parts if part) + (f" - {printable(words)}" if words else "")
