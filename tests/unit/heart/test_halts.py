"""Ends from outside and by the cap: nothing starts any more, what is at work may end, everything written is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.heart.playing import Play, approval, foreach, loop, parallel, plan_of, sequence, step
from zts_core.advance import advance
from zts_core.run import Ending, Outcome, RunState, Settled, SettledAs

CANCEL = Ending(Outcome.CANCELLED, "by ada")


def test_a_run_may_start_exactly_as_many_steps_as_its_cap() -> None:
    play = Play(plan_of(step("A"), step("B")), max_steps=2)
    play.done("A")
    play.done("B")
    assert (play.ended, play.state.started) == ("completed", 2)


def test_the_step_after_the_cap_halts_the_run_and_names_it() -> None:
    play = Play(plan_of(step("A"), step("B"), step("C")), max_steps=2)
    play.done("A")
    play.done("B")
    assert (play.ended, play.state.started) == ("halted_step_cap", 2)
    assert "step cap of 2" in play.reason
    assert "C" in play.reason
    assert play.told("halted")[0]["outcome"] == "halted_step_cap"


def test_a_wave_that_would_pass_the_cap_is_not_sent_at_all() -> None:
    play = Play(plan_of(step("A"), parallel(step("B"), step("C"), step("D"))), max_steps=3)
    play.done("A")
    assert (play.waves, play.ended, play.state.started) == ([["A"]], "halted_step_cap", 1)
    assert play.visits == []


def test_a_first_wave_above_the_cap_ends_the_run_before_it_starts() -> None:
    play = Play(plan_of(parallel(step("A"), step("B"))), max_steps=1)
    assert (play.ended, play.waves, play.state.started) == ("halted_step_cap", [], 0)


def test_loop_iterations_items_and_called_steps_count() -> None:
    for nodes in (
        [loop("L", step("S"), times=9)],
        [step("P"), foreach("p.items", step("S"), max_parallel=1)],
        [{"call": {"workflow": "other"}}],
    ):
        play = Play(plan_of(*nodes, other=[step(f"S{n}") for n in range(9)]), max_steps=3)
        while play.open:
            play.done(next(iter(play.open.values())), items=list(range(9)), n=len(play.starts))
        assert (play.ended, play.state.started, len(play.starts)) == ("halted_step_cap", 3, 3)


def test_a_capped_run_waits_for_what_is_at_work_and_keeps_its_output() -> None:
    play = Play(plan_of(parallel(step("A"), sequence(step("B"), step("C"))), step("Z")), max_steps=2)
    play.done("B", n=2)
    assert play.ended == "still going"
    play.done("A", n=1)
    assert play.ended == "halted_step_cap"
    assert play.data == {"a": {"n": 1}, "b": {"n": 2}}


@pytest.mark.parametrize("order", [("A", "B", "C"), ("C", "B", "A"), ("B", "C", "A")])
def test_what_branches_wrote_before_a_halt_is_merged_in_branch_order(order: tuple[str, ...]) -> None:
    inner = parallel(step("B", "w"), step("C", "w"), merge="union")
    play = Play(plan_of(step("P"), parallel(step("A", "w"), inner, step("D"))))
    play.done("P", n=0)
    play.move(stop=CANCEL)
    for state in order:
        play.done(state, tags=[state])
    play.fail("D")
    assert play.ended == "cancelled"
    assert play.data == {"p": {"n": 0}, "w": {"tags": ["B", "C"]}}


def test_a_halted_foreach_keeps_the_items_it_has() -> None:
    play = Play(plan_of(step("P"), foreach("p.items", step("S"), max_parallel=3)))
    play.done("P", items=list(range(6)))
    play.done("S[2]", n=2)
    play.fail("S[3]")
    play.move(stop=CANCEL)
    play.done("S[1]", n=1)
    play.fail("S[4]")
    play.done("S[5]", n=5)
    assert play.ended == "cancelled"
    assert play.data["s"] == {"items": [{"n": 1}, {"n": 2}, {"n": 5}], "count": 3, "failed": 3, "skipped": 0}


def test_a_foreach_that_meets_the_cap_keeps_the_items_it_has() -> None:
    play = Play(plan_of(step("P"), foreach("p.items", step("S"), max_parallel=2)), max_steps=3)
    play.done("P", items=list(range(6)))
    play.done("S[2]", n=2)
    play.done("S[1]", n=1)
    assert play.ended == "halted_step_cap"
    assert play.data["s"] == {"items": [{"n": 1}, {"n": 2}], "count": 2, "failed": 4, "skipped": 0}


def test_a_stopped_run_ends_at_once_where_nothing_is_at_work() -> None:
    plan = plan_of(step("A"), step("B"))
    state = RunState(max_steps=5)
    decision = advance(plan, state, stop=CANCEL)
    assert decision.finish == CANCEL
    assert decision.starts == ()


def test_a_stopped_run_starts_nothing_and_ends_when_the_last_step_has_settled() -> None:
    play = Play(plan_of(parallel(sequence(step("A"), step("A2")), step("B")), step("Z")))
    play.move(stop=CANCEL)
    play.done("A", n=1)
    assert play.ended == "still going"
    play.done("B", n=2)
    assert (play.ended, play.reason) == ("cancelled", "by ada")
    assert play.waves == [["A", "B"]]
    assert play.data == {"a": {"n": 1}, "b": {"n": 2}}


def test_a_stop_and_the_last_settlement_together_end_as_the_stop_says() -> None:
    play = Play(plan_of(step("A")))
    play.move(play.settlement("A", {}), stop=CANCEL)
    assert play.ended == "cancelled"


def test_the_first_of_two_stops_counts() -> None:
    play = Play(plan_of(step("A")))
    play.move(stop=CANCEL)
    play.move(stop=Ending(Outcome.TIMED_OUT, "late"))
    play.done("A")
    assert play.ended == "cancelled"


@pytest.mark.parametrize("status", list(SettledAs))
def test_however_steps_settle_a_stopped_run_ends_as_it_was_stopped(status: SettledAs) -> None:
    play = Play(plan_of(parallel(step("A", on_error="continue"), approval("OK")), step("Z")))
    play.move(stop=Ending(Outcome.TIMED_OUT, "late"))
    play.move(Settled(1, status, "a"), Settled(2, status))
    assert play.ended == "timed_out"


def test_a_withdrawn_step_stops_a_run_that_nobody_has_told_yet() -> None:
    play = Play(plan_of(parallel(step("A", on_error="continue"), sequence(step("B"), step("C")))))
    play.move(Settled(1, SettledAs.CANCELLED, reason="by ada"))
    play.done("B")
    assert (play.ended, play.waves) == ("cancelled", [["A", "B"]])


def test_a_decision_that_ends_a_run_is_worth_recording_even_while_steps_are_at_work() -> None:
    play = Play(plan_of(parallel(step("A"), sequence(step("B"), step("C")))), max_steps=2)
    decision = play.done("B")
    assert decision.state.ending
    assert not decision.waits


NOTHING_NEW: list[Any] = [[99], [1], [1, 1], [99, 98]]


@pytest.mark.parametrize("seqs", NOTHING_NEW)
def test_settlements_that_are_unknown_or_doubled_start_nothing(seqs: list[int]) -> None:
    play = Play(plan_of(step("A"), step("B"), step("C")))
    play.done("A")
    before = play.state
    decision = play.move(*(Settled(seq, SettledAs.DONE, "a", "x", {"n": 9}) for seq in seqs))
    assert decision.waits
    assert decision.consumed == tuple(seqs)
    assert play.state == before


def test_a_refused_wave_is_no_visit() -> None:
    play = Play(plan_of(loop("L", step("S"), times=9)), max_steps=2)
    play.done("L_1", n=1)
    play.done("L_2", n=2)
    assert play.ended == "halted_step_cap"
    assert len(play.visits) == 2


def test_a_run_that_is_ending_waits_for_no_answer() -> None:
    play = Play(plan_of(parallel(approval("OK"), sequence(step("A"), step("B")), step("C"))), max_steps=2)
    decision = play.done("A")
    assert len(decision.closed) == 1
    assert list(play.open.values()) == ["C"]
    play.done("C")
    assert play.ended == "halted_step_cap"


def test_a_stop_closes_open_questions_and_ends_at_once_where_nothing_else_is_open() -> None:
    play = Play(plan_of(parallel(approval("OK"), approval("OK2"))))
    assert play.move(stop=CANCEL).closed == (1, 2)
    assert play.ended == "cancelled"
