"""Decides how spans of one run find each other across processes: its trace stands with the run, not in messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from zts_core.errors import UnknownRun
from zts_core.ports import LedgerEntry, RunRecord
from zts_core.redis_store import keys
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import Scripts, translated
from zts_core.redis_store.store import RedisStore
from zts_core.redis_url import place_of
from zts_core.sealing import NO_SEALER, Sealer

TELLING_S = 30
"""How long one worker may take over the spans of ended runs before another does."""


class RedisTraces:
    """What tracing reads and writes. Connects at the first call; ServiceUnavailable where Redis does not answer."""

    def __init__(self, url: str, *, timeout_s: float, sealer: Sealer = NO_SEALER) -> None:
        self.place = place_of(url)
        self._redis = connect(url, timeout_s=timeout_s)
        self._scripts = Scripts(self._redis, place=self.place, names=("trace",))
        self._store = RedisStore(url, retention_s=0, timeout_s=timeout_s, sealer=sealer)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
        self._store.close()

    def trace_of(self, run_id: str) -> str:
        """The run's trace; empty where it has none."""
        with translated(self.place):
            return cast("str | None", self._redis.hget(keys.run_key(run_id), "trace")) or ""

    def settle_trace(self, run_id: str, trace: str) -> str:
        """The run's trace, which is `trace` where it had none; empty where the run is gone."""
        return str(self._scripts.call("trace", run_id, trace))

    def ledger(self, run_id: str, *, after: str = "0") -> Sequence[LedgerEntry]:
        """The run's history after an entry's id."""
        return self._store.ledger(run_id, after=after)

    def record(self, run_id: str) -> RunRecord | None:
        """The run as people see it; None where it is gone."""
        try:
            return self._store.run(run_id)
        except UnknownRun:
            return None

    @contextmanager
    def telling(self, *, limit: int) -> Iterator[Sequence[str]]:
        """Ended runs without a span of their own, the oldest first, for one worker at a time; struck off afterwards."""
        with translated(self.place):
            run_ids = cast("list[str]", self._redis.zrange(keys.TRACES, 0, limit - 1))
            mine = bool(run_ids) and self._redis.set(keys.TELLER, "1", nx=True, ex=TELLING_S)
        if not mine:
            yield ()
            return
        try:
            yield run_ids
            with translated(self.place):
                self._redis.zrem(keys.TRACES, *run_ids)
        finally:
            with translated(self.place):
                self._redis.delete(keys.TELLER)
