"""Calls and escalations: what ends the call only, what ends the run, and what goes round in a circle."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.heart.playing import Play, call, foreach, loop, parallel, plan_of, sequence, step, terminal, when


def escalating(state: str, target: str) -> dict[str, Any]:
    return step(state, conditions=[when("a.ok", on_fail={"escalate_to": target})])


def test_a_called_workflow_runs_inside_the_same_run() -> None:
    play = Play(plan_of(step("A"), call("other"), step("Z"), other=[step("B"), step("C")]))
    for state in ("A", "other.B", "other.C", "Z"):
        play.done(state)
    assert play.waves == [["A"], ["other.B"], ["other.C"], ["Z"]]
    assert play.ended == "completed"


def test_called_steps_share_data_both_ways() -> None:
    play = Play(plan_of(step("A"), call("other"), step("Z"), other=[step("B")]))
    play.done("A", n=1)
    assert play.sees("other.B") == {"a": {"n": 1}}
    play.done("other.B", n=2)
    assert play.sees("Z") == {"a": {"n": 1}, "b": {"n": 2}}


def test_completed_inside_a_call_ends_the_call_only() -> None:
    other = [step("B"), sequence(terminal("COMPLETED")), step("C")]
    play = Play(plan_of(call("other"), step("Z"), other=other))
    play.done("other.B")
    assert play.last == ["Z"]


def test_completed_inside_a_branch_of_a_call_ends_the_call_at_its_join() -> None:
    other = [parallel(sequence(step("B"), terminal("COMPLETED")), step("C")), step("D")]
    play = Play(plan_of(call("other"), step("Z"), other=other))
    play.done("other.B")
    assert play.last == ["other.B", "other.C"]
    play.done("other.C")
    assert play.last == ["Z"]


@pytest.mark.parametrize(("state", "outcome"), [("REJECTED", "rejected"), ("FAILED", "failed")])
def test_any_other_terminal_inside_a_call_ends_the_run(state: str, outcome: str) -> None:
    play = Play(plan_of(call("other"), step("Z"), other=[step("B"), terminal(state)]))
    play.done("other.B")
    assert play.ended == outcome


def test_a_failure_a_gate_and_an_exhausted_loop_inside_a_call_end_the_run() -> None:
    play = Play(plan_of(call("other"), step("Z"), other=[step("B")]))
    play.fail("other.B")
    assert play.ended == "failed"
    play = Play(plan_of(call("other"), step("Z"), other=[step("B"), step("C", conditions=[when("b.ok")])]))
    play.done("other.B")
    assert play.ended == "rejected"
    play = Play(plan_of(call("other"), step("Z"), other=[loop("L", step("B"), times=1)]))
    play.done("other.L_1")
    assert play.ended == "exhausted"


def test_calls_nest_and_the_values_of_an_inner_call_win() -> None:
    main = call("outer", with_={"x": 1, "y": 1, "z": 1})
    outer = [call("inner", with_={"y": 2, "z": 2})]
    play = Play(plan_of(main, outer=outer, inner=[step("S", with_={"z": 3})]))
    assert play.starts[1].state == "outer.inner.S"
    assert play.starts[1].values == {"x": 1, "y": 2, "z": 3}
    assert play.starts[1].workflow == "inner"


def test_one_workflow_may_be_called_twice_and_even_at_once() -> None:
    play = Play(plan_of(parallel(call("other"), call("other")), call("other"), other=[step("B")]))
    assert play.last == ["other.B", "other.B"]
    play.done("other.B")
    play.done("other.B")
    assert play.last == ["other.B"]
    play.done("other.B")
    assert play.ended == "completed"


def test_a_call_may_loop_and_fan_out() -> None:
    other = [loop("L", foreach("p.items", step("S")), times=2, on_exhausted="continue")]
    play = Play(plan_of(step("P"), call("other"), step("Z"), other=other))
    play.done("P", items=[1, 2])
    play.all_done("other.L_1.S[1]", "other.L_1.S[2]")
    play.all_done("other.L_2.S[1]", "other.L_2.S[2]")
    assert play.last == ["Z"]


def test_an_escalation_goes_on_in_the_other_workflow_from_its_start_with_all_data() -> None:
    play = Play(plan_of(step("A"), escalating("B", "other"), step("Z"), other=[step("E"), step("F")]))
    play.done("A", ok=False)
    assert play.sees("E") == {"a": {"ok": False}}
    play.done("E")
    play.done("F")
    assert play.waves == [["A"], ["E"], ["F"]]
    assert play.ended == "completed"
    assert play.told("escalated")[0]["to"] == "other"


def test_an_escalation_out_of_blocks_keeps_what_their_branches_wrote() -> None:
    inner = sequence(step("A"), loop("L", escalating("B", "other"), times=2))
    play = Play(plan_of(parallel(inner, step("C")), step("Z"), other=[step("E")]))
    play.done("A", ok=False)
    play.done("C", n=1)
    assert play.sees("E") == {"a": {"ok": False}, "c": {"n": 1}}


def test_an_escalation_out_of_a_call_leaves_the_caller_too() -> None:
    play = Play(plan_of(call("mid"), step("Z"), mid=[step("A"), escalating("B", "other")], other=[step("E")]))
    play.done("mid.A", ok=False)
    assert play.last == ["E"]
    play.done("E")
    assert play.ended == "completed"


def test_escalations_may_follow_each_other_as_long_as_they_go_somewhere_new() -> None:
    play = Play(plan_of(step("A"), escalating("B", "one"), one=[step("C"), escalating("D", "two")], two=[step("E")]))
    play.done("A", ok=False)
    play.done("C")
    assert play.last == ["E"]
    assert play.state.route == ["main", "one", "two"]


@pytest.mark.parametrize("target", ["main", "other"])
def test_escalating_into_a_workflow_the_run_went_through_halts_it_and_shows_the_circle(target: str) -> None:
    play = Play(plan_of(step("A"), escalating("B", "other"), other=[step("E"), escalating("F", target)]))
    play.done("A", ok=False)
    play.done("E")
    assert play.ended == "halted_loop"
    assert f"main → other → {target}" in play.reason


def test_a_loop_that_is_used_up_may_escalate() -> None:
    play = Play(plan_of(loop("L", step("S"), times=1, on_exhausted={"escalate_to": "other"}), other=[step("E")]))
    play.done("L_1", n=1)
    assert play.sees("E") == {"s": {"n": 1}}
