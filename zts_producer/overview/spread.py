"""Decides how durations of many steps are summed up in little room: in classes each a tenth wider than the last."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

_WIDER = math.log(1.1)


@dataclass(slots=True)
class Spread:
    """Durations in milliseconds. Shares are right within a tenth; count, sum and longest are exact."""

    count: int = 0
    total_ms: int = 0
    longest_ms: int = 0
    _classes: Counter[int] = field(default_factory=Counter)

    def add(self, took_ms: int) -> None:
        """Count one."""
        self.count += 1
        self.total_ms += took_ms
        self.longest_ms = max(self.longest_ms, took_ms)
        self._classes[int(math.log(took_ms + 1) / _WIDER)] += 1

    def share(self, part: float) -> float:
        """Seconds within which this part of all ended: 0.5 for the median."""
        passed = 0
        for number in sorted(self._classes):
            passed += self._classes[number]
            if passed >= part * self.count:
                return min(math.exp((number + 0.5) * _WIDER) - 1, self.longest_ms) / 1000
        return 0.0

    @property
    def mean_s(self) -> float:
        """Seconds on average."""
        return self.total_ms / self.count / 1000 if self.count else 0.0
