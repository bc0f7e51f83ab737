"""Any sequence of calls gets the same answers from the store in memory and from the one on Redis."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.store_worlds import World, memory_world, redis_world
from tests.unit.heart.random_workflows import Maker, fate
from zts_core.advance import advance
from zts_core.decision import Decision
from zts_core.merging import digest_of
from zts_core.ports import Claimant, NewRun, StepResult
from zts_core.run import Outcome, RunState, Settled, SettledAs
from zts_core.workflow.plan import Plan

pytestmark = pytest.mark.redis

CALLS = 80
WINDOW = 2
LIMITS = {"a": 1, "b": 2}
AT_ONCE = 0.0
"""A lease or a back-off of no seconds is over when it begins, by any clock."""
A_MOMENT_S = 0.002


class Twins:
    """Two stores that are asked the same, by a source of randomness that also makes up the questions."""

    def __init__(self, worlds: tuple[World, World], rng: random.Random) -> None:
        self.worlds = worlds
        self.rng = rng
        self.told: list[str] = []
        self.plans: dict[str, Plan] = {}
        self.attempts: dict[tuple[str, int], int] = {}

    def ask(self, question: str, call: Callable[[Any], Any]) -> Any:
        ours, theirs = (call(world.store) for world in self.worlds)
        self.told.append(f"{question}: {ours}")
        assert ours == theirs, "\n".join(self.told)
        return ours

    def let_pass(self) -> None:
        for world in self.worlds:
            world.let_pass(A_MOMENT_S)

    # questions

    def create(self) -> None:
        run_id = f"run{len(self.plans)}"
        plan = self.plans[run_id] = Maker(self.rng, depth=2).plan()
        new = NewRun(run_id, "idea", "title", "main", 30, 1000, key=self.rng.choice(["", "k1", "k2"]))
        new = replace(new, paused=self.rng.random() < 0.1)
        self.ask("create", lambda store: store.create(new, plan, self.windowed(plan, RunState(max_steps=30))))

    def windowed(self, plan: Plan, state: RunState) -> Decision:
        return replace(advance(plan, state), window=WINDOW)

    def claim(self) -> None:
        run_id, seq = self.some_step()
        lease_s = self.rng.choice([AT_ONCE, 1000, 1000, 1000])
        claim = self.ask("claim", lambda store: store.claim(run_id, seq, worker="w", lease_s=lease_s, limits=LIMITS))
        if claim.attempt:
            self.attempts[run_id, seq] = claim.attempt

        self.let_pass()  # so that both agree on who has waited longest

    def wake(self) -> None:
        self.ask("wake", lambda store: store.wake(prune=True))

    def settle(self) -> None:
        run_id, seq = self.some_step()
        attempt = self.attempts.get((run_id, seq), 0) - self.rng.choice([0, 0, 0, 1])
        status, output = fate(7, f"{run_id}{seq}")
        plan, namespace = self.plans[run_id], self.rng.choice("abcd")
        settled = Settled(seq, SettledAs(status), reason="it failed")
        if status == "done":
            settled = Settled(seq, SettledAs.DONE, namespace, digest_of(str(output)), plan.facts(namespace, output))
        result = StepResult(namespace, output)
        position = self.worlds[0].store.position(run_id)
        decide = self.rng.random() < 0.7
        version = position.version - self.rng.choice([0, 0, 0, 1])
        stays = self.rng.random() < 0.5
        by = Claimant("w", self.rng.choice([AT_ONCE, 1000]), str(self.rng.random()), LIMITS) if stays else None

        def call(store: Any) -> Any:
            # The heart takes a position over, so each store gets a decision of its own.
            state = RunState.from_json(position.state.to_json())
            decision = advance(plan, state, [settled]) if decide else None
            given = {}
            if decision and not decision.waits:
                keeps = stays and bool(decision.starts)
                given = {"decision": replace(decision, keeps=keeps, window=WINDOW), "version": version}
            return store.settle(run_id, settled, attempt=attempt, result=result, by=by, **given)

        taken = self.ask("settle", call).taken
        if taken and taken.claim.attempt:
            self.attempts[run_id, taken.seq] = taken.claim.attempt
        self.let_pass()

    def record(self) -> None:
        run_id = self.some_run()
        position = self.worlds[0].store.position(run_id)
        version = position.version - self.rng.choice([0, 0, 0, 1])

        def call(store: Any) -> Any:
            known = store.position(run_id)
            decision = advance(self.plans[run_id], known.state, known.settled, stop=known.stopping)
            return store.record(run_id, replace(decision, window=WINDOW), version=version)

        self.ask("record", call)

    def back_off(self) -> None:
        run_id, seq = self.some_step()
        attempt = self.attempts.get((run_id, seq), 0)
        delay_s = self.rng.choice([AT_ONCE, 1000])
        self.ask(
            "back off", lambda store: store.back_off(run_id, seq, attempt=attempt, delay_s=delay_s, error="overloaded")
        )

    def renew(self) -> None:
        run_id, seq = self.some_step()
        attempt, lease_s = self.attempts.get((run_id, seq), 0), self.rng.choice([AT_ONCE, 1000])
        self.ask("renew", lambda store: store.renew(run_id, seq, attempt=attempt, lease_s=lease_s))

    def say(self) -> None:
        run_id, seq = self.some_step()
        self.ask("say", lambda store: store.say(run_id, seq, attempt=self.attempts.get((run_id, seq), 0), line="x"))

    def answer(self) -> None:
        run_id, seq = self.some_step()
        approved = self.rng.random() < 0.7
        self.ask("answer", lambda store: store.answer(run_id, seq, approved=approved, by="ada", comment="why"))

    def requeue(self) -> None:
        run_id, seq = self.some_step()
        self.ask("expired", lambda store: store.requeue_expired(run_id, seq, takeovers=2))
        self.ask("retry", lambda store: store.requeue_retry(run_id, seq))
        self.ask("unclaimed", lambda store: store.touch_unclaimed(run_id, seq))

    def pause(self) -> None:
        run_id, paused = self.some_run(), self.rng.random() < 0.3
        self.ask("pause", lambda store: store.pause(run_id, paused=paused))

    def withdraw(self) -> None:
        run_id = self.some_run()
        if self.rng.random() < 0.2:
            self.ask("withdraw", lambda store: store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="by ada"))

    def look(self) -> None:
        """Everything that can be read, but for times."""
        self.let_pass()
        self.ask("unfinished", lambda store: list(store.unfinished()))
        self.ask("due", _due)
        for run_id in self.accepted():
            self.ask("position", lambda store, run_id=run_id: _position(store, run_id))
            self.ask("run", lambda store, run_id=run_id: _record(store, run_id))
            self.ask("steps", lambda store, run_id=run_id: _steps(store, run_id))
            self.ask("results", lambda store, run_id=run_id: store.results(run_id, range(40)))
            self.ask("ledger", lambda store, run_id=run_id: _ledger(store, run_id))

    def accepted(self) -> list[str]:
        return [run.run_id for run in self.worlds[0].store.runs(limit=100)]

    def some_run(self) -> str:
        return self.rng.choice(sorted(self.accepted()))

    def some_step(self) -> tuple[str, int]:
        run_id = self.some_run()
        live = [step.seq for step in self.worlds[0].store.steps(run_id) if not step.ended_ms]
        return run_id, self.rng.choice([*(live * 4), 1, 99])


def _due(store: Any) -> Any:
    due = store.due(unclaimed_after_s=0, undecided_after_s=0, backlog=False, limit=1000)
    names = ("leases", "unclaimed", "retries", "approvals", "deadlines", "undecided")
    return {name: sorted(getattr(due, name)) for name in names}


def _position(store: Any, run_id: str) -> Any:
    return replace(store.position(run_id), state=store.position(run_id).state.to_json())


def _record(store: Any, run_id: str) -> Any:
    return replace(store.run(run_id), created_ms=0, finished_ms=0, deadline_ms=0)


def _steps(store: Any, run_id: str) -> Any:
    return [
        replace(
            step,
            queued_ms=0,
            started_ms=bool(step.started_ms),
            ended_ms=bool(step.ended_ms),
            due_ms=0,
        )
        for step in store.steps(run_id)
    ]


def _ledger(store: Any, run_id: str) -> Any:
    return [(entry.kind, entry.seq, dict(entry.detail)) for entry in store.ledger(run_id)]


QUESTIONS = ["claim"] * 6 + ["settle"] * 6 + ["record"] * 4 + ["requeue", "answer"] * 2
QUESTIONS += ["create", "back_off", "renew", "say", "pause", "withdraw", "look", "wake"]


@pytest.mark.parametrize("seed", range(25))
def test_the_two_stores_give_the_same_answers(seed: int, redis_url: str) -> None:
    twins = Twins((memory_world(), redis_world(redis_url)), random.Random(seed))
    twins.create()
    for _ in range(CALLS):
        getattr(twins, twins.rng.choice(QUESTIONS))()
    twins.look()
