"""Decides which series tell how the graph is fed; there are none where no graph is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from zts_core.errors import ServiceUnavailable
from zts_core.outbox import Backlog


class GraphCollector(Collector):
    """Reads the outbox at each scrape; the same from every worker."""

    def __init__(self, read: Callable[[], Backlog]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asked for names would need Redis at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            backlog = self._read()
        except ServiceUnavailable:
            return
        shown = (
            ("graph_up", "Whether the graph took what it was given last.", not backlog.trouble),
            ("outbox_backlog", "Runs with results that wait for the graph.", backlog.runs),
            ("outbox_oldest_seconds", "How long the oldest of them has waited.", backlog.oldest_s),
            ("outbox_poisoned", "Ledger lines the graph did not take, set aside.", backlog.poison),
        )
        for name, meaning, value in shown:
            yield GaugeMetricFamily(f"zerotoship_{name}", meaning, value=float(value))
