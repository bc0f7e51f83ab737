"""Decides what the result feed needs of the store: the ledger lines that are not in the graph yet, run by run.

The ledger is the outbox: a script that writes a line also notes the run as one with news, in the same atomic step.
What is read here is delivered, then acknowledged; whatever happens in between is delivered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from zts_core.ports import LedgerEntry, RunRecord, StepResult

UNREADABLE = "unreadable"
"""Kind that a ledger line is given where it cannot be read; its detail says why."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A run with its next undelivered lines, and what those lines speak of.

    `memory` is what the delivery of the lines before left to remember; `steps` the steps as they were decided, by
    number; `results` the committed effects; `idea` the text where the lines hold the run's beginning.
    """

    run: RunRecord
    entries: Sequence[LedgerEntry]
    memory: str = ""
    idea: str = ""
    steps: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    results: Mapping[int, StepResult] = field(default_factory=dict)


_NAMES = frozenset(
    {"state", "states", "then", "outcome", "to", "of", "from", "path", "workflow", "plan", "namespace"}
    | {"worker", "crew", "agent", "model", "provider", "kind"}
)
"""Texts of a line's detail that say what of a workflow it speaks of, and nothing of what its runs are about."""


def without_content(pending: Pending) -> Pending:
    """The same as it is delivered where the graph shall not hold what runs are about: names, numbers and times."""
    run = replace(pending.run, title=f"run {pending.run.run_id}", reason="", out="", values={}, seen_before=())
    return Pending(
        run,
        [replace(entry, detail=_names_only(entry.detail)) for entry in pending.entries],
        pending.memory,
        # Whole, for runs are told apart by it.
        run.title,
        {seq: {**step, "values": {}, "prompt": ""} for seq, step in pending.steps.items()},
        {seq: StepResult(result.namespace) for seq, result in pending.results.items()},
    )


def _names_only(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if name in _NAMES or isinstance(value, bool | int | float) or _numbers(value) else ""
        for name, value in detail.items()
    }


def _numbers(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, int) for each in value)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The graph holds a run's lines up to `line`; `memory` goes to whoever delivers the next ones."""

    run_id: str
    line: str
    memory: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the graph: runs with news, seconds since the oldest, lines set aside, and why the feed rests."""

    runs: int
    oldest_s: float
    poison: int
    trouble: str = ""


class Lease(Protocol):
    """The right to feed; for one process at a time."""

    def renew(self) -> bool:
        """Prolong it; False where it is lost."""


class Outbox(Protocol):
    """Where the feed finds its work. Every method may raise ServiceUnavailable."""

    def take(self, *, runs: int, lines: int, without: Sequence[str] = ()) -> Sequence[Pending]:
        """The runs that have waited longest, up to `runs`, each with up to `lines` lines in order. Removes nothing.

        `without` names runs whose lines are on their way already.
        """

    def acknowledge(self, delivered: Sequence[Delivered]) -> None:
        """Those lines are in the graph; a run without newer ones has no news any more. Never goes back."""

    def postpone(self, run_id: str, *, delay_s: float) -> int:
        """Leave a run alone for a while; how often that has happened since its last acknowledged line."""

    def set_aside(self, run_id: str, entry: LedgerEntry, *, error: str) -> None:
        """Keep a line that the graph does not take apart, for people."""

    def drop(self, run_ids: Sequence[str]) -> None:
        """Forget the news of these runs."""

    def refill(self) -> int:
        """Deliver every run in the store from its beginning again; how many there are."""

    def run_ids(self) -> Sequence[str]:
        """All runs in the store."""

    def backlog(self) -> Backlog:
        """What waits, for health and metrics; one round trip."""

    def asks(self, *, interval_s: float) -> bool:
        """True for one caller per interval, where something waits, nobody feeds, and the feed need not rest."""

    def rest(self, *, trouble: str, base_s: float, most_s: float) -> float:
        """Let the feed rest after a failure, twice as long each time in a row; seconds it will."""

    def recovered(self) -> None:
        """The graph takes what it is given."""

    def feeder(self, *, lease_s: float) -> AbstractContextManager[Lease | None]:
        """Be the one that feeds; None where somebody else is."""
