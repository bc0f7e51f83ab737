"""Decides what is counted of many runs: outcomes, durations, retries, cost, in room that does not grow with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from zts_core.redis_store.history import RunFacts, StepFacts
from zts_core.run import family_of
from zts_producer.overview.spread import Spread

MOST_NAMES = 500
"""Past this many states, crews or workflows, new names share `(others)`."""
OTHERS = "(others)"


@dataclass(slots=True)
class Work:
    """What was done under one name; dollars and tokens where it asked models."""

    took: Spread = field(default_factory=Spread)
    steps: int = 0
    attempts: int = 0
    retries: int = 0
    failed: int = 0
    usd: float = 0.0
    tokens: int = 0

    def add(self, step: StepFacts) -> None:
        """Count a step."""
        self.steps += 1
        self.attempts += step.attempts
        self.retries += max(0, step.attempts - 1)
        self.failed += step.status == "failed"
        if step.took_ms:
            self.took.add(step.took_ms)


@dataclass(slots=True)
class Flow:
    """The runs of one workflow."""

    outcomes: Counter[str] = field(default_factory=Counter)
    took: Spread = field(default_factory=Spread)
    usd: float = 0.0
    tokens: int = 0


T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """All runs since `since_ms`, added up."""

    since_ms: int
    runs: int = 0
    steps: int = 0
    retries: int = 0
    usd: float = 0.0
    tokens: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    workflows: dict[str, Flow] = field(default_factory=dict)
    states: dict[str, Work] = field(default_factory=dict)
    crews: dict[str, Work] = field(default_factory=dict)

    def add(self, run: RunFacts) -> None:
        """Count a run with its steps."""
        outcome = run.outcome or run.status
        flow = _under(self.workflows, run.workflow, Flow)
        self.runs += 1
        self.outcomes[outcome] += 1
        flow.outcomes[outcome] += 1
        self.days[day_of(run.created_ms)][outcome] += 1
        if run.finished_ms:
            flow.took.add(max(0, run.finished_ms - run.created_ms))
        self.usd += run.cost.usd
        self.tokens += run.cost.tokens
        flow.usd += run.cost.usd
        flow.tokens += run.cost.tokens
        for step in run.steps:
            self._add_step(step)
        for crew, cost in run.by_crew.items():
            work = _under(self.crews, crew, Work)
            work.usd += cost.usd
            work.tokens += cost.tokens

    def _add_step(self, step: StepFacts) -> None:
        # A question to a person is no work of a crew.
        if not step.crew:
            return
        self.steps += 1
        self.retries += max(0, step.attempts - 1)
        _under(self.states, family_of(step.state), Work).add(step)
        _under(self.crews, step.crew, Work).add(step)

    def slowest(self, count: int) -> list[tuple[str, Work]]:
        """States that took the most time together."""
        return sorted(self.states.items(), key=lambda item: -item[1].took.total_ms)[:count]

    def to_json(self) -> dict[str, Any]:
        """The tally as data; durations in seconds, shares right within a tenth."""
        return {
            "since_ms": self.since_ms,
            "runs": self.runs,
            "outcomes": dict(self.outcomes),
            "steps": self.steps,
            "retries": self.retries,
            "usd": round(self.usd, 6),
            "tokens": self.tokens,
            "days": {day: dict(counts) for day, counts in sorted(self.days.items())},
            "workflows": {name: _flow_json(flow) for name, flow in sorted(self.workflows.items())},
            "states": {name: _work_json(work) for name, work in self.slowest(len(self.states))},
            "crews": {name: _work_json(work) for name, work in sorted(self.crews.items())},
        }


def day_of(at_ms: int) -> str:
    """The day here, as `2026-11-01`."""
    return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d")


def _under(known: dict[str, T], name: str, make: Callable[[], T]) -> T:
    if name not in known and len(known) >= MOST_NAMES:
        name = OTHERS
    return known.setdefault(name, make())


def _times(took: Spread) -> dict[str, float]:
    return {
        "mean_s": round(took.mean_s, 3),
        "median_s": round(took.share(0.5), 3),
        "p95_s": round(took.share(0.95), 3),
        "longest_s": took.longest_ms / 1000,
    }


def _work_json(work: Work) -> dict[str, Any]:
    return {
        "steps": work.steps,
        "attempts": work.attempts,
        "retries": work.retries,
        "failed": work.failed,
        "total_s": work.took.total_ms / 1000,
        **_times(work.took),
        "usd": round(work.usd, 6),
        "tokens": work.tokens,
    }


def _flow_json(flow: Flow) -> dict[str, Any]:
    return {
        "outcomes": dict(flow.outcomes),
        **_times(flow.took),
        "usd": round(flow.usd, 6),
        "tokens": flow.tokens,
    }
