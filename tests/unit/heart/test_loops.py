"""Loops: iterations, the ways out, and the visits by which the store finds a run that goes round in circles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.heart.playing import (
    Play,
    approval,
    call,
    foreach,
    loop,
    parallel,
    plan_of,
    sequence,
    step,
    terminal,
    when,
)


def test_a_loop_of_one_step_names_it_by_its_prefix_and_number() -> None:
    play = Play(plan_of(loop("L", step("S"), times=2, on_exhausted="continue"), step("Z")))
    play.done("L_1")
    play.done("L_2")
    assert play.waves == [["L_1"], ["L_2"], ["Z"]]


def test_a_loop_without_a_sequence_runs_its_own_crew() -> None:
    body = {"state_prefix": "L", "crew": "x", "max_iterations": 1, "timeout": 9, "retry_attempts": 2, "with": {"k": 1}}
    play = Play(plan_of({"loop": body}))
    start = play.starts[1]
    assert (start.state, start.crew, start.timeout, start.retry_attempts, start.values) == ("L_1", "x", 9, 2, {"k": 1})


def test_a_loop_of_several_steps_names_both() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B"), times=2)))
    for state in ("L_1.A", "L_1.B", "L_2.A", "L_2.B"):
        play.done(state)
    assert play.waves == [["L_1.A"], ["L_1.B"], ["L_2.A"], ["L_2.B"]]


def test_nested_loops_name_every_round() -> None:
    play = Play(plan_of(loop("O", loop("I", step("S"), times=2, on_exhausted="continue"), times=2)))
    for state in ("O_1.I_1", "O_1.I_2", "O_2.I_1", "O_2.I_2"):
        play.done(state, at=state)
    assert play.ended == "exhausted"


@pytest.mark.parametrize(
    ("on_exhausted", "ended", "last"),
    [
        ("stop", "exhausted", ["L_1"]),
        ("continue", "still going", ["Z"]),
        ({"escalate_to": "other"}, "still going", ["E"]),
    ],
)
def test_an_exhausted_loop_does_what_on_exhausted_says(on_exhausted: Any, ended: str, last: list[str]) -> None:
    play = Play(plan_of(loop("L", step("S"), times=1, on_exhausted=on_exhausted), step("Z"), other=[step("E")]))
    play.done("L_1")
    assert (play.ended, play.last) == (ended, last)
    assert len(play.told("loop_exhausted")) == 1


def test_an_exhausted_run_says_which_loop_used_how_many_iterations() -> None:
    play = Play(plan_of(loop("L", step("S"), times=2)))
    play.done("L_1")
    play.done("L_2")
    assert (play.ended, play.reason) == ("exhausted", "L used all its 2 iterations")


@pytest.mark.parametrize(
    ("then", "ended", "last"),
    [
        ("continue", "still going", ["Z"]),
        ("reject", "rejected", ["L_1"]),
        ("fail", "failed", ["L_1"]),
    ],
)
def test_a_break_condition_leaves_the_loop_as_then_says(then: str, ended: str, last: list[str]) -> None:
    breaks = [when("s.out", then=then)]
    play = Play(plan_of(loop("L", step("S"), times=3, break_conditions=breaks), step("Z")))
    play.done("L_1", out=True)
    assert (play.ended, play.last) == (ended, last)
    assert play.told("loop_left")[0]["then"] == then


def test_break_conditions_are_alternatives_and_the_first_that_holds_decides() -> None:
    breaks = [when("s.a"), when("s.b", then="reject"), when("s.c", then="fail")]
    plan = plan_of(loop("L", step("S"), times=3, break_conditions=breaks))
    play = Play(plan)
    play.done("L_1", a=False, b=True, c=True)
    assert play.ended == "rejected"


def test_break_conditions_are_read_after_the_iteration_not_during_it() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B"), times=3, break_conditions=[when("a.out")]), step("Z")))
    play.done("L_1.A", out=True)
    assert play.last == ["L_1.B"]
    play.done("L_1.B")
    assert play.last == ["Z"]


def test_a_break_condition_that_held_before_the_loop_does_not_keep_it_from_running_once() -> None:
    play = Play(plan_of(step("S"), loop("L", step("S"), times=3, break_conditions=[when("s.out")]), step("Z")))
    play.done("S", out=True)
    assert play.last == ["L_1"]
    play.done("L_1", out=True)
    assert play.last == ["Z"]


def test_a_break_in_the_last_iteration_is_no_exhaustion() -> None:
    play = Play(plan_of(loop("L", step("S"), times=2, break_conditions=[when("s.out")])))
    play.done("L_1", out=False)
    play.done("L_2", out=True)
    assert play.ended == "completed"


def test_a_false_condition_inside_a_loop_rejects_the_run() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B", conditions=[when("a.ok")]), times=3)))
    play.done("L_1.A", ok=False)
    assert play.ended == "rejected"


def test_a_skipped_step_inside_a_loop_goes_on_with_the_iteration() -> None:
    gate = [when("b.again", on_fail="skip")]
    play = Play(plan_of(loop("L", step("A", conditions=gate), step("B"), times=2)))
    assert play.last == ["L_1.B"]
    play.done("L_1.B", again=True)
    assert play.last == ["L_2.A"]


def test_a_loop_whose_every_step_is_skipped_is_exhausted_without_a_step() -> None:
    gate = [when("x.y", on_fail="skip")]
    play = Play(plan_of(loop("L", step("A", conditions=gate), step("B", conditions=gate), times=10_000)))
    assert (play.ended, play.waves) == ("exhausted", [])


def test_a_failed_step_leaves_the_loop() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B"), times=3), step("Z")))
    play.fail("L_1.A")
    assert play.ended == "failed"


def test_a_tolerated_failure_goes_on_with_the_iteration() -> None:
    play = Play(plan_of(loop("L", step("A", on_error="continue"), step("B"), times=3)))
    play.fail("L_1.A")
    assert play.last == ["L_1.B"]


def test_a_terminal_inside_a_loop_ends_the_run() -> None:
    play = Play(plan_of(loop("L", step("A"), terminal("COMPLETED"), times=3), step("Z")))
    play.done("L_1.A")
    assert play.ended == "completed"


def test_the_next_iteration_sees_what_the_one_before_wrote() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B"), times=2)))
    play.done("L_1.A", n=1)
    play.done("L_1.B", n=2)
    assert play.sees("L_2.A") == {"a": {"n": 1}, "b": {"n": 2}}


def test_a_loop_in_a_branch_goes_round_without_waiting_for_the_other() -> None:
    play = Play(
        plan_of(parallel(loop("L", step("S"), times=3, break_conditions=[when("s.out")]), step("B")), step("J"))
    )
    play.done("L_1", out=False)
    play.done("L_2", out=True)
    assert play.waves == [["B", "L_1"], ["L_2"]]
    play.done("B")
    assert play.last == ["J"]


def test_an_exhausted_loop_in_a_branch_ends_the_run_at_the_join() -> None:
    play = Play(plan_of(parallel(loop("L", step("S"), times=1), sequence(step("B"), step("C"))), step("J")))
    play.done("L_1")
    play.done("B")
    assert play.last == ["C"]
    play.done("C")
    assert play.ended == "exhausted"


def test_branches_in_a_loop_are_merged_each_time_round() -> None:
    block = parallel(step("A", "w"), step("B", "w"), merge="union")
    play = Play(plan_of(loop("L", block, step("C"), times=2)))
    play.done("L_1.B", tags=["b"])
    play.done("L_1.A", tags=["a"])
    assert play.sees("L_1.C") == {"w": {"tags": ["a", "b"]}}
    play.done("L_1.C")
    play.done("L_2.A", tags=["x"])
    play.done("L_2.B", tags=["y"])
    assert play.sees("L_2.C")["w"] == {"tags": ["x", "y"]}


def test_a_step_outside_of_every_loop_visits_nothing() -> None:
    play = Play(plan_of(step("A"), parallel(step("B"), step("C"))))
    play.done("A")
    assert play.visits == []


def visits_of(*outputs: dict[str, Any]) -> list[str]:
    """Visits of a loop whose step gives these outputs, one per iteration."""
    play = Play(plan_of(loop("L", step("S"), times=20)))
    for number, output in enumerate(outputs, 1):
        play.done(f"L_{number}", **output)
    return play.visits


def test_the_same_data_at_the_same_place_is_the_same_visit() -> None:
    visits = visits_of({"n": 1}, {"n": 1}, {"n": 1})
    assert len(visits) == 4
    assert len(set(visits)) == 2, "only the first iteration saw nothing"


def test_data_that_changes_makes_a_new_visit_and_data_that_alternates_comes_back() -> None:
    assert len(set(visits_of({"n": 1}, {"n": 2}, {"n": 3}))) == 4
    visits = visits_of({"n": 1}, {"n": 2}, {"n": 1}, {"n": 2}, {"n": 1}, {"n": 2})
    assert visits[1::2] == [visits[1]] * 3
    assert visits[2::2] == [visits[2]] * 3


def test_places_differ_by_node_loop_call_and_item() -> None:
    inner = [step("A"), step("B"), foreach("p.items", step("C")), call("other"), call("other")]
    play = Play(plan_of(step("P"), loop("L", *inner, times=1), other=[step("D")]))
    play.done("P", items=[1, 2])
    play.done("L_1.A")
    play.done("L_1.B")
    play.all_done("L_1.C[1]", "L_1.C[2]")
    play.done("L_1.other.D")
    play.done("L_1.other.D")
    places = [visit.partition(" ")[0] for visit in play.visits]
    assert len(set(places)) == len(places) == 6


def test_an_approval_is_no_visit() -> None:
    play = Play(plan_of(loop("L", approval("OK"), times=3)))
    play.answer("L_1.OK", approved=True)
    assert play.last == ["L_2.OK"]
    assert play.visits == []


def test_loops_in_loops_that_skip_everything_end_in_no_time() -> None:
    node = step("A", conditions=[when("x.y", on_fail="skip")])
    for prefix in "LMNO":
        node = loop(prefix, node, times=10_000, on_exhausted="continue")
    assert Play(plan_of(node)).ended == "completed"


def test_a_round_that_only_passes_an_empty_list_may_open_a_gate_for_the_next() -> None:
    gate = [{"not": when("s.n", 0, ">"), "on_fail": "skip"}]
    play = Play(
        plan_of(
            step("P"), step("S"), loop("L", step("A", conditions=gate), foreach("p.items", step("S2", "s")), times=3)
        )
    )
    play.done("P", items=[])
    play.done("S", n=1)
    assert play.last == ["L_2.A"]


def test_rounds_that_pass_empty_lists_without_changing_anything_end_in_no_time() -> None:
    node = parallel(foreach("p.items", step("S")))
    for prefix in "LMNO":
        node = loop(prefix, node, times=10_000, on_exhausted="continue")
    play = Play(plan_of(step("P"), node))
    play.done("P", items=[])
    assert play.ended == "completed"
