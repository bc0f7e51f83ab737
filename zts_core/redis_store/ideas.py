"""Decides how runs with a like idea are found on Redis: by a few lists, so that a look-up never reads many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from redis import ConnectionPool

from zts_core.likeness import ALIKE, SeenBefore, bands, likeness, words
from zts_core.redis_store import keys
from zts_core.redis_store.connecting import beside, connect
from zts_core.redis_store.retrying import RetryWithin
from zts_core.redis_store.scripts import translated
from zts_core.redis_url import place_of
from zts_core.sealing import NO_SEALER, Sealer, Seals

SHELF = 16
"""Runs that one band remembers, the newest: enough that ideas which are not alike do not push each other out."""
READ = 8
"""Runs whose ideas are really read and compared: those that share most bands."""


class RedisIdeas:
    """The IdeaIndex on the Redis of the run store; parameters as RedisStore's. Connects at the first call.

    With `connections` of a store it uses those.
    """

    def __init__(
        self,
        url: str,
        *,
        retention_s: float,
        timeout_s: float,
        sealer: Sealer = NO_SEALER,
        connections: ConnectionPool | None = None,
    ) -> None:
        self._sealer = sealer
        self.place = place_of(url)
        self._retention_ms = int(retention_s * 1000)
        self._redis = beside(connections) or connect(url, timeout_s=timeout_s / 2, retry=RetryWithin(timeout_s))

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def alike(self, idea: str, *, limit: int = 3) -> tuple[SeenBefore, ...]:
        mine = words(idea)
        with translated(self.place):
            run_ids = self._candidates(_bands_of(idea))
            if not run_ids:
                return ()
            pipe = self._redis.pipeline(transaction=False)
            for run_id in run_ids:
                pipe.hmget(keys.run_key(run_id), "idea", "title", "status", "outcome")
            rows = cast("list[list[str | None]]", pipe.execute())
        found = [
            self._seen(run_id, mine, text, title or "", outcome or status or "")
            for run_id, (text, title, status, outcome) in zip(run_ids, rows, strict=True)
            if text is not None
        ]
        near = [seen for seen in found if seen.likeness >= ALIKE]
        return tuple(sorted(near, key=lambda seen: (-seen.likeness, _newest_first(seen.run_id, run_ids)))[:limit])

    def _seen(self, run_id: str, mine: Sequence[str], idea: str, title: str, state: str) -> SeenBefore:
        """How alike a run's idea is; not at all where it does not open."""
        seals = Seals(self._sealer, run_id)
        share = likeness(mine, words(seals.told(idea, "idea")))
        return SeenBefore(run_id, round(share, 2), state, seals.told(title, "title"))

    def remember(self, run_id: str, idea: str, *, deadline_s: float) -> None:
        kept_ms = self._retention_ms + int(deadline_s * 1000)
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            for band in (self._sealer.name("band", band) for band in bands(words(idea))):
                pipe.lpush(keys.alike_key(band), run_id)
                pipe.ltrim(keys.alike_key(band), 0, SHELF - 1)
                pipe.pexpire(keys.alike_key(band), kept_ms)
            pipe.execute()

    def remember_again(self, run_id: str, idea: str, *, until_ms: int) -> None:
        """Under the names of the first key instead of those of others; `until_ms`: the run's deadline."""
        with translated(self.place):
            kept_ms = self._retention_ms + max(0, until_ms - self._redis.time()[0] * 1000)
            pipe = self._redis.pipeline(transaction=True)
            for band in _bands_of(idea):
                first, *others = map(keys.alike_key, self._sealer.names("band", band))
                pipe.lrem(first, 0, run_id)
                pipe.lpush(first, run_id)
                pipe.ltrim(first, 0, SHELF - 1)
                pipe.pexpire(first, kept_ms)
                pipe.delete(*others)
            pipe.execute()

    def _candidates(self, names: Sequence[str]) -> list[str]:
        pipe = self._redis.pipeline(transaction=False)
        for band in names:
            for name in self._sealer.names("band", band):
                pipe.lrange(keys.alike_key(name), 0, SHELF - 1)
        shelves = cast("list[list[str]]", pipe.execute())
        # What is the very same stands on every shelf, so it comes first; among equals the newer one does.
        return [run_id for run_id, _ in Counter(run_id for shelf in shelves for run_id in shelf).most_common(READ)]


@lru_cache(maxsize=4)
def _bands_of(idea: str) -> tuple[str, ...]:
    """Asked for twice with each idea: before its run is recorded, and after."""
    return bands(words(idea))


def _newest_first(run_id: str, run_ids: Sequence[str]) -> int:
    return run_ids.index(run_id)
