"""Sequences, conditions and terminals: what comes next, and how a run ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.heart.playing import Play, approval, call, loop, parallel, plan_of, sequence, step, terminal, when
from zts_core.run import SettledAs


def test_steps_of_a_sequence_run_one_after_the_other() -> None:
    play = Play(plan_of(step("A"), step("B"), step("C")))
    play.done("A")
    play.done("B")
    play.done("C")
    assert play.waves == [["A"], ["B"], ["C"]]
    assert (play.ended, play.reason) == ("completed", "all its steps are done")


def test_nested_sequences_are_walked_as_one() -> None:
    play = Play(plan_of(sequence(sequence(step("A")), step("B")), sequence(step("C"))))
    for state in "ABC":
        play.done(state)
    assert play.waves == [["A"], ["B"], ["C"]]
    assert play.ended == "completed"


def test_a_step_sees_what_earlier_steps_wrote() -> None:
    play = Play(plan_of(step("A"), step("B"), step("C", "a"), step("D")))
    play.done("A", n=1)
    play.done("B", n=2)
    play.done("C", n=3)
    assert play.sees("A") == {}
    assert play.sees("C") == {"a": {"n": 1}, "b": {"n": 2}}
    assert play.sees("D") == {"a": {"n": 3}, "b": {"n": 2}}


@pytest.mark.parametrize(
    ("state", "outcome"), [("COMPLETED", "completed"), ("REJECTED", "rejected"), ("FAILED", "failed")]
)
def test_a_terminal_ends_the_run_at_once(state: str, outcome: str) -> None:
    play = Play(plan_of(step("A"), terminal(state), step("B")))
    play.done("A")
    assert play.ended == outcome
    assert play.waves == [["A"]]


def test_a_terminal_gives_its_reason() -> None:
    play = Play(plan_of(step("A"), terminal("REJECTED", reason="too dear")))
    play.done("A")
    assert play.reason == "too dear"


def test_a_terminal_in_a_nested_sequence_ends_the_whole_run() -> None:
    play = Play(plan_of(sequence(step("A"), sequence(terminal("COMPLETED"))), step("B")))
    play.done("A")
    assert play.ended == "completed"
    assert play.waves == [["A"]]


def test_a_terminal_whose_condition_is_skipped_ends_nothing() -> None:
    stop_if = when("a.bad", on_fail="skip")
    play = Play(plan_of(step("A"), terminal("REJECTED", conditions=[stop_if]), step("B")))
    play.done("A", bad=False)
    play.done("B")
    assert play.ended == "completed"


def test_a_workflow_whose_every_node_is_skipped_completes_without_a_step() -> None:
    play = Play(plan_of(step("A", conditions=[when("x.y", on_fail="skip")])))
    assert (play.waves, play.ended, play.reason) == ([], "completed", "all its steps are done")


def test_a_run_whose_last_step_was_skipped_says_that_all_is_done() -> None:
    play = Play(plan_of(step("A"), step("B", conditions=[when("a.ok", on_fail="skip")])))
    play.done("A", ok=False)
    assert play.reason == "all its steps are done"


GATES = [
    (None, "rejected", [["A"]]),
    ("stop", "rejected", [["A"]]),
    ("skip", "still going", [["A"], ["C"]]),
    ({"escalate_to": "other"}, "still going", [["A"], ["E"]]),
]


@pytest.mark.parametrize(("on_fail", "ended", "waves"), GATES)
@pytest.mark.parametrize(
    "gated",
    [
        lambda gate: step("B", conditions=gate),
        lambda gate: parallel(step("B"), step("D"), conditions=gate),
        lambda gate: sequence(step("B"), conditions=gate),
        lambda gate: loop("B", step("D"), times=2, conditions=gate),
        lambda gate: approval("B", conditions=gate),
        lambda gate: call("other", conditions=gate),
        lambda gate: terminal("FAILED", conditions=gate),
    ],
    ids=["step", "parallel", "sequence", "loop", "approval", "call", "terminal"],
)
def test_a_false_condition_in_a_sequence_does_what_on_fail_says(
    gated: Any, on_fail: Any, ended: str, waves: list[list[str]]
) -> None:
    gate = [when("a.ok", on_fail=on_fail)]
    play = Play(plan_of(step("A"), gated(gate), step("C"), other=[step("E")]))
    play.done("A", ok=False)
    assert (play.ended, play.waves) == (ended, waves)


def test_a_true_condition_lets_the_step_in() -> None:
    play = Play(plan_of(step("A"), step("B", conditions=[when("a.ok")])))
    play.done("A", ok=True)
    assert play.last == ["B"]


def test_the_first_false_condition_of_a_list_decides() -> None:
    gates = [when("a.one"), when("a.two", on_fail="skip"), when("a.three", on_fail="stop")]
    play = Play(plan_of(step("A"), step("B", conditions=gates), step("C")))
    play.done("A", one=True, two=False, three=False)
    assert play.last == ["C"]


def test_a_rejected_run_says_which_comparison_turned_it_down() -> None:
    play = Play(plan_of(step("A"), step("B", conditions=[when("a.n", 0.8, ">")])))
    play.done("A", n=0.5)
    assert play.ended == "rejected"
    assert "B" in play.reason
    assert "a.n = 0.5" in play.reason
    why = play.reason.partition(": ")[2]
    assert play.told("gate") == [{"state": "B", "path": "main.1", "why": why, "then": "stop"}]


def test_a_missing_field_is_false_and_the_ledger_says_so() -> None:
    play = Play(plan_of(step("A"), step("B", conditions=[when("zzz.n", 0.8, ">", on_fail="skip")])))
    play.done("A")
    assert play.ended == "completed"
    assert "missing" in play.told("gate")[0]["why"]


def test_a_failed_step_fails_the_run_with_its_reason() -> None:
    play = Play(plan_of(step("A"), step("B")))
    play.fail("A", "out of paper")
    assert play.ended == "failed"
    assert "out of paper" in play.reason


def test_a_tolerated_failure_counts_as_done_without_output() -> None:
    gate = [when("a.n", operator="exists", on_fail="skip")]
    play = Play(plan_of(step("A", on_error="continue"), step("B"), step("C", conditions=gate)))
    play.fail("A", "out of paper")
    assert play.last == ["B"]
    assert play.told("failure_tolerated") == [{"why": "out of paper"}]
    play.done("B")
    assert (play.ended, play.reason, play.data) == ("completed", "all its steps are done", {"b": {}})


def test_a_tolerated_failure_keeps_what_the_namespace_held_before() -> None:
    play = Play(plan_of(step("A"), step("B", "a", on_error="continue"), step("C")))
    play.done("A", n=1)
    play.fail("B")
    assert play.sees("C") == {"a": {"n": 1}}


def test_a_withdrawn_step_cancels_the_run_even_where_failures_are_tolerated() -> None:
    play = Play(plan_of(step("A", on_error="continue"), step("B")))
    play.move(play.settlement("A", SettledAs.CANCELLED, reason="withdrawn"))
    assert play.waves == [["A"]]
    assert (play.ended, play.reason) == ("cancelled", "withdrawn")
