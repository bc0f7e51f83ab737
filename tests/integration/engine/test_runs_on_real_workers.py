"""What a run does on real Redis and real Celery workers, in each pool and each watchdog mode."""

from __future__ import annotations

import pytest
from engine_stack import Stack
from played_runs import OTHER, Runs, step
from servers import wait_until

from zts_core.run import Outcome, StepStatus

pytestmark = [pytest.mark.redis, pytest.mark.worker]

OK = {"field": "made.ok", "operator": "==", "value": True}


def test_a_sequence_runs_each_step_once_and_in_order(runs: Runs) -> None:
    ended = runs.play([step("FIRST"), step("SECOND"), {"state": "COMPLETED"}])
    assert ended.outcome is Outcome.COMPLETED
    assert runs.states(ended.run_id) == ["FIRST", "SECOND"]
    assert runs.calls(ended.run_id) == {"FIRST": 1, "SECOND": 1}


def test_branches_meet_at_the_join_and_only_there(runs: Runs) -> None:
    quick = {"sequence": [step("QUICK", OTHER), step("QUICKER", OTHER)]}
    ended = runs.play([{"parallel": [step("SLOW", sleep_s=0.6), quick]}, step("AFTER", look_at=["made", "other"])])
    assert ended.outcome is Outcome.COMPLETED
    by_state = {record.state: record for record in runs.store.steps(ended.run_id)}
    assert by_state["QUICKER"].ended_ms < by_state["SLOW"].ended_ms
    assert by_state["AFTER"].started_ms >= by_state["SLOW"].ended_ms
    assert runs.calls(ended.run_id) == {"SLOW": 1, "QUICK": 1, "QUICKER": 1, "AFTER": 1}


def test_a_join_is_decided_once_by_the_last_step_or_by_the_body_of_the_chord(stack: Stack) -> None:
    ended = stack.runs.play([{"parallel": [step("A"), step("B", OTHER)]}, step("C")])
    assert ended.outcome is Outcome.COMPLETED
    if stack.runs.watchdog == "chord":
        wait_until(lambda: "zts.watchdog" in stack.worker.said(), what="the watchdog ran as a task")


def test_a_fan_out_of_thirty_items_joins_once(runs: Runs) -> None:
    fan = {"foreach": {"over": "made.tasks", "as": "item", "step": step("ITEM", OTHER, keep={"it": "${item}"})}}
    ended = runs.play([step("LIST", output={"tasks": list(range(30))}), fan, step("AFTER", look_at=["other"])])
    assert ended.outcome is Outcome.COMPLETED
    result = runs.store.results(ended.run_id, [32])[32]
    assert [item["seen"]["it"] for item in result.output["seen"]["other"]["items"]] == list(range(30))
    assert set(runs.calls(ended.run_id).values()) == {1}


def test_a_windowed_fan_out_keeps_its_limit(runs: Runs) -> None:
    body = {"over": "made.tasks", "as": "item", "max_parallel": 2, "step": step("ITEM", OTHER, sleep_s=0.05)}
    ended = runs.play([step("LIST", output={"tasks": list(range(6))}), {"foreach": body}])
    assert ended.outcome is Outcome.COMPLETED
    items = [record for record in runs.store.steps(ended.run_id) if record.state.startswith("ITEM")]
    at_work_when_one_starts = [sum(b.started_ms <= a.started_ms < b.ended_ms for b in items) for a in items]
    assert len(items) == 6
    assert max(at_work_when_one_starts) <= 2


def test_a_loop_goes_round_until_its_break_condition(runs: Runs) -> None:
    loop = {"state_prefix": "ROUND", "max_iterations": 5, "break_conditions": [OK], "sequence": [step("TRY", keep={})]}
    ended = runs.play([{"loop": loop}])
    assert ended.outcome is Outcome.COMPLETED
    assert runs.states(ended.run_id) == ["ROUND_1"]


def test_a_loop_without_progress_is_halted_with_its_cycle(runs: Runs) -> None:
    never = {"field": "made.name", "operator": "==", "value": "never"}
    loop = {
        "state_prefix": "ROUND",
        "max_iterations": 9,
        "break_conditions": [never],
        "sequence": [step("A"), step("B", OTHER)],
    }
    ended = runs.play([{"loop": loop}])
    assert ended.outcome is Outcome.HALTED_LOOP
    assert "no progress" in ended.reason
    assert ended.started < 9


def test_the_step_cap_is_never_passed(runs: Runs) -> None:
    ended = runs.play([step(f"S{number}") for number in range(8)], max_steps=5)
    assert ended.outcome is Outcome.HALTED_STEP_CAP
    assert sum(runs.calls(ended.run_id).values()) == 5


def test_a_gate_that_does_not_hold_rejects_the_run_with_the_values(runs: Runs) -> None:
    gate = {"field": "made.score", "operator": ">", "value": 0.8}
    ended = runs.play([step("JUDGE", output={"score": 0.62}), step("NEXT", conditions=[gate])])
    assert ended.outcome is Outcome.REJECTED
    assert "0.62" in ended.reason
    assert "0.8" in ended.reason


def test_an_escalation_goes_on_in_the_other_workflow(runs: Runs) -> None:
    gate = {"field": "made.score", "operator": ">", "value": 0.8, "on_fail": {"escalate_to": "other"}}
    others = {"other": {"sequence": [step("ELSEWHERE", look_at=["made"])]}}
    ended = runs.play([step("JUDGE"), step("NEXT", conditions=[gate])], others=others)
    assert ended.outcome is Outcome.COMPLETED
    assert runs.states(ended.run_id) == ["JUDGE", "ELSEWHERE"]


def test_a_called_workflow_runs_inside_the_same_run(runs: Runs) -> None:
    others = {"inner": {"sequence": [step("INSIDE", OTHER), {"state": "COMPLETED"}]}}
    ended = runs.play([{"call": {"workflow": "inner", "with": {"keep": {"a": 1}}}}, step("AFTER")], others=others)
    assert ended.outcome is Outcome.COMPLETED
    assert runs.states(ended.run_id) == ["inner.INSIDE", "AFTER"]


def test_what_one_worker_is_not_set_up_for_is_tried_again(runs: Runs) -> None:
    ended = runs.play([step("KEYLESS", fail="setting", until_attempt=2, retry_attempts=1)])
    assert ended.outcome is Outcome.COMPLETED


def test_transient_errors_are_tried_again_and_hold_no_worker(runs: Runs) -> None:
    ended = runs.play([step("SHAKY", fail="transient", until_attempt=3, retry_attempts=3)])
    assert ended.outcome is Outcome.COMPLETED
    (record,) = runs.store.steps(ended.run_id)
    assert (record.attempt, record.failures) == (3, 2)
    assert runs.kinds(ended.run_id)["attempt_failed"] == 2


def test_retries_end_with_the_last_error_and_the_number_of_tries(runs: Runs) -> None:
    ended = runs.play([step("SHAKY", fail="transient", retry_attempts=1)])
    assert ended.outcome is Outcome.FAILED
    assert "SHAKY failed after 2 tries: try me again" in ended.reason


@pytest.mark.parametrize(("how", "said"), [("permanent", "never again"), ("bug", "ValueError: a bug in the crew")])
def test_other_errors_fail_the_step_at_once(runs: Runs, how: str, said: str) -> None:
    ended = runs.play([step("BROKEN", fail=how, retry_attempts=3), step("NEVER")])
    assert ended.outcome is Outcome.FAILED
    assert said in ended.reason
    assert runs.calls(ended.run_id) == {"BROKEN": 1}


def test_a_tolerated_failure_lets_the_run_go_on(runs: Runs) -> None:
    ended = runs.play([step("BROKEN", fail="permanent", on_error="continue"), step("NEXT")])
    assert ended.outcome is Outcome.COMPLETED


def test_a_crew_that_never_returns_is_timed_out_and_the_worker_goes_on(runs: Runs) -> None:
    ended = runs.play([step("STUCK", hang="rude", timeout=0.5)])
    assert ended.outcome is Outcome.FAILED
    assert "time-out of 0.5 s" in ended.reason
    assert runs.play([step("NEXT")]).outcome is Outcome.COMPLETED


def test_an_async_crew_is_run_like_any_other(runs: Runs) -> None:
    ended = runs.play([step("LATER", "scripted_crews:AsyncCrew")])
    assert ended.outcome is Outcome.COMPLETED


def test_an_unknown_crew_fails_its_step_by_name(runs: Runs) -> None:
    ended = runs.play([step("WHO", "NobodyCrew")])
    assert ended.outcome is Outcome.FAILED
    assert "NobodyCrew" in ended.reason


def test_files_of_a_failed_attempt_never_appear(runs: Runs) -> None:
    ended = runs.play([step("WRITER", file="a.txt", fail="transient", until_attempt=2, retry_attempts=1)])
    result = runs.store.results(ended.run_id, [1])[1]
    assert list(result.artifacts) == ["a.txt"]
    assert result.artifacts["a.txt"][1] == len("attempt 2")


def test_an_approval_holds_no_worker_and_the_answer_moves_the_run_on(runs: Runs) -> None:
    run_id = runs.start([{"approval": {"state": "ASK", "prompt": "go?"}}, step("NEXT")])
    assert runs.store.run(run_id).status == "waiting"
    assert runs.store.answer(run_id, 1, approved=True, by="ann", comment="yes")
    assert not runs.store.answer(run_id, 1, approved=False, by="bob", comment="too late")
    runs.dispatcher.advance_run(run_id)
    assert runs.wait(run_id).outcome is Outcome.COMPLETED


def test_an_approval_nobody_answers_is_rejected_in_time(runs: Runs) -> None:
    ended = runs.play([{"approval": {"state": "ASK", "prompt": "go?", "timeout": 0.3}}, step("NEXT")])
    assert ended.outcome is Outcome.REJECTED
    assert "time-out" in ended.reason


def test_a_run_past_its_deadline_is_stopped(runs: Runs) -> None:
    ended = runs.play([step("POLITE", hang="polite", timeout=60)], deadline_s=0.5)
    assert ended.outcome is Outcome.TIMED_OUT


def test_a_cancelled_run_starts_nothing_any_more(runs: Runs) -> None:
    run_id = runs.start([step("POLITE", hang="polite"), step("NEVER")])
    wait_until(lambda: runs.calls(run_id)["POLITE"])
    runs.store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="enough")
    runs.dispatcher.advance_run(run_id)
    ended = runs.wait(run_id)
    assert (ended.outcome, ended.reason) == (Outcome.CANCELLED, "enough")
    assert runs.states(run_id) == ["POLITE"]
    assert runs.store.steps(run_id)[0].status is StepStatus.CANCELLED


def test_a_paused_run_starts_nothing_until_it_is_resumed(runs: Runs) -> None:
    run_id = runs.start([step("FIRST", sleep_s=0.3), step("SECOND")])
    wait_until(lambda: runs.calls(run_id)["FIRST"])
    assert runs.store.pause(run_id, paused=True)
    wait_until(lambda: runs.store.steps(run_id)[0].ended_ms)
    assert runs.store.run(run_id).status == "paused"
    assert runs.calls(run_id)["SECOND"] == 0
    assert runs.store.pause(run_id, paused=False)
    assert runs.wait(run_id).outcome is Outcome.COMPLETED


def test_many_runs_at_once_all_end(runs: Runs) -> None:
    started = [runs.start([step("A"), {"parallel": [step("B"), step("C", OTHER)]}, step("D")]) for _ in range(10)]
    assert {runs.wait(run_id).outcome for run_id in started} == {Outcome.COMPLETED}
    for run_id in started:
        assert runs.calls(run_id) == {"A": 1, "B": 1, "C": 1, "D": 1}


def test_no_index_remembers_finished_runs(runs: Runs) -> None:
    runs.play([{"parallel": [step("A"), step("B", OTHER)]}])
    due = runs.store.due(unclaimed_after_s=-60, undecided_after_s=-60, backlog=False, limit=100)
    assert not any((due.leases, due.unclaimed, due.retries, due.approvals, due.undecided))
