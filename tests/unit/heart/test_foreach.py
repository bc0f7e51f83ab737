"""Foreach: one step per item, windows, numbers in item order, and what is gathered at the join."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.heart.playing import Play, foreach, loop, parallel, plan_of, sequence, step, when
from zts_core.run import Ending, Outcome


def over(count: int, *after: dict[str, Any], inner: dict[str, Any] | None = None, **fields: Any) -> Play:
    """A run that has just produced `count` items for a foreach."""
    play = Play(plan_of(step("P"), foreach("p.items", inner or step("S", "s"), **fields), *(after or (step("Z"),))))
    play.done("P", items=list(range(count)))
    return play


def test_every_item_is_a_step_of_its_own_in_one_wave() -> None:
    play = over(3)
    assert play.last == ["S[1]", "S[2]", "S[3]"]
    assert [start.item for start in play.starts.values() if start.item] == [("item", "p.items", n) for n in range(3)]


def test_the_join_waits_for_the_last_item() -> None:
    play = over(3)
    play.done("S[3]")
    play.done("S[1]")
    assert play.last == ["S[1]", "S[2]", "S[3]"]
    play.done("S[2]")
    assert play.last == ["Z"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_outputs_are_gathered_in_item_order_whatever_order_they_ended_in(order: tuple[int, ...]) -> None:
    play = over(3)
    for n in order:
        play.done(f"S[{n}]", n=n)
    assert play.sees("Z")["s"] == {"items": [{"n": 1}, {"n": 2}, {"n": 3}], "count": 3, "failed": 0, "skipped": 0}


def test_no_more_than_max_parallel_items_are_open_and_the_next_starts_as_one_ends() -> None:
    play = over(5, max_parallel=2)
    assert play.last == ["S[1]", "S[2]"]
    play.done("S[2]", n=2)
    assert play.last == ["S[3]"]
    play.all_done("S[1]", "S[3]")
    assert play.last == ["S[4]", "S[5]"]
    play.all_done("S[4]", "S[5]")
    assert play.last == ["Z"]
    assert play.sees("Z")["s"]["count"] == 5


def test_a_window_wider_than_the_list_takes_it_all() -> None:
    assert over(2, max_parallel=10).last == ["S[1]", "S[2]"]


def test_numbers_are_reserved_in_item_order_even_where_items_start_later() -> None:
    play = Play(
        plan_of(step("P"), parallel(foreach("p.items", step("S"), max_parallel=1), sequence(step("A"), step("B"))))
    )
    play.done("P", items=[1, 2, 3])
    play.done("A")
    play.done("S[1]")
    play.done("S[2]")
    numbers = {start.state: start.seq for start in play.starts.values()}
    assert [numbers[f"S[{n}]"] for n in (1, 2, 3)] == [2, 3, 4]


@pytest.mark.parametrize("fields", [{}, {"max_parallel": 2}, {"merge": "union"}])
def test_an_empty_list_is_passed(fields: Any) -> None:
    play = over(0, **fields)
    assert play.last == ["Z"]


@pytest.mark.parametrize("output", [{}, {"items": "abc"}, {"items": {"a": 1}}, {"items": None}, {"items": 3}])
def test_going_over_something_that_is_no_list_fails_and_says_so(output: dict[str, Any]) -> None:
    play = Play(plan_of(step("P"), foreach("p.items", step("S")), step("Z")))
    play.done("P", **output)
    assert play.ended == "failed"
    assert "p.items" in play.reason


def test_a_list_inside_a_mapping_is_gone_over() -> None:
    play = Play(plan_of(step("P"), foreach("p.deep.items", step("S"))))
    play.done("P", deep={"items": [1, 2]})
    assert play.last == ["S[1]", "S[2]"]


def test_a_failed_item_fails_the_node_after_all_have_settled() -> None:
    play = over(3)
    play.fail("S[2]", "no paper")
    assert play.ended == "still going"
    play.all_done("S[1]", "S[3]")
    assert play.ended == "failed"
    assert "no paper" in play.reason
    assert play.data["s"] == {"items": [{}, {}], "count": 2, "failed": 1, "skipped": 0}


def test_a_tolerated_failure_of_an_item_is_counted() -> None:
    play = over(4, inner=step("S", "s", on_error="continue"))
    for n in (1, 3, 4):
        play.done(f"S[{n}]", n=n)
    play.fail("S[2]")
    assert play.sees("Z")["s"] == {"items": [{"n": 1}, {"n": 3}, {"n": 4}], "count": 3, "failed": 1, "skipped": 0}


def test_conditions_read_how_many_items_ended_well_and_how_many_failed() -> None:
    gates = [when("s.count", 2), when("s.failed", 1)]
    play = over(3, step("Z", conditions=gates), inner=step("S", "s", on_error="continue"))
    play.fail("S[1]")
    play.all_done("S[2]", "S[3]")
    assert play.last == ["Z"]


def test_gathered_items_can_be_gone_over_again() -> None:
    play = over(3, foreach("s.items", step("T")))
    play.all_done("S[1]", "S[2]", "S[3]")
    assert play.last == ["T[1]", "T[2]", "T[3]"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("first", {"n": 1, "tags": [1]}),
        ("last", {"n": 3, "tags": [3]}),
        ("union", {"n": 3, "tags": [1, 2, 3]}),
        ("max", {"n": 3, "tags": [3]}),
    ],
)
def test_a_merge_policy_joins_items_into_one_output(policy: str, expected: dict[str, Any]) -> None:
    play = over(3, merge=policy)
    for n in (2, 3, 1):
        play.done(f"S[{n}]", n=n, tags=[n])
    assert play.sees("Z")["s"] == expected


def test_merging_leaves_out_items_that_failed() -> None:
    play = over(3, inner=step("S", "s", on_error="continue"), merge="first")
    play.fail("S[1]")
    play.done("S[3]", n=3)
    play.done("S[2]", n=2)
    assert play.sees("Z")["s"] == {"n": 2}


def test_an_item_with_a_false_condition_is_skipped_without_on_fail() -> None:
    play = over(2, inner=step("S", "s", conditions=[when("p.ok")]))
    assert play.last == ["Z"]


@pytest.mark.parametrize(
    ("on_fail", "ended", "last"),
    [("skip", "still going", ["Z"]), ("stop", "rejected", ["P"]), ({"escalate_to": "other"}, "still going", ["E"])],
)
def test_an_item_with_a_false_condition_does_what_on_fail_says(on_fail: Any, ended: str, last: list[str]) -> None:
    inner = step("S", "s", conditions=[when("p.ok", on_fail=on_fail)])
    play = Play(plan_of(step("P"), foreach("p.items", inner), step("Z"), other=[step("E")]))
    play.done("P", items=[1, 2])
    assert (play.ended, play.last) == (ended, last)


def test_items_see_what_was_written_before_and_not_each_other() -> None:
    play = over(3, max_parallel=1)
    play.done("S[1]", n=1)
    play.done("S[2]", n=2)
    assert set(play.sees("S[3]")) == {"p"}


def test_a_foreach_in_a_branch_gathers_into_its_branch() -> None:
    block = parallel(sequence(foreach("p.items", step("S", "s")), step("A2")), sequence(step("B"), step("B2")))
    play = Play(plan_of(step("P"), block))
    play.done("P", items=[1])
    play.done("S[1]", n=1)
    play.done("B")
    assert "s" in play.sees("A2")
    assert "s" not in play.sees("B2")


def test_only_the_last_window_merely_counts_down_the_join() -> None:
    play = over(3, max_parallel=2)
    play.done("S[1]")
    flags = {start.state: start.join > 0 for start in play.starts.values()}
    assert flags == {"P": False, "S[1]": False, "S[2]": False, "S[3]": True}


def test_gathered_digests_do_not_depend_on_the_order_but_on_the_items() -> None:
    def digest(*order: tuple[int, int]) -> str:
        play = over(2)
        for item, n in order:
            play.done(f"S[{item}]", n=n)
        return play.state.data["s"].digest

    assert digest((1, 5), (2, 6)) == digest((2, 6), (1, 5))
    assert digest((1, 5), (2, 6)) != digest((1, 6), (2, 5))
    assert digest((1, 5), (2, 5)) != digest((1, 6), (2, 6))


def test_an_empty_list_leaves_an_empty_gathering_and_nothing_stale() -> None:
    play = Play(plan_of(loop("L", step("P"), foreach("p.items", step("S", "s")), step("Z"), times=2)))
    play.done("L_1.P", items=[1])
    play.done("L_1.S[1]", n=1)
    play.done("L_1.Z")
    play.done("L_2.P", items=[])
    assert play.sees("L_2.Z")["s"] == {"items": [], "count": 0, "failed": 0, "skipped": 0}


def test_a_list_far_longer_than_the_cap_costs_no_more_than_the_cap() -> None:
    play = Play(plan_of(step("P"), foreach("p.items", step("S"))))
    decision = play.done("P", items=list(range(300_000)))
    assert (play.ended, play.state.started) == ("halted_step_cap", 1)
    assert decision.state.seq == 300_001


def test_a_list_far_longer_than_the_cap_is_passed_where_every_item_is_skipped() -> None:
    play = over(500, inner=step("S", "s", conditions=[when("p.ok")]))
    assert play.last == ["Z"]


def test_a_run_that_is_stopped_before_any_item_ended_keeps_what_was_there() -> None:
    play = Play(plan_of(step("P"), step("S", "s"), foreach("p.items", step("F", "s"))))
    play.done("P", items=[1])
    play.done("S", n=1)
    play.move(stop=Ending(Outcome.CANCELLED, "by ada"))
    play.fail("F[1]")
    assert play.data["s"] == {"n": 1}


def test_skipped_items_are_counted_apart_from_failed_ones() -> None:
    play = over(
        2,
        step("Z", conditions=[when("s.skipped", 2), when("s.failed", 0)]),
        inner=step("S", "s", conditions=[when("p.ok")]),
    )
    assert play.last == ["Z"]
    assert play.sees("Z")["s"] == {"items": [], "count": 0, "failed": 0, "skipped": 2}
