"""Decides how results reach FalkorDB, the embedded graph: GRAPH.QUERY through redis-py, a batch in one round trip.

FalkorDB undoes nothing when a later statement of a batch fails. That is harmless here: every statement may be repeated
and what is older never replaces what is newer, so the batch is simply written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import redis
from redis.exceptions import RedisError, ResponseError

from zts_core.errors import GraphRefused, ServiceUnavailable
from zts_core.graph.falkor_codec import decoded, with_parameters
from zts_core.graph.port import Changes, Row, Table
from zts_core.graph.statements import statements

SCHEME = "falkor"
GRAPH = "zerotoship"
"""Key of the graph in its Redis."""

_STATES = ("OOM", "LOADING", "READONLY", "MISCONF", "NOAUTH", "WRONGPASS", "unknown command", "Max pending queries")
"""Beginnings of refusals that are about the server's state and not about the query."""


class FalkorGraph:
    """A ResultGraph on a Redis with FalkorDB's module. `url`: `falkor://host:port` or `falkor+unix:///path`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        scheme, _, rest = url.partition("://")
        self.place = f"the embedded graph at {rest.rpartition('@')[2]}"
        self._timeout_ms = int(timeout_s * 1000)
        self._names: dict[str, list[str]] = {}
        self._redis: Any = redis.Redis.from_url(
            f"{'unix' if scheme.endswith('+unix') else 'redis'}://{rest}",
            decode_responses=True,
            protocol=2,
            socket_timeout=timeout_s + 1,
            socket_connect_timeout=min(5.0, timeout_s),
        )

    def close(self) -> None:
        self._redis.close()

    def prepare(self) -> None:
        """Create what is missing; it says "already indexed" where nothing is."""
        with self._translated():
            for statement in statements("schema_falkor").values():
                try:
                    self._redis.execute_command("GRAPH.QUERY", GRAPH, statement)
                except ResponseError as error:
                    if "already indexed" not in str(error):
                        raise

    def write(self, changes: Changes) -> None:
        texts = statements("write")
        self._all([with_parameters(texts[kind], {"rows": rows}) for kind, rows in changes.by_statement().items()])

    def forget(self, run_ids: Sequence[str]) -> None:
        self._all([with_parameters(text, {"ids": list(run_ids)}) for text in statements("forget").values()])

    def ask(self, cypher: str, parameters: Row, *, limit: int) -> Table:
        with self._translated():
            answer = self._query("GRAPH.RO_QUERY", with_parameters(cypher, parameters))
            if len(answer) < 3:  # nothing was returned, only statistics
                return Table((), ())
            columns, rows, _ = answer
            told = [[decoded(cell, self._name) for cell in row] for row in rows[:limit]]
        return Table([name for _, name in columns], told, len(rows) > limit)

    def _all(self, queries: Sequence[str]) -> None:
        with self._translated():
            pipe = self._redis.pipeline(transaction=False)
            for query in queries:
                pipe.execute_command("GRAPH.QUERY", GRAPH, query, "timeout", self._timeout_ms)
            pipe.execute()

    def _query(self, command: str, query: str) -> list[Any]:
        asked = self._redis.execute_command(command, GRAPH, query, "--compact", "timeout", self._timeout_ms)
        return cast("list[Any]", asked)

    def _name(self, procedure: str, number: int) -> str:
        known = self._names.setdefault(procedure, [])
        if number >= len(known):
            answer = self._query("GRAPH.RO_QUERY", f"CALL db.{procedure}()")
            known[:] = [decoded(row[0], self._name) for row in answer[1]]
        return known[number]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say what is wrong in one line that names the place and the cure."""
        try:
            yield
        except ResponseError as error:
            said = str(error).splitlines()[0]
            if "read-only queries" in said:
                raise GraphRefused("the query writes; `zts graph` only reads") from error
            if "imed out" in said:
                raise ServiceUnavailable(f"{self.place}: the query took longer than {self._timeout_ms} ms") from error
            if any(state in said for state in _STATES):
                raise ServiceUnavailable(f"{self.place} refuses: {said}; see its log") from error
            raise GraphRefused(f"{self.place} refuses it: {said}") from error
        except (RedisError, OSError) as error:
            raise ServiceUnavailable(f"{self.place} does not answer: {error}; is the embedded stack up?") from error
        except (ValueError, UnicodeError) as error:
            raise GraphRefused(f"{self.place} takes no such value: {error}") from error
