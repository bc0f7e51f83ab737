"""Decides which series tell of single runs: a bounded number of runs, from one worker, by names without content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.shown import OpenSteps, ShownRun
from zts_core.run import StepStatus

MOST_STATES = 20
"""States of a run with open steps that are shown, those with the longest first."""

T = TypeVar("T")
Labels = tuple[str, ...]
Values = Callable[[ShownRun], Iterable[tuple[Labels, float]]]


class RunsCollector(Collector):
    """Reads single runs at each scrape; nothing from a worker that is not the one to show them."""

    def __init__(self, read: Callable[[], Sequence[ShownRun]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asked for names would need Redis at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            runs = self._read()
        except ServiceUnavailable:
            return
        for name, meaning, labels, values in SERIES:
            family = GaugeMetricFamily(f"zerotoship_run_{name}", meaning, labels=["run_id", *labels])
            for run in runs:
                for found, value in values(run):
                    family.add_metric([run.run_id, *found], value)
            yield family


def _one(value: float | None) -> Iterator[tuple[Labels, float]]:
    if value is not None:
        yield (), value


def _steps(run: ShownRun) -> Iterator[tuple[Labels, float]]:
    for status in StepStatus:
        yield (status,), run.steps.get(status, 0)


def _open(run: ShownRun) -> Iterator[tuple[Labels, OpenSteps]]:
    for steps in sorted(run.open, key=lambda each: -each.longest_s)[:MOST_STATES]:
        yield (steps.state, steps.crew, steps.status), steps


SERIES: Sequence[tuple[str, str, Sequence[str], Values]] = (
    (
        "age_seconds",
        "Since its submit, or from that to its end.",
        ("workflow_name", "status"),
        lambda run: [((run.workflow, run.status), run.age_s)],
    ),
    ("steps", "Its steps, by where they stand.", ("status",), _steps),
    (
        "open_step_seconds",
        "How long the longest open step of a state has been where it stands.",
        ("state", "crew_name", "status"),
        lambda run: ((labels, steps.longest_s) for labels, steps in _open(run)),
    ),
    (
        "open_steps",
        "Open steps of a state.",
        ("state", "crew_name", "status"),
        lambda run: ((labels, steps.number) for labels, steps in _open(run)),
    ),
    ("retries", "Attempts of its steps that failed and were tried again.", (), lambda run: _one(run.retries)),
    ("takeovers", "Attempts of its steps that were lost with their worker.", (), lambda run: _one(run.takeovers)),
    ("cost_dollars", "US dollars of its model calls.", (), lambda run: _one(run.cost.usd)),
    ("tokens", "Tokens of its model calls.", (), lambda run: _one(run.cost.tokens)),
    ("budget_dollars", "US dollars that it may spend; none without a budget.", (), lambda run: _one(run.budget.usd)),
    ("budget_tokens", "Tokens that it may use; none without a budget.", (), lambda run: _one(run.budget.tokens)),
)
