"""Decides how ledger lines get from the outbox into the graph: in batches, in order per run, none lost, none twice.

Written first, acknowledged afterwards; what was written and not acknowledged is written again and changes nothing.
One process feeds at a time. A second one, because a lease ran out, does no harm for the same reason.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from zts_core.errors import GraphRefused, ServiceUnavailable
from zts_core.graph.port import Changes, ResultGraph
from zts_core.graph.translate import Translator
from zts_core.outbox import Delivered, Lease, Outbox, Pending
from zts_core.ports import LedgerEntry

log = logging.getLogger(__name__)

_SENSELESS = (GraphRefused, ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What a line can be at fault for: the graph refuses its values, or they mean nothing."""


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Times in seconds: `interval_s` between looks, `budget_s` for one go, `lease_s` of the right to feed.

    `runs`, and `lines` of each, are read and written at once; a line is set aside after `tries`.
    """

    interval_s: float = 1.0
    budget_s: float = 10.0
    lease_s: float = 10.0
    rest_s: float = 1.0
    rest_most_s: float = 10.0
    runs: int = 100
    lines: int = 100
    tries: int = 3


class ResultFeed:
    """Feeds one graph from one outbox."""

    def __init__(
        self,
        outbox: Outbox,
        graph: ResultGraph,
        *,
        limits: FeedLimits | None = None,
        written: Callable[[Sequence[Pending], int], None] | None = None,
    ) -> None:
        """`written` is told of each batch in the graph, and when its writing began (nanoseconds since 1970)."""
        self.outbox = outbox
        self.graph = graph
        self.limits = limits or FeedLimits()
        self._written = written
        self.stopping = threading.Event()
        self._prepared = False

    def wanted(self) -> bool:
        """Whether somebody should `feed` now; true for one caller per interval in the whole cluster."""
        return self.outbox.asks(interval_s=self.limits.interval_s * 0.9)

    def feed(self) -> int:
        """Deliver what waits, until nothing does or the time of one go is over; how many lines that were.

        Where the graph does not take them, everybody lets it rest for a while, and ServiceUnavailable says why.
        """
        with self.outbox.feeder(lease_s=self.limits.lease_s) as lease:
            if lease is None:
                return 0
            try:
                return self._feed(lease)
            except ServiceUnavailable as error:
                trouble = str(error)
                self.outbox.rest(trouble=trouble, base_s=self.limits.rest_s, most_s=self.limits.rest_most_s)
                raise

    def drain(self, *, within_s: float) -> int:
        """Feed until nothing waits, also while another process does it; how many lines this one delivered."""
        until = time.monotonic() + within_s
        lines = 0
        while self.outbox.backlog().runs and time.monotonic() < until and not self.stopping.is_set():
            delivered = self.feed()
            lines += delivered
            if not delivered:
                time.sleep(0.1)
        return lines

    def rebuild(self, *, within_s: float) -> int:
        """Remove every run that is in the store from the graph and deliver it again; how many runs.

        Runs that the store does not have any more stay in the graph as they are.
        """
        until = time.monotonic() + within_s
        while True:
            with self.outbox.feeder(lease_s=self.limits.lease_s) as lease:
                if lease is not None:
                    return self._empty(lease)
            if time.monotonic() > until:
                raise ServiceUnavailable("another process feeds the graph and does not come to an end; try again")
            time.sleep(0.1)

    def _empty(self, lease: Lease) -> int:
        self.prepare()
        run_ids = self.outbox.run_ids()
        for first in range(0, len(run_ids), self.limits.runs):
            self.graph.forget(run_ids[first : first + self.limits.runs])
            lease.renew()
        return self.outbox.refill()

    def _feed(self, lease: Lease) -> int:
        """Deliver until nothing waits; each batch is read and worked out while the one before is written."""
        until = time.monotonic() + self.limits.budget_s
        lines, busy = 0, list[str]()
        before: Future[int] | None = None
        self.prepare()
        with ThreadPoolExecutor(1, "graph-batch") as writing:
            while True:
                over = self.stopping.is_set() or time.monotonic() > until or not lease.renew()
                pending = [] if over else self.outbox.take(runs=self.limits.runs, lines=self.limits.lines, without=busy)
                worked_out = self.work_out(pending)
                if before is not None:
                    delivered = before.result()
                    if not lines:
                        self.outbox.recovered()
                    lines += delivered
                elif not pending:
                    return lines
                before = writing.submit(self.deliver_batch, pending, worked_out) if pending else None
                busy = [each.run.run_id for each in pending]

    def prepare(self) -> None:
        """Constraints and indexes, once per process."""
        if not self._prepared:
            self.graph.prepare()
            self._prepared = True

    def deliver(self, pending: Sequence[Pending]) -> None:
        """Write some runs' lines at once."""
        self.deliver_batch(pending, self.work_out(pending))

    def work_out(self, pending: Sequence[Pending]) -> tuple[Changes, list[Delivered]] | None:
        """What a batch changes, and what is acknowledged then; None where one of its lines makes no sense."""
        together, delivered = Changes(), []
        try:
            for each in pending:
                translator = Translator(each)
                together.merge(translator.add(each.entries))
                delivered.append(_up_to(each, translator))
        except _SENSELESS:
            return None
        return together, delivered

    def deliver_batch(self, pending: Sequence[Pending], worked_out: tuple[Changes, list[Delivered]] | None) -> int:
        """Write a batch; where that is refused, each run's lines on their own. How many lines it holds."""
        if worked_out is not None:
            changes, delivered = worked_out
            began_ns = time.time_ns()
            try:
                self.graph.write(changes)
            except _SENSELESS:
                worked_out = None
            else:
                self.outbox.acknowledge(delivered)
                self._tell(pending, began_ns)
        if worked_out is None:
            for each in pending:
                self.deliver_run(each)
        return sum(len(each.entries) for each in pending)

    def deliver_run(self, pending: Pending) -> None:
        """Write one run's lines; where that is refused, one by one up to the one that is at fault."""
        translator = Translator(pending)
        began_ns = time.time_ns()
        try:
            self.graph.write(translator.add(pending.entries))
        except _SENSELESS:
            self.deliver_lines(pending)
        else:
            self.outbox.acknowledge([_up_to(pending, translator)])
            self._tell([pending], began_ns)

    def _tell(self, pending: Sequence[Pending], began_ns: int) -> None:
        if self._written is not None and pending:
            self._written(pending, began_ns)

    def deliver_lines(self, pending: Pending) -> None:
        memory = pending.memory
        for entry in pending.entries:
            translator = Translator(_only(pending, entry, memory))
            try:
                self.graph.write(translator.add([entry]))
            except _SENSELESS as error:
                if not self.give_up(pending.run.run_id, entry, f"{type(error).__name__}: {error}"):
                    return
            else:
                memory = translator.memory
            self.outbox.acknowledge([Delivered(pending.run.run_id, entry.id, memory)])

    def give_up(self, run_id: str, entry: LedgerEntry, error: str) -> bool:
        """Whether a line was refused often enough to be set aside, so that the run's other lines go on."""
        if self.outbox.postpone(run_id, delay_s=self.limits.rest_s) < self.limits.tries:
            return False
        self.outbox.set_aside(run_id, entry, error=error)
        log.error("the graph does not take line %s of run %s (%s), set aside: %s", entry.id, run_id, entry.kind, error)
        return True


def _up_to(pending: Pending, translator: Translator) -> Delivered:
    line = pending.entries[-1].id if pending.entries else "0-0"
    return Delivered(pending.run.run_id, line, translator.memory)


def _only(pending: Pending, entry: LedgerEntry, memory: str) -> Pending:
    return Pending(pending.run, (entry,), memory, pending.idea, pending.steps, pending.results)
