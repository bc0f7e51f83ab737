"""Decides how the contract's tests reach a store and let time pass, in memory and on a real Redis."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import redis

from tests.fakes import MemoryStore
from tests.unit.heart.playing import plan_of
from zts_core.advance import advance
from zts_core.decision import Decision
from zts_core.ports import Claim, ClaimVerdict, NewRun, RunStore, Settling, StepResult
from zts_core.redis_store import RedisStore
from zts_core.run import RunState, Settled, SettledAs
from zts_core.sealing import NO_SEALER, Sealer, open_sealer
from zts_core.workflow.plan import Plan

Raw = dict[str, Any]


class World:
    """A store, and how its clock is moved."""

    def __init__(self, store: RunStore, let_pass: Callable[[float], None]) -> None:
        self.store = store
        """`me` is connected to it, nobody else is."""
        self.let_pass = let_pass

    def submit(self, *nodes: Raw, run_id: str = "r1", key: str = "", deadline_s: float = 60, **new: Any) -> Plan:
        """Record a run of these nodes with its first wave."""
        plan = plan_of(*nodes)
        self.create(plan, run_id=run_id, key=key, deadline_s=deadline_s, **new)
        return plan

    def create(self, plan: Plan, *, run_id: str = "r1", deadline_s: float = 60, max_steps: int = 50, **new: Any) -> str:
        decision = advance(plan, RunState(max_steps=max_steps))
        run = NewRun(run_id, "an idea", "a title", "main", max_steps, deadline_s, **new)
        return self.store.create(run, plan, decision).run_id

    def claim(self, seq: int = 1, *, run_id: str = "r1", worker: str = "w", lease_s: float = 30, **more: Any) -> Claim:
        return self.store.claim(run_id, seq, worker=worker, lease_s=lease_s, **more)

    def claimed(self, seq: int = 1, **options: Any) -> int:
        """The attempt number of a claim that must succeed."""
        claim = self.claim(seq, **options)
        assert claim.verdict is ClaimVerdict.CLAIMED
        return claim.attempt

    def settle(self, seq: int = 1, *, attempt: int = 1, status: SettledAs = SettledAs.DONE, **rest: Any) -> Settling:
        reason = rest.pop("reason", "")
        settled = Settled(seq, status, "a" if status is SettledAs.DONE else "", f"d{seq}", {}, reason)
        result = StepResult("a", {"n": seq}, {"file.txt": ("abc", 3)})
        return self.store.settle("r1", settled, attempt=attempt, result=result, **rest)

    def decide(self, plan: Plan) -> Decision:
        """What follows from the position and what has settled, not yet recorded."""
        position = self.store.position("r1")
        return advance(plan, position.state, position.settled)

    def advance(self, plan: Plan) -> Decision:
        """The same, recorded."""
        version = self.store.position("r1").version
        decision = self.decide(plan)
        self.store.record("r1", decision, version=version)
        return decision

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.store.ledger("r1")]

    def due(self, *, unclaimed_after_s: float = 1000, undecided_after_s: float = 1000, backlog: bool = False) -> Any:
        return self.store.due(
            unclaimed_after_s=unclaimed_after_s, undecided_after_s=undecided_after_s, backlog=backlog, limit=100
        )


def memory_world(*, retention_s: float = 3600) -> World:
    store = MemoryStore(retention_s=retention_s)
    store.gone.add("w")
    return World(store, store.clock.advance)


SEALER = open_sealer(base64.b64encode(bytes(32)).decode())


def redis_world(url: str, *, retention_s: float = 3600, sealer: Sealer = NO_SEALER) -> World:
    """A store on an empty server; time passes by itself there, so it is waited for on the server's own clock."""
    client = redis.Redis.from_url(url)
    client.flushall()

    def now() -> float:
        seconds, micros = client.time()
        return float(seconds) + float(micros) / 1e6

    def let_pass(seconds: float) -> None:
        until = now() + seconds
        while now() <= until:
            time.sleep(0.002)

    return World(RedisStore(url, retention_s=retention_s, timeout_s=5, name="me", sealer=sealer), let_pass)
