"""Approvals: the run waits for a person and goes on as the person says."""

from __future__ import annotations

from tests.unit.heart.playing import Play, approval, foreach, loop, parallel, plan_of, sequence, step, when
from zts_core.run import SettledAs


def test_an_approval_is_asked_with_all_a_person_needs() -> None:
    play = Play(plan_of(step("A"), approval("OK", timeout=60, on_timeout="approve")))
    decision = play.done("A")
    asked = decision.approvals[0]
    assert (asked.state, asked.path, asked.prompt) == ("OK", "main.1", "May it go on?")
    assert (asked.timeout, asked.on_timeout) == (60, "approve")


def test_an_approved_run_goes_on_and_a_rejected_one_ends() -> None:
    plan = plan_of(approval("OK"), step("A"))
    play = Play(plan)
    play.answer("OK", approved=True)
    assert play.last == ["A"]
    play = Play(plan)
    play.answer("OK", approved=False)
    assert (play.ended, play.reason) == ("rejected", "a person answered rejected")


def test_an_approval_is_no_step_and_counts_against_no_cap() -> None:
    play = Play(plan_of(approval("OK"), approval("OK2"), step("A")), max_steps=1)
    play.answer("OK", approved=True)
    play.answer("OK2", approved=True)
    assert play.last == ["A"]
    play.done("A")
    assert (play.ended, play.state.started) == ("completed", 1)


def test_an_approval_writes_no_data() -> None:
    play = Play(plan_of(approval("OK"), step("A")))
    play.answer("OK", approved=True)
    assert play.data == {}


def test_a_decision_says_when_only_people_can_move_the_run_on() -> None:
    play = Play(plan_of(parallel(approval("OK"), step("A"))))
    decision = play.done("A")
    assert decision.asks_only
    decision = Play(plan_of(parallel(approval("OK"), step("A")))).answer("OK", approved=True)
    assert not decision.asks_only


def test_a_rejection_in_a_branch_takes_effect_at_the_join() -> None:
    play = Play(plan_of(parallel(approval("OK"), sequence(step("A"), step("B")))))
    play.answer("OK", approved=False)
    play.done("A")
    assert play.last == ["B"]
    play.done("B")
    assert play.ended == "rejected"


def test_an_approval_in_a_loop_is_asked_each_time_round() -> None:
    play = Play(plan_of(loop("L", approval("OK"), step("A"), times=2)))
    play.answer("L_1.OK", approved=True)
    play.done("L_1.A")
    assert play.last == ["L_2.OK"]


def test_a_skipped_approval_is_not_asked() -> None:
    gate = [when("a.dear", on_fail="skip")]
    play = Play(plan_of(step("A"), approval("OK", conditions=gate), step("B")))
    play.done("A", dear=False)
    assert play.last == ["B"]


def test_a_withdrawn_question_cancels_the_run() -> None:
    play = Play(plan_of(parallel(approval("OK"), step("A")), foreach("a.items", step("B"))))
    play.move(play.settlement("OK", SettledAs.CANCELLED, reason="by ada"))
    assert play.ended == "still going"
    play.done("A", items=[1])
    assert (play.ended, play.reason) == ("cancelled", "by ada")
