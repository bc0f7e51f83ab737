"""Many runs by one call: all checked first, then recorded, each as `submit` would have."""

from __future__ import annotations

from pathlib import Path

import pytest
from producer_world import IDEA, World

from zts_core.errors import BadInput
from zts_core.run import Outcome

IDEAS = [f"{IDEA} Number {number}." for number in range(3)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_each_idea_becomes_a_run_of_its_own_in_order(world: World) -> None:
    run_ids = world.client.submit_many(IDEAS, "rapid_prototype", max_steps=20, values={"tone": "dry"})
    assert [world.store.idea(run_id) for run_id in run_ids] == [f"{idea}\n" for idea in IDEAS]
    records = [world.store.run(run_id) for run_id in run_ids]
    assert {(record.workflow, record.max_steps, record.values["tone"]) for record in records} == {
        ("rapid_prototype", 20, "dry")
    }


def test_they_run_to_their_ends(world: World) -> None:
    run_ids = world.client.submit_many(IDEAS)
    world.work()
    assert {world.store.run(run_id).outcome for run_id in run_ids} == {Outcome.COMPLETED}


def test_a_key_that_was_used_before_gives_the_run_it_started(world: World) -> None:
    first = world.client.submit_many(IDEAS, keys=["a", "b", "c"])
    assert world.client.submit_many(IDEAS, keys=["a", "b", "d"])[:2] == first[:2]
    assert len(world.store.known) == 4


def test_one_bad_idea_records_nothing_and_says_which_it_is(world: World) -> None:
    with pytest.raises(BadInput, match="idea 2"):
        world.client.submit_many([IDEAS[0], "", IDEAS[1]])
    assert not world.store.known


@pytest.mark.parametrize(
    ("options", "said"),
    [({"keys": ["a"]}, "1 keys for 3 ideas"), ({"key": "a"}, "give `keys`"), ({"max_steps": 0}, "step cap of 0")],
)
def test_options_that_cannot_hold_for_all_are_refused(world: World, options: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        world.client.submit_many(IDEAS, **options)  # type: ignore[arg-type]
    assert not world.store.known


def test_no_ideas_are_no_submit(world: World) -> None:
    with pytest.raises(BadInput, match="at least one"):
        world.client.submit_many([])
