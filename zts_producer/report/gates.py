"""Decides which gates a run passed and on which values, where these can be told for certain after the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zts_core.ports import StepResult
from zts_core.workflow.conditions import facts_from, fields_of, holds
from zts_core.workflow.plan import Plan
from zts_producer.view import NodeStatus, NodeView, RunView

ENTERED = {NodeStatus.DONE, NodeStatus.FAILED, NodeStatus.RUNNING, NodeStatus.QUEUED, NodeStatus.RETRYING}


@dataclass(frozen=True, slots=True)
class PassedGate:
    """A node that was entered, and the comparisons that let the run in."""

    label: str
    why: str


def passed_gates(
    view: RunView, plan: Plan, *, results: Mapping[int, StepResult], outputs: Mapping[str, Mapping[str, Any]]
) -> tuple[PassedGate, ...]:
    """The gates a run passed, top to bottom.

    The ledger keeps only gates that were closed. An open one is judged again here, and told only where each namespace
    it reads was written once: then the values are those it saw.
    """
    written = Counter(result.namespace for result in results.values())
    settled = {namespace: output for namespace, output in outputs.items() if written[namespace] == 1}
    return tuple(gate for tree in view.trees for _, node in tree.walk() for gate in _gates(node, plan, settled))


def _gates(node: NodeView, plan: Plan, settled: Mapping[str, Mapping[str, Any]]) -> Iterator[PassedGate]:
    conditions = plan.nodes[node.path].conditions
    read = {field.partition(".")[0] for condition in conditions for field in fields_of(condition)}
    if not conditions or node.status not in ENTERED or not read <= settled.keys():
        return
    verdicts = [holds(condition, facts_from(settled)) for condition in conditions]
    if all(verdict.holds for verdict in verdicts):
        yield PassedGate(node.label, " and ".join(verdict.explanation for verdict in verdicts))
