"""Decides which runs have series of their own, and what these tell: few runs, for a while, read by one worker.

A run's id has no bound, so a run gets one of `most` places, the newest unfinished first, and keeps it until its end has
been seen. One worker of all reads and shows them: others would add the same series, and the same reading, once more.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from zts_core.limits import Budget
from zts_core.ports import Cost
from zts_core.redis_store import keys
from zts_core.redis_store.codec import MICRO, budget_in, status_of
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import Scripts, translated
from zts_core.redis_url import place_of
from zts_core.run import StepStatus, family_of

SHOWN_AFTER_END_S = 300
"""How long a run is shown after its end."""
SHOWN_AT_LEAST_S = 60
"""How long at least, where others wait for its place."""
MOST_OPEN = 50
"""Open steps of a run that are looked at one by one: those at work first, then the oldest."""
MORE = 20
"""Steps that are asked for beyond those that count against a run's cap: approvals, reused ones, others since."""
SHORTEST_LEASE_S, LONGEST_LEASE_S, LOOKS_PER_LEASE = 15.0, 180.0, 3
"""Whoever shows the runs does so for three of its scrapes to come, within these bounds."""

_OPEN = (StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.WAITING, StepStatus.QUEUED)
_RUN = ("workflow", "status", "outcome", "created", "finished", "paused", "budget_usd", "budget_tokens")


@dataclass(frozen=True, slots=True)
class OpenSteps:
    """Open steps of one state, iterations and items taken together: how many, and how long the longest (s)."""

    state: str
    crew: str
    status: str
    number: int
    longest_s: float


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run as its series tell it; `status` is the outcome once it has one, and `age_s` then its duration."""

    run_id: str
    workflow: str
    status: str
    age_s: float
    steps: Mapping[str, int]
    retries: int
    takeovers: int
    cost: Cost
    budget: Budget
    open: Sequence[OpenSteps] = ()


@dataclass(slots=True)
class _Found:
    """What the first look at a run gave."""

    run_id: str
    run: Mapping[str, str]
    cost: Cost
    statuses: list[str] = field(default_factory=list)
    retries: int = 0
    takeovers: int = 0

    def add(self, block: Sequence[str | None]) -> bool:
        """Take in the status, failures and takeovers of the next steps; whether there may be more."""
        for status, failures, takeovers in zip(block[::3], block[1::3], block[2::3], strict=True):
            if status is None:
                return False
            self.statuses.append(status)
            self.retries += int(failures or 0)
            self.takeovers += int(takeovers or 0)
        return True

    def open(self) -> list[int]:
        """The numbers of the open steps that are looked at."""
        found = [
            (_OPEN.index(StepStatus(status)), seq) for seq, status in enumerate(self.statuses, 1) if status in _OPEN
        ]
        return [seq for _, seq in sorted(found)[:MOST_OPEN]]


class RedisShownRuns:
    """Reads them in three round trips. Connects at the first call; ServiceUnavailable where Redis does not answer."""

    def __init__(self, url: str, *, most: int, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`most`: places for runs, of all workers together."""
        self.most = most
        self._me = uuid.uuid4().hex
        self._clock = clock
        self._looked_at: float | None = None
        self._since_ms: dict[tuple[str, int, str, str], int] = {}
        self._redis = connect(url, timeout_s=timeout_s)
        self._scripts = Scripts(self._redis, place=place_of(url), names=("shown",))
        self.place = place_of(url)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def read(self) -> Sequence[ShownRun]:
        """The runs that have a place, where this process is the one that shows them."""
        lasting = (self._lease_s(), self.most, SHOWN_AFTER_END_S * 1000, SHOWN_AT_LEAST_S * 1000)
        answer = self._scripts.call("shown", "", self._me, int(lasting[0] * 1000), *lasting[1:])
        if not answer:
            self._since_ms.clear()
            return ()
        now_ms, run_ids, started = answer
        with translated(self.place):
            found = self._facts(dict(zip(run_ids, map(int, started), strict=True)))
            open_of = self._open(found, now_ms)
        return [_shown(each, open_of.get(each.run_id, ()), now_ms) for each in found]

    def _lease_s(self) -> float:
        """As long as a few of the pauses between two scrapes: a worker that is gone is replaced soon after."""
        now = self._clock()
        pause_s = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        return min(max(pause_s * LOOKS_PER_LEASE, SHORTEST_LEASE_S), LONGEST_LEASE_S)

    def _facts(self, runs: Mapping[str, int]) -> list[_Found]:
        """Runs by their ids, each with about as many steps as are given beside it."""
        if not runs:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for run_id, started in runs.items():
            pipe.hmget(keys.run_key(run_id), *_RUN)
            pipe.hmget(keys.run_key(run_id, "calls"), "spent_usd", "spent_tokens")
            pipe.hmget(keys.run_key(run_id, "steps"), *_names(1, started + MORE))
        rows = pipe.execute()
        found, more = [], []
        for run_id, run, (usd, tokens), block in zip(runs, rows[::3], rows[1::3], rows[2::3], strict=True):
            if run[0] is None:
                continue
            known = {name: value for name, value in zip(_RUN, run, strict=True) if value is not None}
            found.append(_Found(run_id, known, Cost(int(usd or 0) / MICRO, int(tokens or 0))))
            if found[-1].add(block):
                more.append(found[-1])
        while more:
            for each in more:
                had = len(each.statuses)
                pipe.hmget(keys.run_key(each.run_id, "steps"), *_names(had + 1, had + MORE))
            more = [each for each, block in zip(more, pipe.execute(), strict=True) if each.add(block)]
        return found

    def _open(self, found: Sequence[_Found], now_ms: int) -> dict[str, list[OpenSteps]]:
        asked = [(each, seq) for each in found for seq in each.open()]
        pipe = self._redis.pipeline(transaction=False)
        for each, seq in asked:
            names = (str(seq), *(f"{seq}:{name}" for name in ("attempt", "queued", "started")))
            pipe.hmget(keys.run_key(each.run_id, "steps"), *names)
        seen_before, self._since_ms = self._since_ms, {}
        ages_of: dict[str, dict[tuple[str, str, str], list[float]]] = {}
        for (each, seq), (step, attempt, queued, started) in zip(asked, pipe.execute() if asked else (), strict=True):
            if step is None:
                continue
            static, status = json.loads(step), each.statuses[seq - 1]
            place = (each.run_id, seq, status, attempt or "")
            since_ms = int((queued if status in (StepStatus.QUEUED, StepStatus.WAITING) else started) or now_ms)
            # A step that is sent again waits since it was sent first: what was seen before is remembered.
            self._since_ms[place] = min(since_ms, seen_before.get(place, since_ms))
            state = (family_of(static["state"]), static.get("crew", ""), status)
            ages = ages_of.setdefault(each.run_id, {}).setdefault(state, [])
            ages.append(max(0, now_ms - self._since_ms[place]) / 1000)
        return {
            run_id: [OpenSteps(*state, number=len(ages), longest_s=max(ages)) for state, ages in states.items()]
            for run_id, states in ages_of.items()
        }


def _names(first: int, number: int) -> Iterator[str]:
    for seq in range(first, first + number):
        yield from (f"{seq}:status", f"{seq}:failures", f"{seq}:takeovers")


def _shown(found: _Found, open_steps: Sequence[OpenSteps], now_ms: int) -> ShownRun:
    run = found.run
    until_ms = int(run.get("finished", now_ms))
    return ShownRun(
        run_id=found.run_id,
        workflow=run["workflow"],
        status=run.get("outcome") or status_of(run),
        age_s=max(0, until_ms - int(run["created"])) / 1000,
        steps=Counter(found.statuses),
        retries=found.retries,
        takeovers=found.takeovers,
        cost=found.cost,
        budget=budget_in(run.get("budget_usd"), run.get("budget_tokens")),
        open=open_steps,
    )
