"""Decides whether a Redis still has what it said it had kept: it is looked up again once another server answers.

A Sentinel failover, a crash with `appendfsync everysec`, a restored backup: each can lose the last writes, and none
says so. But each is another server process, with another `run_id`. So every process remembers what it was told lately,
and looks whether it is there when that id changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha1
from threading import Lock
from typing import Any, cast

import redis
from redis.exceptions import ResponseError

from zts_core.redis_store import keys
from zts_core.redis_store.scripts import translated

REMEMBERED_S = 60.0
"""Seconds that a process remembers what it was told; a failover takes less."""
MOST_REMEMBERED = 5_000

WHOLE_RUN = 0
"""Stands for the run itself where a step's number is asked for."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another server answers; `lost`: (run, step) that it does not have, step 0 for a decision or the run itself."""

    place: str
    lost: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        if not self.lost:
            return f"Redis at {self.place} was restarted or replaced; nothing that this process was told is missing"
        named = ", ".join(f"run {run_id}" + (f" step {seq}" if seq else "") for run_id, seq in self.lost[:5])
        more = f" and {len(self.lost) - 5} more" if len(self.lost) > 5 else ""
        return (
            f"Redis at {self.place} was restarted or replaced and has lost what it had accepted: {named}{more}; "
            "lost results are made again, a lost run has to be submitted again"
        )


class Witness:
    """Remembers what this process was told lately, and looks it up when the server is another one."""

    def __init__(
        self, client: redis.Redis, *, place: str, remembered_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = client
        self._place = place
        self._remembered_s = min(remembered_s, REMEMBERED_S)
        self._clock = clock
        self._told: dict[tuple[str, int], tuple[float, int]] = {}
        self._server = ""
        self._lock = Lock()

    def run_kept(self, run_id: str, version: int) -> None:
        """The server said that this run is at this version, or further."""
        self._remember((run_id, WHOLE_RUN), version)

    def result_kept(self, run_id: str, seq: int) -> None:
        """The server said that it has this step's result."""
        self._remember((run_id, seq), 0)

    @property
    def remembers(self) -> bool:
        """Whether there is anything that could be missing."""
        return bool(self._told)

    def look(self) -> Replaced | None:
        """What became of it, where another server answers than before; ServiceUnavailable where none does."""
        with self._lock, translated(self._place):
            try:
                server = str(cast("Mapping[str, Any]", self._redis.info("server")).get("run_id", ""))
            except ResponseError:
                # A user without the right to ask: then nothing can be said.
                return None
            before = self._server
            if before == server:
                self._forget()
                return None
            # At the first look too: the server may have been replaced since it said the first thing.
            found = Replaced(self._place, self._missing())
            self._note(server, len(found.lost))
            # Last: where the new server goes away meanwhile, all of it is looked up again.
            self._server = server
            return found if before or found.lost else None

    def _remember(self, what: tuple[str, int], version: int) -> None:
        if len(self._told) < MOST_REMEMBERED:
            self._told[what] = (self._clock(), version)

    def _forget(self) -> None:
        until = self._clock() - self._remembered_s
        for what, (at, _) in list(self._told.items()):
            if at < until:
                self._told.pop(what, None)

    def _missing(self) -> tuple[tuple[str, int], ...]:
        told = dict(self._told)
        pipe = self._redis.pipeline(transaction=False)
        for run_id, seq in told:
            if seq == WHOLE_RUN:
                pipe.hget(keys.run_key(run_id), "version")
            else:
                pipe.hget(keys.run_key(run_id, "steps"), f"{seq}:status")
        missing = tuple(
            what
            for what, found in zip(told, pipe.execute(), strict=True)
            if not (found == "done" if what[1] else found is not None and int(found) >= told[what][1])
        )
        return self._missed(missing)

    def _missed(self, missing: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
        """Without what somebody has deleted meanwhile."""
        pipe = self._redis.pipeline(transaction=False)
        for run_id, _ in missing:
            pipe.zscore(keys.DELETED, sha1(run_id.encode(), usedforsecurity=False).hexdigest())
        return tuple(what for what, deleted in zip(missing, pipe.execute(), strict=True) if deleted is None)

    def _note(self, server: str, lost: int) -> None:
        """In the server's own counters: one replacement for the whole cluster, everybody's losses together."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(keys.SERVER, "run_id")
        pipe.hset(keys.SERVER, "run_id", server)
        if lost:
            pipe.hincrby(keys.COUNTS, "lost server", lost)
            pipe.hset(keys.SERVER, "lost_at", str(int(time.time())))
        known = pipe.execute()[0]
        if known and known != server:
            self._redis.hincrby(keys.COUNTS, "replaced server", 1)
