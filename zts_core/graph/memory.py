"""Decides what of a run's delivered lines has to be remembered, so that its next lines can be told without them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from zts_core.run import JsonValue, dumps

MOST_EDGES = 200
"""How many steps one step is said to have used, and to have led to, at most: a foreach may have thousands."""
MOST_BILLS = 1000
"""Attempts whose bills are remembered, the newest: a bill may come after the attempt has ended."""


@dataclass(slots=True)
class Memory:
    """Where a run stands after the lines that were told.

    `steps` and `decisions` have come since the last wave, `before` are the steps that brought that wave about; `open`
    holds each step that has not ended with its attempt at work (0 for none), `newest` each node's newest step.
    `bills` has what the model calls of an attempt came to so far: millionths of a dollar, tokens, calls, and calls that
    took a recorded answer. `source` is the run that is replayed, `ended` outcome and reason of the last end.
    """

    steps: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    bills: dict[str, list[int]] = field(default_factory=dict)
    source: str = ""
    ended: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, text: str) -> Memory:
        """What an earlier delivery left; nothing at a run's beginning."""
        return cls(**json.loads(text)) if text else cls()

    def to_json(self) -> str:
        kept: dict[str, JsonValue] = {
            "steps": self.steps,
            "before": self.before,
            "decisions": self.decisions,
            "open": self.open,
            "newest": self.newest,
        }
        if self.bills:
            kept["bills"] = self.bills
        if self.source:
            kept["source"] = self.source
        if self.ended:
            kept["ended"] = self.ended
        return dumps(kept)

    @property
    def causes(self) -> Sequence[int]:
        """The steps that bring the next wave or decision about."""
        return self.steps or self.before

    def settled(self, seq: int) -> None:
        self.open.pop(str(seq), None)
        self.steps = [*self.steps, seq][-MOST_EDGES:]

    def billed(self, attempt: str, entry: Sequence[int]) -> Sequence[int]:
        """What an attempt's calls come to with one more."""
        before = self.bills.pop(attempt, [0] * len(entry))
        self.bills[attempt] = [one + other for one, other in zip(before, entry, strict=True)]
        while len(self.bills) > MOST_BILLS:
            del self.bills[next(iter(self.bills))]
        return self.bills[attempt]

    def decided(self, decision: str) -> None:
        self.decisions = [*self.decisions, decision][-MOST_EDGES:]

    def waved(self) -> None:
        """A wave has started: what comes next has other causes."""
        self.before = list(self.causes)[-MOST_EDGES:]
        self.steps, self.decisions = [], []
