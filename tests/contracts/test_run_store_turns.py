"""What every RunStore must do for runs to get their turn: lines of wide waves, priorities, what counts as overtaken."""

from __future__ import annotations

from dataclasses import replace

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import parallel, plan_of, step
from zts_core.advance import advance
from zts_core.ports import ClaimVerdict, NewRun, RequeueVerdict, Waits
from zts_core.run import Outcome, Priority, RunState

A_WHILE = 0.03
"""Seconds between two messages that a test wants to tell apart."""
WIDE = "ABCDEF"


def submit_wide(world: World, *, run_id: str = "r1", window: int = 2, **new: object) -> None:
    """A run whose first wave is six steps wide, two of which are sent at once."""
    plan = plan_of(parallel(*(step(state) for state in WIDE)))
    decision = replace(advance(plan, RunState(max_steps=50)), window=window)
    world.store.create(NewRun(run_id, "an idea", "a title", "main", 50, 60, **new), plan, decision)  # type: ignore[arg-type]


def waiting(world: World) -> list[int]:
    return [record.seq for record in world.store.steps("r1") if record.waits is Waits.TURN]


class TestLines:
    def test_of_a_wide_wave_only_its_window_counts_as_sent(self, world: World) -> None:
        submit_wide(world)
        assert waiting(world) == [3, 4, 5, 6]
        world.let_pass(A_WHILE)
        assert world.due(unclaimed_after_s=0).unclaimed == (("r1", 1), ("r1", 2))

    def test_a_wave_as_wide_as_the_window_has_no_line(self, world: World) -> None:
        submit_wide(world, window=6)
        assert waiting(world) == []
        assert world.claim(1).following == 0

    def test_each_claim_lets_the_next_one_in(self, world: World) -> None:
        submit_wide(world)
        assert [world.claim(seq).following for seq in (2, 1, 4, 3, 5, 6)] == [3, 4, 5, 6, 0, 0]
        assert waiting(world) == []

    def test_a_step_that_is_tried_again_lets_nobody_in_a_second_time(self, world: World) -> None:
        submit_wide(world)
        assert world.claim(1, lease_s=A_WHILE).following == 3
        world.let_pass(A_WHILE * 1.2)
        assert world.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.QUEUED
        assert world.claim(1).following == 0
        world.store.back_off("r1", 1, attempt=2, delay_s=0, error="x")
        world.let_pass(A_WHILE)
        assert world.store.requeue_retry("r1", 1) is RequeueVerdict.QUEUED
        assert world.claim(1).following == 0
        assert waiting(world) == [4, 5, 6]

    def test_a_message_that_was_lost_and_sent_again_lets_the_next_one_in(self, world: World) -> None:
        submit_wide(world)
        assert world.store.touch_unclaimed("r1", 1) is RequeueVerdict.QUEUED
        assert world.claim(1).following == 3

    def test_a_resumed_run_sends_its_window_and_not_its_line(self, world: World) -> None:
        submit_wide(world)
        world.store.pause("r1", paused=True)
        assert world.claim(1).verdict is ClaimVerdict.PAUSED
        world.store.pause("r1", paused=False)
        assert world.due(backlog=True).unclaimed == (("r1", 1), ("r1", 2))
        assert waiting(world) == [3, 4, 5, 6]

    def test_a_stopped_run_has_no_line_any_more(self, world: World) -> None:
        submit_wide(world)
        attempt = world.claimed(1)
        assert world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada") == 1
        assert waiting(world) == []
        world.settle(1, attempt=attempt)
        world.let_pass(A_WHILE)
        assert world.due(unclaimed_after_s=0).unclaimed == ()


class TestPriorities:
    def test_a_run_has_the_priority_it_was_submitted_with(self, world: World) -> None:
        world.submit(step("A"), priority=Priority.HIGH)
        world.submit(step("A"), run_id="r2")
        assert [world.store.run(run_id).priority for run_id in ("r1", "r2")] == [Priority.HIGH, Priority.NORMAL]
        assert world.claim().priority is Priority.HIGH
        assert world.store.position("r1").priority is Priority.HIGH

    def test_behind_a_backlog_a_step_is_not_overtaken_by_one_of_higher_priority(self, world: World) -> None:
        world.submit(step("A"), priority=Priority.LOW)
        world.let_pass(A_WHILE)
        for number, priority in enumerate((Priority.HIGH, Priority.NORMAL)):
            world.submit(step("A"), run_id=f"before{number}", priority=priority)
            world.claimed(run_id=f"before{number}")
        assert world.due(unclaimed_after_s=0.001, backlog=True).unclaimed == ()
        assert world.due(unclaimed_after_s=0.001).unclaimed == (("r1", 1),)

    def test_a_younger_step_of_no_higher_priority_shows_that_a_message_is_lost(self, world: World) -> None:
        world.submit(step("A"), priority=Priority.HIGH)
        world.let_pass(A_WHILE)
        world.submit(step("A"), run_id="r2", priority=Priority.LOW)
        world.claimed(run_id="r2")
        assert world.due(unclaimed_after_s=0.001, backlog=True).unclaimed == (("r1", 1),)
