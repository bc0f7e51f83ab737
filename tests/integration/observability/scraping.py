"""What tests of metrics share: a worker's endpoint, and its series by name and labels."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from servers import Worker, wait_until

Labels = frozenset[tuple[str, str]]
_SERIES = re.compile(r"(?P<name>\w+)(\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Scrape:
    """One answer of an endpoint."""

    series: Mapping[tuple[str, Labels], float]

    def value(self, name: str, **labels: str) -> float:
        return self.series[f"zerotoship_{name}", frozenset(labels.items())]

    def total(self, name: str, **labels: str) -> float:
        wanted = frozenset(labels.items())
        return sum(
            value for (found, has), value in self.series.items() if found == f"zerotoship_{name}" and wanted <= has
        )

    def by(self, name: str, label: str) -> Counter[str]:
        """Sums by one label, without zeros."""
        found: Counter[str] = Counter()
        for (metric, labels), value in self.series.items():
            if metric == f"zerotoship_{name}":
                found[dict(labels)[label]] += int(value)
        return +found

    @cached_property
    def names(self) -> set[str]:
        return {name for name, _ in self.series}


def address_of(worker: Worker) -> str:
    """Where a worker says that its metrics are."""
    found = wait_until(lambda: re.search(r"metrics at (http://\S+)/metrics", worker.said()), what="metrics are served")
    return found[1]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def scrape(worker: Worker) -> Scrape:
    series = {}
    for line in get(f"{address_of(worker)}/metrics").splitlines():
        if not line.startswith("#"):
            found = _SERIES.fullmatch(line)
            assert found, line
            series[found["name"], frozenset(_LABEL.findall(found["labels"] or ""))] = float(found["value"])
    return Scrape(series)
