"""What every RunStore must do for crews that may be at work on a few steps at once only, in all runs together."""

from __future__ import annotations

import pytest

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import step
from zts_core.ports import ClaimVerdict, RequeueVerdict, Waits
from zts_core.run import Outcome, Priority

A_LEASE = 0.05
ONE = {"few": 1}
"""The limit as a worker's settings give it, by the crew's short name."""


@pytest.fixture
def runs(world: World) -> World:
    """Three runs of one step each, of one crew that two packages have under the same short name."""
    for run_id, crew in (("r1", "FewCrew"), ("r2", "mine:FewCrew"), ("r3", "FewCrew")):
        world.submit(step("A", crew), run_id=run_id)
        world.let_pass(0.003)
    return world


def verdict(world: World, run_id: str, **more: object) -> ClaimVerdict:
    return world.claim(run_id=run_id, limits=ONE, **more).verdict  # type: ignore[arg-type]


def test_a_step_that_finds_its_crew_full_waits_without_a_message(runs: World) -> None:
    assert verdict(runs, "r1") is ClaimVerdict.CLAIMED
    assert verdict(runs, "r2") is ClaimVerdict.FULL
    assert runs.store.steps("r2")[0].waits is Waits.SLOT
    runs.let_pass(0.003)
    assert runs.due(unclaimed_after_s=0).unclaimed == (("r3", 1),)
    assert runs.store.wake() == []


def test_a_free_slot_goes_to_the_step_that_waited_longest_and_nobody_slips_in_before_it(runs: World) -> None:
    verdict(runs, "r1")
    verdict(runs, "r2")
    runs.settle(1)
    assert verdict(runs, "r3") is ClaimVerdict.FULL, "the slot is free, but somebody waits for it already"
    assert runs.store.wake() == [("r2", 1)]
    assert runs.store.wake() == []
    assert runs.store.steps("r2")[0].waits is None
    assert verdict(runs, "r3") is ClaimVerdict.FULL
    woken = runs.claim(run_id="r2", limits=ONE)
    assert (woken.verdict, woken.attempt, woken.limited) == (ClaimVerdict.CLAIMED, 1, True)


def test_a_message_to_a_woken_step_that_is_lost_is_missed_as_any_other(runs: World) -> None:
    verdict(runs, "r1")
    verdict(runs, "r2")
    runs.settle(1)
    runs.store.wake()
    runs.let_pass(0.003)
    assert ("r2", 1) in runs.due(unclaimed_after_s=0).unclaimed
    assert runs.store.touch_unclaimed("r2", 1) is RequeueVerdict.QUEUED


def test_a_worker_that_dies_leaves_no_slot_behind(runs: World) -> None:
    verdict(runs, "r1", lease_s=A_LEASE)
    verdict(runs, "r2")
    runs.let_pass(A_LEASE * 1.2)
    assert runs.store.requeue_expired("r1", 1, takeovers=3) is RequeueVerdict.QUEUED
    assert runs.store.wake() == [("r2", 1)]
    assert verdict(runs, "r1") is ClaimVerdict.FULL
    assert verdict(runs, "r2") is ClaimVerdict.CLAIMED


def test_a_step_that_backs_off_holds_no_slot(runs: World) -> None:
    verdict(runs, "r1")
    verdict(runs, "r2")
    runs.store.back_off("r1", 1, attempt=1, delay_s=60, error="x")
    assert runs.store.wake() == [("r2", 1)]


def test_a_run_that_is_stopped_or_paused_holds_no_slot_and_waits_for_none(runs: World) -> None:
    verdict(runs, "r1")
    verdict(runs, "r2")
    verdict(runs, "r3")
    runs.store.withdraw("r2", outcome=Outcome.CANCELLED, reason="by ada")
    runs.settle(1)
    assert runs.store.wake() == [("r3", 1)]
    runs.store.pause("r3", paused=True)
    assert verdict(runs, "r3") is ClaimVerdict.PAUSED
    runs.submit(step("A", "FewCrew"), run_id="r4")
    assert verdict(runs, "r4") is ClaimVerdict.CLAIMED
    runs.store.pause("r3", paused=False)
    assert ("r3", 1) in runs.due(backlog=True).unclaimed


def test_steps_of_a_higher_priority_get_the_next_slot(runs: World) -> None:
    verdict(runs, "r1")
    verdict(runs, "r2")
    runs.submit(step("A", "FewCrew"), run_id="high", priority=Priority.HIGH)
    assert verdict(runs, "high") is ClaimVerdict.FULL
    runs.settle(1)
    assert runs.store.wake() == [("high", 1)]


def test_a_crew_without_a_limit_never_waits_and_a_limit_that_is_lifted_lets_all_go_on(runs: World) -> None:
    assert runs.claim(run_id="r1", limits={"other": 1}).limited is False
    assert verdict(runs, "r2") is ClaimVerdict.CLAIMED
    assert verdict(runs, "r3") is ClaimVerdict.FULL
    runs.store.back_off("r2", 1, attempt=1, delay_s=60, error="x")
    runs.submit(step("A", "FewCrew"), run_id="r4")
    verdict(runs, "r4")
    assert runs.store.wake() == [("r3", 1)]
    assert runs.claim(run_id="r3", limits={"few": 0}).verdict is ClaimVerdict.CLAIMED
    assert runs.store.wake() == [("r4", 1)]
