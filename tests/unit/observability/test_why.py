"""`zts why`: the chain of reasons for a run's present state, from its record, its steps and its ledger."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.contracts.store_worlds import World, memory_world
from tests.unit.heart.playing import approval, loop, parallel, step
from zts_core.ports import StepResult
from zts_core.run import Outcome, Settled, SettledAs
from zts_core.workflow.plan import Plan
from zts_producer.cli.reasons import Explanation, Reason, commands, explain
from zts_producer.cli.spent import AT_WORK, BACKING_OFF, FOR_PEOPLE, FOR_RESUME, FOR_WORKER
from zts_producer.cli.why import _about_workers, lines


class Case:
    """A run in memory, and why it stands where it stands."""

    def __init__(self, *nodes: dict[str, Any], deadline_s: float = 86_400, max_steps: int = 50) -> None:
        self.world: World = memory_world()
        self.plan: Plan = self.world.submit(*nodes, deadline_s=deadline_s, max_steps=max_steps)

    def why(self) -> Explanation:
        store = self.world.store
        now_ms = store.clock.now_ms  # type: ignore[attr-defined]
        return explain(store.run("r1"), store.steps("r1"), store.ledger("r1"), self.plan, now_ms=now_ms)

    def only(self) -> Reason:
        (reason,) = self.why().reasons
        return reason

    def settle(self, seq: int, status: SettledAs = SettledAs.DONE, *, reason: str = "", **facts: Any) -> None:
        attempt = self.world.claimed(seq)
        namespace = self.world.store.steps("r1")[seq - 1].crew
        settled = Settled(seq, status, namespace, "d", facts, reason)
        self.world.store.settle("r1", settled, attempt=attempt, result=StepResult(namespace, facts))
        self.world.advance(self.plan)


def said(text: str) -> str:
    """Without the times of day, which depend on where the test runs."""
    return re.sub(r"\d\d:\d\d:\d\d", "T", text)


def test_a_step_that_nobody_takes_waits_for_a_worker_since_it_was_first_sent() -> None:
    case = Case(step("A"))
    case.world.let_pass(42)
    assert said(case.only().what) == "waits for a worker since T (42 s)"
    case.world.store.touch_unclaimed("r1", 1)
    case.world.let_pass(8)
    reason = case.only()
    assert reason.what.startswith("waits for a worker since")
    assert "(50 s)" in reason.what
    assert commands([reason]) == ["zts health"]
    assert case.why().summary == "running for 50 s: 1 waiting for a worker"


def test_a_step_at_work_names_its_worker_and_how_long_it_may_take() -> None:
    case = Case(step("A", timeout=300))
    case.world.claimed(worker="host:7")
    case.world.store.say("r1", 1, attempt=1, line="reading")
    case.world.let_pass(20)
    assert said(case.only().what) == (
        'attempt 1 is held by worker host:7 since T (20 s), until T (in 4 min 40 s) at the latest; it says "reading"'
    )


def test_a_step_that_was_taken_over_tells_which_worker_was_lost() -> None:
    case = Case(step("A", timeout=300))
    case.world.claimed(worker="host:7", lease_s=5)
    case.world.let_pass(6)
    case.world.store.requeue_expired("r1", 1, takeovers=3)
    case.world.claimed(worker="host:8")
    assert "attempt 2 is held by worker host:8" in case.only().what
    assert "; host:7 was lost with it at" in case.only().what


def test_a_step_that_backs_off_tells_its_try_its_time_and_its_error() -> None:
    case = Case(step("A", retry_attempts=3))
    case.world.claimed()
    case.world.store.back_off("r1", 1, attempt=1, delay_s=60, error="the service is busy")
    case.world.let_pass(10)
    assert said(case.only().what) == "try 2 of 4 backs off until T (in 50 s), after: the service is busy"


def test_an_unanswered_approval_tells_its_question_and_how_to_answer() -> None:
    case = Case(approval("GO", timeout=120))
    case.world.let_pass(30)
    reason = case.only()
    assert said(reason.what).startswith("approval unanswered since T (30 s): ")
    assert said(reason.what).endswith("(answers itself at T (in 1 min 30 s))")
    assert commands([reason]) == ["zts approve r1 GO"]


def test_a_paused_run_says_so_before_its_steps() -> None:
    case = Case(step("A"))
    case.world.let_pass(5)
    case.world.store.pause("r1", paused=True)
    case.world.let_pass(5)
    paused, waiting = case.why().reasons
    assert said(paused.what) == "paused since T (5.0 s): no attempt starts"
    assert paused.do == "zts resume r1"
    assert (waiting.state, waiting.what) == ("A", "starts when the run is resumed")
    assert commands(case.why().reasons) == ["zts resume r1"]
    assert case.why().summary == "paused for 10 s: 1 waiting for the resume"
    assert case.why().spent.seconds == {FOR_WORKER: 5, FOR_RESUME: 5}


def test_a_pause_that_is_over_is_told_apart_from_waiting_for_a_worker() -> None:
    case = Case(step("A"))
    case.world.let_pass(2)
    case.world.store.pause("r1", paused=True)
    case.world.let_pass(60)
    case.world.store.pause("r1", paused=False)
    case.world.let_pass(3)
    case.settle(1)
    assert case.why().spent.seconds == {FOR_WORKER: 5, FOR_RESUME: 60}


def test_a_run_that_is_being_stopped_says_why_and_what_it_waits_for() -> None:
    case = Case(parallel(step("A"), step("B")))
    case.world.claimed(1)
    case.world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="cancelled by ada")
    stopping, at_work = case.why().reasons
    assert stopping.what == "being stopped as cancelled: cancelled by ada; steps at work are let end"
    assert at_work.state == "A"


def test_a_run_in_which_nobody_decided_says_since_when() -> None:
    case = Case(step("A"), step("B"))
    case.world.claimed()
    case.world.settle()
    case.world.let_pass(15)
    assert said(case.only().what) == "everything has settled since T (15 s) and no worker has decided what is next"


def test_a_gate_that_turned_a_run_down_is_told_with_its_value() -> None:
    gate = {"field": "a.confidence", "operator": ">", "value": 0.8}
    case = Case(step("A", "a"), step("B", conditions=[gate]))
    case.settle(1, confidence=0.62)
    found = case.why()
    assert found.outcome is Outcome.REJECTED
    assert "a.confidence" in found.reasons[0].what
    assert "0.62" in found.reasons[0].what
    assert "0.8" in found.summary


def test_a_failed_run_tells_every_try_that_led_there() -> None:
    case = Case(step("A", retry_attempts=1))
    case.world.claimed()
    case.world.store.back_off("r1", 1, attempt=1, delay_s=1, error="busy")
    case.world.let_pass(2)
    case.world.store.requeue_retry("r1", 1)
    case.settle(1, SettledAs.FAILED, reason="A failed after 2 tries: busy")
    told = [reason.what for reason in case.why().reasons]
    assert told[0].startswith("A attempt 1 failed")
    assert told[1].startswith("A failed (attempt 2): A failed after 2 tries")
    assert case.why().summary.startswith("failed after 2.0 s: ")


def test_a_failure_names_its_state_once() -> None:
    case = Case(step("F"))
    case.settle(1, SettledAs.FAILED, reason="F failed: ValueError: broken")
    assert case.why().reasons[0].what == "F failed: ValueError: broken"
    assert case.why().summary.endswith(": F failed: ValueError: broken")
    assert commands(case.why().reasons) == ["zts retry r1"]


def test_a_loop_that_was_exhausted_is_told() -> None:
    case = Case(loop("L", step("S", "s"), times=2))
    case.settle(1)
    case.settle(2)
    assert any("used all its iterations" in reason.what for reason in case.why().reasons)


def test_the_time_of_a_run_is_split_by_what_it_was_spent_on() -> None:
    case = Case(step("A", retry_attempts=1), approval("GO"))
    case.world.let_pass(5)
    case.world.claimed()
    case.world.let_pass(10)
    case.world.store.back_off("r1", 1, attempt=1, delay_s=20, error="busy")
    case.world.let_pass(23)
    case.world.store.requeue_retry("r1", 1)
    case.world.claimed()
    case.world.let_pass(7)
    case.world.settle(attempt=2)
    case.world.advance(case.plan)
    case.world.let_pass(100)
    found = case.why().spent
    assert found.seconds == {FOR_WORKER: 8, AT_WORK: 17, BACKING_OFF: 20, FOR_PEOPLE: 100}
    assert found.slowest == (("A", 17.0),)


def test_many_open_steps_are_counted_instead_of_told() -> None:
    case = Case(parallel(*(step(f"S{number}") for number in range(40))))
    told = case.why().reasons
    assert len(told) == 13
    assert told[-1].what == "and 28 more waiting for a worker"


def test_what_a_terminal_shows_names_states_once_and_ends_with_what_to_do() -> None:
    case = Case(step("A", retry_attempts=1))
    case.world.claimed()
    case.world.store.back_off("r1", 1, attempt=1, delay_s=60, error="x\x1b[31m")
    shown = [said(line) for line in lines(case.why())]
    assert shown[0] == "r1 running for 0.0 s: 1 backing off"
    assert shown[1] == "  T  A: try 2 of 2 backs off until T (in 1 min 00 s), after: x [31m"
    case = Case(step("A"))
    assert lines(case.why())[-1] == "try: zts health"


def test_the_json_form_is_plain_data() -> None:
    found = json.loads(json.dumps(Case(step("A")).why().to_json()))
    assert found["status"] == "running"
    assert found["reasons"][0]["state"] == "A"
    assert set(found) == {"run_id", "status", "outcome", "summary", "reasons", "spent"}


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, ""), (0, "no worker answers: start one"), (1, "1 worker answers: it is busy"), (3, "3 workers answer")],
)
def test_where_a_step_waits_for_a_worker_it_is_told_how_many_there_are(count: int | None, said: str) -> None:
    assert _about_workers(count, encrypted=False).startswith(said)
