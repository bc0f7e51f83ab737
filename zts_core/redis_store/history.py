"""Decides how many runs are read at once for an overview: piece by piece, so that memory does not grow with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from zts_core.crew import short_name
from zts_core.ports import Cost
from zts_core.redis_store import keys
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import translated
from zts_core.redis_url import place_of

AT_ONCE = 100
"""Runs per round trip."""
_RUN = ("workflow", "status", "outcome", "created", "finished")
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One step: its last status, how often it was tried, and how long its last attempt took (ms)."""

    state: str
    crew: str
    status: str
    attempts: int
    failures: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run in numbers; times in milliseconds since 1970, 0 where it has not ended; costs also by crew."""

    run_id: str
    workflow: str
    status: str
    outcome: str
    created_ms: int
    finished_ms: int
    steps: tuple[StepFacts, ...] = ()
    cost: Cost = field(default_factory=Cost)
    by_crew: Mapping[str, Cost] = field(default_factory=dict)


class RedisHistory:
    """Reads runs by when they were submitted. ServiceUnavailable where Redis does not answer."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.place = place_of(url)
        self._redis = connect(url, timeout_s=timeout_s)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def count(self, since_ms: int) -> int:
        """How many runs were submitted since then and are still kept."""
        with translated(self.place):
            return self._redis.zcount(keys.RUNS, since_ms, "+inf")

    def since(self, since_ms: int) -> Iterator[Sequence[RunFacts]]:
        """Runs submitted since then, the oldest first; a run that goes while they are read is left out."""
        last, seen = float(since_ms), set[str]()
        while True:
            with translated(self.place):
                rows = cast(
                    "list[tuple[str, float]]",
                    self._redis.zrangebyscore(
                        keys.RUNS, last, "+inf", start=0, num=AT_ONCE + len(seen), withscores=True
                    ),
                )
            fresh = [run_id for run_id, _ in rows if run_id not in seen]
            if not fresh:
                return
            yield self._facts(fresh)
            # Many runs may have one time: those of the last are read again, and passed over.
            seen = {run_id for run_id, at in rows if at == rows[-1][1]}
            last = rows[-1][1]

    def _facts(self, run_ids: Sequence[str]) -> list[RunFacts]:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            for run_id in run_ids:
                pipe.hmget(keys.run_key(run_id), *_RUN)
                pipe.hgetall(keys.run_key(run_id, "steps"))
                pipe.hmget(keys.run_key(run_id, "calls"), "spent_usd", "spent_tokens")
            rows = pipe.execute()
        found = {
            run_id: (rows[3 * at], tuple(_steps(rows[3 * at + 1])), rows[3 * at + 2])
            for at, run_id in enumerate(run_ids)
            if rows[3 * at][0]
        }
        paid = {run_id: {step.crew for step in steps} for run_id, (_, steps, calls) in found.items() if calls[1]}
        by_crew = self._by_crew(paid)
        return [
            RunFacts(
                run_id,
                workflow,
                status,
                outcome or "",
                int(created or 0),
                int(finished or 0),
                steps,
                Cost(int(usd or 0) / _MICRO, int(tokens or 0)),
                by_crew.get(run_id, {}),
            )
            for run_id, ((workflow, status, outcome, created, finished), steps, (usd, tokens)) in found.items()
        ]

    def _by_crew(self, paid: Mapping[str, set[str]]) -> dict[str, dict[str, Cost]]:
        asked = [(run_id, crew) for run_id, crews in paid.items() for crew in sorted(crews) if crew]
        if not asked:
            return {}
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            for run_id, crew in asked:
                short = short_name(crew)
                pipe.hmget(keys.run_key(run_id, "calls"), f"spent_usd:{short}", f"spent_tokens:{short}")
            rows = pipe.execute()
        found: dict[str, dict[str, Cost]] = {}
        for (run_id, crew), (usd, tokens) in zip(asked, rows, strict=True):
            if tokens:
                found.setdefault(run_id, {})[crew] = Cost(int(usd or 0) / _MICRO, int(tokens))
        return found


def _steps(raw: Mapping[str, str]) -> Iterator[StepFacts]:
    for seq, text in raw.items():
        if seq.isdigit():
            static: dict[str, Any] = json.loads(text)
            started, ended = int(raw.get(f"{seq}:started") or 0), int(raw.get(f"{seq}:ended") or 0)
            yield StepFacts(
                static.get("state", ""),
                static.get("crew", ""),
                raw.get(f"{seq}:status", ""),
                int(raw.get(f"{seq}:attempt") or 0),
                int(raw.get(f"{seq}:failures") or 0),
                max(0, ended - started) if started and ended else 0,
            )
