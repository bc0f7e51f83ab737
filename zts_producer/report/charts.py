"""Decides how the road a run took is drawn: one Mermaid chart for each workflow it went through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zts_core.ports import LedgerEntry, StepRecord
from zts_core.run import StepStatus
from zts_core.workflow.mermaid import mermaid
from zts_core.workflow.plan import Plan
from zts_producer.notes import name_of_state
from zts_producer.view import NodeView, RunView

MARKS = {
    StepStatus.DONE: "done",
    StepStatus.FAILED: "failed",
    StepStatus.CANCELLED: "skipped",
    StepStatus.RUNNING: "running",
    StepStatus.RETRYING: "running",
    StepStatus.QUEUED: "running",
    StepStatus.WAITING: "running",
}
"""What the chart calls a step's status."""


def charts(view: RunView, plan: Plan, ledger: Sequence[LedgerEntry]) -> list[tuple[str, str]]:
    """Name and chart of each workflow on the run's route, with what became of its states."""
    return [
        (tree.path, mermaid(plan.workflows[tree.path], _path_taken(tree, view.steps, ledger)).rstrip())
        for tree in view.trees
    ]


def _path_taken(tree: NodeView, steps: Sequence[StepRecord], ledger: Sequence[LedgerEntry]) -> Mapping[str, str]:
    own = {node.label for _, node in tree.walk()}
    taken = {state: "skipped" for state in _skipped(ledger) if name_of_state(state) in own}
    taken |= {step.state: MARKS[step.status] for step in steps if step.path.partition(".")[0] == tree.path}
    return taken


def _skipped(ledger: Sequence[LedgerEntry]) -> Iterator[str]:
    for entry in ledger:
        if entry.kind == "gate" and entry.detail.get("then") == "skip":
            yield str(entry.detail.get("state", ""))
