"""Plays whole runs on a real store without workers, at random from a seed: everything that can happen to a step."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from tests.fakes import MemoryQueue
from tests.unit.heart.playing import approval, call, foreach, loop, parallel, plan_of, sequence, step, when
from zts_core.dispatch import Dispatcher
from zts_core.errors import BadInput
from zts_core.merging import digest_of
from zts_core.ports import ClaimVerdict, Cost, NewRun, Pace, StepRecord, StepResult
from zts_core.redis_store import RedisStore
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.reviving import REVIVABLE, Reviver
from zts_core.run import Ending, Outcome, RunStatus, Settled, SettledAs, StepStatus
from zts_core.workflow.plan import Plan

AWKWARD = 'she said "no" \\ \n наука 🚀 `x` {y} $z'


def plans() -> list[Plan]:
    """Small workflows that between them hold every kind of node, gate and end."""
    build = step("BUILD", "builder", conditions=[when("validator.ok")])
    review = loop("REVIEW", step("FEEDBACK", "reviewer"), step("FIX", "builder", on_error="continue"), times=3)
    left = loop("TRY", step("ATTEMPT", "builder"), times=3, break_conditions=[when("builder.ok")])
    gated = step("B", "builder", conditions=[when("validator.ok", on_fail={"escalate_to": "other"})])
    each = foreach("planner.items", step("ITEM", "builder"), max_parallel=2)
    return [
        plan_of(step("CHECK", "validator"), build, step("END", "marketing")),
        plan_of(step("CHECK", "validator"), gated, other=[step("O", "planner"), step("P", "builder")]),
        plan_of(step("A", "validator"), parallel(step("B", "builder"), sequence(step("C", "x"), step("D", "y")))),
        plan_of(step("BUILD", "builder"), approval("GO", timeout=500.0), review, step("END", "marketing")),
        plan_of(step("PLAN", "planner"), each, step("JOIN", "reviewer")),
        plan_of(left, call("inner"), call("inner"), inner=[step("I", "inner")]),
    ]


class NoFiles:
    """Keeps no contents: histories have digests only."""

    def get(self, run_id: str, digest: str) -> bytes:
        return b""

    def put(self, run_id: str, content: bytes) -> str:
        return ""


class Player:
    """Moves runs on by random steps until they end."""

    def __init__(self, url: str, seed: int, *, retention_s: float = 3600) -> None:
        self.store = RedisStore(url, retention_s=retention_s, timeout_s=10)
        self.book = RedisCallBook(url, retention_s=retention_s, timeout_s=10)
        self.calls = 0
        self.client = redis.Redis.from_url(url, decode_responses=True)
        self.dispatcher = Dispatcher(self.store, MemoryQueue())
        self.random = random.Random(seed)
        self.seed = seed
        self.plans: dict[str, Plan] = {}

    def start(self, *, plan: Plan | None = None, idea: str = "", max_steps: int = 25) -> str:
        number = len(self.plans)
        run_id = f"run-{self.seed}-{number}"
        plan = plan or self.random.choice(plans())
        title = f"Idea {self.random.randint(1, 3)}"
        new = NewRun(run_id, idea or f"{title} {AWKWARD}", title, plan.root, max_steps, 3600, values={"n": number})
        self.plans[run_id] = plan
        self.dispatcher.start_run(new, plan)
        return run_id

    def move(self, run_id: str) -> bool:
        """One thing that happens to a run; False once it has ended."""
        if self.store.run(run_id).status is RunStatus.FINISHED:
            return False
        chance = self.random.random()
        if chance < 0.02:
            self.store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="enough")
            self.dispatcher.advance_run(run_id, stop=Ending(Outcome.CANCELLED, "enough"))
        elif chance < 0.04:
            self.store.pause(run_id, paused=True)
            self.store.pause(run_id, paused=False)
        else:
            self.move_step(run_id, self.random.choice(self.open_steps(run_id)))
        return True

    def open_steps(self, run_id: str) -> list[StepRecord]:
        over = (StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELLED)
        return [step for step in self.store.steps(run_id) if step.status not in over]

    def move_step(self, run_id: str, step: StepRecord) -> None:
        moves: dict[StepStatus, Callable[[], None]] = {
            StepStatus.QUEUED: lambda: self.claim(run_id, step.seq),
            StepStatus.RUNNING: lambda: self.end_attempt(run_id, step),
            StepStatus.RETRYING: lambda: self.retry(run_id, step),
            StepStatus.WAITING: lambda: self.answer(run_id, step),
        }
        moves[step.status]()

    def claim(self, run_id: str, seq: int) -> None:
        claim = self.store.claim(run_id, seq, worker=f"host:{self.random.randint(1, 3)}", lease_s=1000)
        if claim.verdict is ClaimVerdict.CLAIMED and self.random.random() < 0.3:
            self.store.say(run_id, seq, attempt=claim.attempt, line="half way")

    def call_model(self, run_id: str, seq: int, attempt: int, *, usd: float, reused: bool = False) -> None:
        """One model call of an attempt at work; or the recorded answer that takes its place."""
        self.calls += 1
        call, cost = f"{seq}:{attempt}:{self.calls}", Cost(0.0 if reused else usd, 0 if reused else 100)
        detail = {"attempt": attempt, "crew": "c", "usd": cost.usd, "tokens": cost.tokens, "asked": AWKWARD}
        if reused:
            self.book.reuse(run_id, seq, call=call, detail={**detail, "reused": True})
            return
        held = {"attempt": attempt, "call": call, "crew": "c", "most": cost, "provider": "p", "pace": Pace()}
        self.book.reserve(run_id, seq, **held)  # type: ignore[arg-type]
        self.book.settle(run_id, seq, call=call, cost=cost, detail=detail)

    def end_attempt(self, run_id: str, step: StepRecord) -> None:
        if step.seq % 2:
            self.call_model(run_id, step.seq, step.attempt, usd=0.001 * step.seq)
            self.call_model(run_id, step.seq, step.attempt, usd=0.001, reused=step.seq % 3 == 0)
        chance = self.random.random()
        if self.store.position(run_id).stopping and chance < 0.5:
            settled = Settled(step.seq, SettledAs.CANCELLED, reason="told to stop")
            self.store.settle(run_id, settled, attempt=step.attempt, result=StepResult())
            self.dispatcher.advance_run(run_id)
        elif chance < 0.1:
            self.store.back_off(run_id, step.seq, attempt=step.attempt, delay_s=0, error=f"busy {AWKWARD}")
        elif chance < 0.18:
            self.lose_worker(run_id, step)
        else:
            self.settle(run_id, step, failed=chance < 0.24)

    def lose_worker(self, run_id: str, step: StepRecord) -> None:
        self.client.zadd("zts:leases", {f"{run_id}:{step.seq}": 1})
        if self.store.requeue_expired(run_id, step.seq, takeovers=2).value == "dead":
            self.dispatcher.advance_run(run_id)

    def settle(self, run_id: str, step: StepRecord, *, failed: bool = False) -> None:
        namespace = step.crew
        output = self.output()
        if failed:
            settled, result = Settled(step.seq, SettledAs.FAILED, reason="it broke"), StepResult()
        else:
            digest = digest_of(json.dumps(output, sort_keys=True))
            facts = self.plans[run_id].facts(namespace, output)
            settled = Settled(step.seq, SettledAs.DONE, namespace, digest, facts)
            result = StepResult(namespace, output, self.artifacts())
        self.store.settle(run_id, settled, attempt=step.attempt, result=result)
        if self.random.random() < 0.8:
            self.dispatcher.advance_run(run_id)

    def output(self) -> dict[str, Any]:
        drawn = self.random
        return {
            "ok": drawn.random() < 0.7,
            "score": round(drawn.random(), 3),
            "items": list(range(drawn.randint(0, 4))),
            "note": AWKWARD,
            "tasks": [{"id": f"T{n}", "title": AWKWARD, "depends_on": [f"T{n - 1}"] if n else []} for n in range(3)],
            "change_requests": [{"message": AWKWARD, "severity": "high", "path": "a.py"}] * drawn.randint(0, 2),
        }

    def artifacts(self) -> dict[str, tuple[str, int]]:
        contents = [self.random.randint(1, 20) for _ in range(self.random.randint(0, 3))]
        return {f"f{n}.txt": (digest_of(str(content)), content) for n, content in enumerate(contents)}

    def retry(self, run_id: str, step: StepRecord) -> None:
        self.store.requeue_retry(run_id, step.seq)

    def answer(self, run_id: str, step: StepRecord) -> None:
        self.store.answer(run_id, step.seq, approved=self.random.random() < 0.7, by="ada", comment="fine")
        self.dispatcher.advance_run(run_id)

    def finish(self, run_id: str, *, within_s: float = 60) -> None:
        until = time.monotonic() + within_s
        while self.move(run_id):
            assert time.monotonic() < until, f"run {run_id} does not end"
            if not self.open_steps(run_id):
                self.dispatcher.advance_run(run_id)

    def play(self, runs: int) -> list[str]:
        """Runs to their ends; some of them are opened again and end twice, some are replayed from a state."""
        run_ids = [self.start() for _ in range(runs)]
        for run_id in run_ids:
            self.finish(run_id)
        return [*run_ids, *(again for run_id in run_ids for again in self.live_on(run_id))]

    def live_on(self, run_id: str) -> list[str]:
        """Retry a run that failed, or replay one; the ids of the new runs."""
        reviver = Reviver(self.dispatcher)
        with suppress(BadInput):  # most ends are met again
            while self.store.run(run_id).outcome in REVIVABLE and self.random.random() < 0.8:
                reviver.retry_run(run_id)
                self.finish(run_id)
        if self.random.random() < 0.6:
            return []
        number = len(self.plans)
        new = NewRun(f"run-{self.seed}-{number}", "an idea", "Idea 1", self.plans[run_id].root, 25, 3600)
        state = self.random.choice(self.store.steps(run_id)).state
        self.plans[new.run_id] = self.plans[run_id]
        try:
            reviver.replay_run(run_id, new, from_state=state, files=NoFiles())
        except BadInput:
            del self.plans[new.run_id]
            return []
        self.finish(new.run_id)
        return [new.run_id]
