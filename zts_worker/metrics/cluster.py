"""Decides which series come from the store: exact, of the whole cluster, and the same from every worker.

A worker that counted for itself would lose a count with each crash between the commit and the counting. So the script
that commits counts, and a scrape reads. Ask for `max by (...)` over workers, never for `sum`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.counts import BOUNDS_MS, Counts, Ended, Levels
from zts_core.run import Outcome

ATTEMPT_STATUSES = ("done", "failed", "cancelled", "retried", "lost", "dead")
"""How an attempt ends; `lost` and `dead` with their worker, `dead` for good."""

HALTS = {Outcome.HALTED_STEP_CAP: "step_cap", Outcome.HALTED_LOOP: "loop", Outcome.HALTED_BUDGET: "budget"}

T = TypeVar("T")
Read = Callable[[], tuple[Counts, Levels]]


class ClusterCollector(Collector):
    """Reads the store at each scrape. Without an answer only `zerotoship_store_up 0` is left, so nothing looks new.

    `known` gives the workflows and crews that have their series from the start, asked at the first scrape; others get
    theirs when the store first hears of them.
    """

    def __init__(self, read: Read, *, known: Callable[[], tuple[frozenset[str], frozenset[str]]]) -> None:
        self._read = read
        self._known = cache(known)
        self.has_answer = True
        """Whether the last scrape had one."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asked for names would need Redis at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            counts, levels = self._read()
            self.has_answer = True
        except ServiceUnavailable:
            self.has_answer = False
            yield _gauge("store_up", "Whether Redis answers this worker.", 0)
            return
        yield _gauge("store_up", "Whether Redis answers this worker.", 1)
        yield from self.of_workflows(counts)
        yield from self.of_crews(counts)
        for name, meaning, found in (
            ("redis_replacements", "Other Redis server processes that were met.", counts.replaced),
            ("redis_lost_writes", "Accepted writes that a Redis server did not keep.", counts.lost),
        ):
            yield CounterMetricFamily(f"zerotoship_{name}", meaning, value=found.total())
        yield from of_levels(levels)

    def after(self, read: Callable[[], T]) -> Callable[[], T]:
        """A further read of a scrape, not tried where this one had no answer: together they would wait too long."""

        def guarded() -> T:
            if not self.has_answer:
                raise ServiceUnavailable("Redis did not answer this scrape before")
            return read()

        return guarded

    def of_workflows(self, counts: Counts) -> Iterator[Metric]:
        names = self._known()[0] | counts.created.keys() | counts.run_ms.keys()
        yield _counter("project_creations", "Runs that were recorded.", "workflow_name", names, counts.created)
        executions = _by_status(counts.runs)
        yield _counter_by_status(
            "workflow_executions", "Ends of runs, by outcome.", "workflow_name", names, list(Outcome), executions
        )
        yield _counter("workflow_reopenings", "Ends that a retry took back.", "workflow_name", names, counts.reopened)
        yield _histogram(
            "workflow_duration_seconds",
            "From submit to outcome.",
            "workflow_name",
            names,
            ended=counts.runs,
            sums_ms=counts.run_ms,
        )
        yield _counter(
            "budgets_nearly_spent",
            "Runs that spent four fifths of a budget.",
            "workflow_name",
            names,
            counts.low_budgets,
        )
        halts = Counter[str]()
        for (_, outcome), number in executions.items():
            if outcome in HALTS:
                halts[HALTS[Outcome(outcome)]] += number
        yield _counter("halts", "Runs that a safeguard stopped.", "reason", HALTS.values(), halts)

    def of_crews(self, counts: Counts) -> Iterator[Metric]:
        names = self._known()[1] | counts.attempt_ms.keys() | counts.takeovers.keys()
        executions = _by_status(counts.attempts)
        yield _counter_by_status(
            "crew_executions", "Attempts that ended, by how.", "crew_name", names, ATTEMPT_STATUSES, executions
        )
        yield _histogram(
            "crew_duration_seconds",
            "From claim to end of an attempt.",
            "crew_name",
            names,
            ended=counts.attempts,
            sums_ms=counts.attempt_ms,
        )
        retries = Counter({crew: number for (crew, status), number in executions.items() if status == "retried"})
        yield _counter("step_retries", "Attempts that are tried again after a back-off.", "crew_name", names, retries)
        yield from of_models(counts, names)
        yield _counter(
            "lease_takeovers", "Leases that ran out with their worker.", "crew_name", names, counts.takeovers
        )


def of_models(counts: Counts, crews: Iterable[str]) -> Iterator[Metric]:
    """What crews' model calls cost, as booked."""
    names = frozenset(crews) | counts.model_calls.keys()
    yield _counter("model_calls", "Model calls that were booked.", "crew_name", names, counts.model_calls)
    yield _counter("tokens", "Tokens of these calls.", "crew_name", names, counts.tokens)
    dollars = {crew: micro / 1_000_000 for crew, micro in counts.micro_usd.items()}
    yield _counter("cost_dollars", "US dollars of these calls.", "crew_name", names, dollars)


def of_levels(levels: Levels) -> Iterator[Metric]:
    """The gauges of the store."""
    yield _gauge("active_workflows", "Runs without an outcome.", levels.active_runs)
    yield _gauge("oldest_workflow_seconds", "Age of the oldest run without an outcome.", levels.oldest_run_s)
    yield _gauge("queue_depth", "Steps that wait for a worker.", levels.queued)
    yield _gauge("queue_oldest_seconds", "How long ago the longest waiting step was sent.", levels.oldest_queued_s)
    yield from _waiting(levels.waiting)
    yield _gauge("leases", "Attempts that hold a lease.", levels.leases)
    yield _gauge("dead_letters", "Steps that failed for good and wait for a person.", levels.dead_letters)
    yield CounterMetricFamily(
        "zerotoship_redis_round_trips", "Requests that the store's Redis read, of all clients.", value=levels.requests
    )
    overdue = GaugeMetricFamily(
        "zerotoship_overdue_seconds", "How late the reaper is with what is most overdue.", labels=["kind"]
    )
    for kind, seconds in levels.overdue_s.items():
        overdue.add_metric([kind], seconds)
    yield overdue


def _waiting(by_priority: Mapping[str, tuple[int, float]]) -> Iterator[Metric]:
    """What the number of workers follows: each priority has a queue, which may have workers of its own."""
    steps = GaugeMetricFamily("zerotoship_waiting_steps", "Steps that wait, by priority.", labels=["priority"])
    oldest = GaugeMetricFamily(
        "zerotoship_waiting_oldest_seconds", "How long ago the longest waiting was sent.", labels=["priority"]
    )
    for priority, (number, seconds) in by_priority.items():
        steps.add_metric([priority], number)
        oldest.add_metric([priority], seconds)
    yield from (steps, oldest)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"zerotoship_{name}", meaning, value=value)


def _counter(name: str, meaning: str, label: str, values: Iterable[str], found: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"zerotoship_{name}", meaning, labels=[label])
    for value in sorted(values):
        family.add_metric([value], found.get(value, 0))
    return family


def _counter_by_status(
    name: str,
    meaning: str,
    label: str,
    values: Iterable[str],
    statuses: Iterable[str],
    found: Mapping[tuple[str, str], int],
) -> Metric:
    family = CounterMetricFamily(f"zerotoship_{name}", meaning, labels=[label, "status"])
    for value in sorted(values):
        for status in statuses:
            family.add_metric([value, str(status)], found.get((value, status), 0))
    return family


def _histogram(
    name: str, meaning: str, label: str, values: Iterable[str], *, ended: Ended, sums_ms: Mapping[str, int]
) -> Metric:
    family = HistogramMetricFamily(f"zerotoship_{name}", meaning, labels=[label])
    within: dict[str, Counter[str]] = defaultdict(Counter)
    for (value, _, bound), number in ended.items():
        within[value][bound] += number
    for value in sorted(values):
        family.add_metric([value], _cumulated(within[value]), sum_value=sums_ms.get(value, 0) / 1000)
    return family


def _cumulated(within: Mapping[str, int]) -> list[tuple[str, float]]:
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound in BOUNDS_MS:
        total += within.get(str(bound), 0)
        buckets.append((str(bound / 1000), total))
    return [*buckets, ("+Inf", total + within.get("inf", 0))]


def _by_status(ended: Ended) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for (name, status, _), number in ended.items():
        found[name, status] += number
    return found
