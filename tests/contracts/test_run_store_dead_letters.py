"""What every RunStore must do: keep what failed for good until somebody has looked at it."""

from __future__ import annotations

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import parallel, step
from zts_core.ports import StepResult
from zts_core.run import Settled, SettledAs

A_LEASE = 0.05


def fail(world: World, seq: int) -> None:
    settled = Settled(seq, SettledAs.FAILED, reason="it broke")
    attempt = world.claimed(seq)
    world.store.settle("r1", settled, attempt=attempt, result=StepResult(), trace="Traceback: it broke")


def test_a_step_that_failed_for_good_is_listed_with_all_that_is_known_of_it(world: World) -> None:
    world.submit(parallel(step("A"), step("B")))
    fail(world, 2)
    (listed,) = world.store.dead(limit=10)
    assert (listed.run_id, listed.seq, listed.state, listed.crew) == ("r1", 2, "B", listed.crew)
    assert (listed.attempts, listed.error, listed.trace) == (1, "it broke", "Traceback: it broke")
    letter = world.store.dead_letter("r1", 2)
    assert letter
    assert [entry.kind for entry in letter.history] == ["attempt_started", "step_failed"]


def test_a_step_whose_workers_died_is_listed_too(world: World) -> None:
    world.submit(step("A"))
    world.claimed(lease_s=A_LEASE)
    world.let_pass(A_LEASE * 1.2)
    world.store.requeue_expired("r1", 1, takeovers=0)
    (listed,) = world.store.dead(limit=10)
    assert listed.takeovers == 1
    assert "died" in listed.error


def test_what_succeeds_or_is_tried_again_is_not_listed(world: World) -> None:
    world.submit(parallel(step("A"), step("B")))
    world.settle(1, attempt=world.claimed(1))
    world.store.back_off("r1", 2, attempt=world.claimed(2), delay_s=1, error="later")
    assert not world.store.dead(limit=10)
    assert world.store.dead_letter("r1", 1) is None


def test_a_dropped_one_is_off_the_list_and_still_failed(world: World) -> None:
    world.submit(parallel(step("A"), step("B")))
    fail(world, 1)
    assert world.store.drop_dead("r1", 1)
    assert not world.store.drop_dead("r1", 1)
    assert not world.store.dead(limit=10)
    assert world.store.steps("r1")[0].error == "it broke"
