"""The faults a run must survive, one by one, each with its expected result."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.simulation.actors import TAKEOVERS, Temper
from tests.simulation.faults import Faults
from tests.simulation.invariants import check
from tests.simulation.story import Stage
from tests.unit.heart.playing import approval, foreach, loop, parallel, plan_of, sequence, step
from tests.unit.heart.random_workflows import Maker
from zts_core.dispatch import Dispatcher
from zts_core.errors import ServiceUnavailable
from zts_core.run import Outcome, StepStatus
from zts_core.workflow.plan import Plan

CALM = Temper(0.0, 0, deadly=False)
SEED = 6
"""Under this seed none of the crews below fails."""


def staged(
    *plans: Plan, nodes: int = 2, seed: int = SEED, temper: Temper = CALM, faults: Faults | None = None
) -> Stage:
    stage = Stage(seed, temper=temper, faults=faults)
    for number in range(nodes):
        stage.add_node(f"node{number}")
    for plan in plans:
        stage.add_run(plan)
    return stage


def outcomes(stage: Stage) -> list[str]:
    return [str(stage.store.run(run_id).outcome) for run_id in stage.run_of_key.values()]


def kinds(stage: Stage) -> Counter[str]:
    return Counter(entry.kind for run in stage.store.known.values() for entry in run.ledger)


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in (0, 20, 40)], ids=str)
def test_without_faults_nothing_ever_waits_for_the_reaper(seeds: range) -> None:
    for seed in seeds:
        stage = staged(seed=seed)
        stage.add_run(Maker(stage.kernel.rng, approvals=False).plan())
        stage.tell()
        check(stage)
        assert stage.ended_s == stage.began_s, f"seed {seed}: something was left for later"
        assert {"sent_again", "lease_expired"}.isdisjoint(kinds(stage))


def test_a_step_that_kills_its_worker_is_given_up_and_other_runs_go_on() -> None:
    stage = staged(plan_of(step("A", "a"), step("B", "b")))
    stage.add_run(plan_of(*(step(f"S{n}", "a") for n in range(9))))
    deadly, calm = Temper(0.5, 0, deadly=True), replace(CALM, seconds=0.5)
    stage.crews.temper = lambda state: deadly if state == "B" else calm  # type: ignore[method-assign]
    stage.tell()
    check(stage)
    assert outcomes(stage) == ["failed", "completed"]
    dead = stage.store.steps(stage.run_of_key["key0"])[1]
    assert (dead.status, dead.attempt) == (StepStatus.FAILED, TAKEOVERS + 1)
    assert "died" in dead.error


def test_every_message_twice_and_in_any_order() -> None:
    plan = plan_of(step("P", "a"), foreach("a.items", step("F")), parallel(step("A"), sequence(step("B"), step("C"))))
    stage = staged(plan, plan, temper=replace(CALM, seconds=1.0), faults=Faults(double=1.0, reorder=1.0, delay=0.5))
    stage.tell()
    check(stage)
    assert stage.nemesis.done["double"] > 10
    assert {call.attempt for call in stage.crews.calls} == {1}, "a doubled message is paid for once"


def test_nine_of_ten_messages_are_lost() -> None:
    stage = staged(
        plan_of(*(parallel(step(f"A{n}", "a"), step(f"B{n}", "b")) for n in range(3))), faults=Faults(lose=0.9)
    )
    stage.tell()
    check(stage)
    assert kinds(stage)["sent_again"] > 5


def test_a_backlog_is_never_sent_again() -> None:
    plan = plan_of(parallel(*(step(f"S{n}", "a") for n in range(40))))
    stage = staged(plan, plan, nodes=1, temper=replace(CALM, seconds=3.0))
    stage.tell()
    check(stage)
    assert stage.ended_s - stage.began_s >= 240
    assert kinds(stage)["sent_again"] == 0


def test_a_lost_message_is_found_in_spite_of_a_backlog() -> None:
    plan = plan_of(*(step(f"S{n}", "a") for n in range(5)))
    stage = staged(*[plan] * 12, nodes=1, temper=replace(CALM, seconds=3.0), faults=Faults(lose=0.1))
    stage.tell()
    check(stage)
    assert stage.nemesis.done["lose"] > 3
    assert stage.ended_s - stage.began_s < 12 * 5 * 3 + 60


def test_a_run_that_is_cancelled_while_no_worker_is_there_starts_nothing() -> None:
    stage = staged(plan_of(parallel(step("A"), sequence(step("B"), step("C")))), nodes=0)
    stage.person("cancel", lambda store, tell: stage.cancel(store, tell, "key0"), after_s=5)
    stage.kernel.after(30, lambda: _add(stage))
    stage.tell()
    check(stage)
    assert outcomes(stage) == ["cancelled"]
    assert stage.crews.calls == []


def test_a_fan_out_that_is_cancelled_lets_go_of_what_runs_and_starts_nothing_more() -> None:
    plan = plan_of(step("P", "a"), parallel(*(step(f"S{n}", "b") for n in range(9))), step("Z"))
    stage = staged(plan, temper=replace(CALM, seconds=60.0))
    stage.person("cancel", lambda store, tell: stage.cancel(store, tell, "key0"), after_s=70)
    stage.tell()
    check(stage)
    assert outcomes(stage) == ["cancelled"]
    assert len(stage.crews.calls) == 3
    assert stage.ended_s - stage.began_s < 75


def test_branches_that_race_for_the_last_steps_start_exactly_as_many_as_the_cap() -> None:
    branches = [sequence(*(step(f"S{b}_{n}", f"c{b}") for n in range(30))) for b in range(3)]
    for seed in range(10):
        stage = Stage(seed, temper=CALM, faults=Faults(slow=0.5, double=0.3))
        for number in range(3):
            stage.add_node(f"node{number}")
        stage.crews.temper = lambda state: replace(CALM, seconds=0.3)  # type: ignore[method-assign]
        key = stage.add_run(plan_of(parallel(*branches)))
        stage.tell()
        run = stage.store.known[stage.run_of_key[key]]
        assert stage.in_time
        assert run.finish
        if run.finish.outcome is Outcome.HALTED_STEP_CAP:
            assert run.started in (49, 50)


def test_a_run_that_goes_round_in_circles_is_halted_at_once_with_the_cycle_as_evidence() -> None:
    nodes = loop("L", step("A", "a"), step("B", "b"), times=40)
    stage = staged(plan_of(nodes))
    stage.crews.work = lambda context: {"n": 1}  # type: ignore[method-assign]
    stage.tell()
    (run,) = stage.store.known.values()
    assert run.finish
    assert run.finish.outcome is Outcome.HALTED_LOOP
    assert "L_2.A → L_2.B" in run.finish.reason
    assert stage.ended_s == stage.began_s


def test_a_paused_run_is_left_alone_and_goes_on_soon_after_it_is_resumed() -> None:
    stage = staged(plan_of(*(step(f"S{n}", "a") for n in range(4))), temper=replace(CALM, seconds=1.0))
    stage.person("pause", lambda store, _: stage.store.pause(stage.run_of_key["key0"], paused=True), after_s=1.5)
    stage.person("resume", lambda store, _: stage.resume(store, stage.run_of_key["key0"]), after_s=500)
    stage.tell()
    check(stage)
    assert 500 <= stage.ended_s - stage.began_s < 510
    assert kinds(stage)["sent_again"] == 1


def test_a_deadline_ends_a_run_whatever_it_waits_for() -> None:
    for waiting in (approval("Q"), step("A", retry_attempts=20), parallel(approval("Q"), step("A", retry_attempts=20))):
        stage = staged(temper=Temper(1.0, 20, deadly=False))
        stage.add_run(plan_of(waiting), deadline_s=30)
        stage.tell()
        check(stage)
        assert outcomes(stage) == ["timed_out"]
        assert stage.ended_s - stage.began_s < 60


def test_the_whole_cluster_goes_away_and_comes_back() -> None:
    plan = plan_of(step("P", "a"), foreach("a.items", step("F")), parallel(step("A"), sequence(step("B"), step("C"))))
    stage = staged(plan, plan, temper=replace(CALM, seconds=2.0))
    stage.kernel.after(3.0, lambda: setattr(stage.nemesis, "faults", Faults(kill=1.0)))
    stage.kernel.after(60.0, stage.heal)
    stage.tell()
    check(stage)
    assert stage.nemesis.done["kill"] >= 4
    assert stage.ended_s - stage.began_s < 120


def test_one_broken_run_does_not_hold_up_what_the_reaper_does_for_others() -> None:
    """The definition of one run is gone; joins of the other can only be found by the reaper."""
    joins = plan_of(parallel(step("A", "a"), step("B", "b")), parallel(step("C", "a"), step("D", "b")))
    stage = staged(nodes=2)
    stage.add_run(plan_of(step("X", "c")), deadline_s=20)
    stage.add_run(joins, after_s=30)
    broken = stage.plans["key0"].digest
    real = stage.store.plan

    def plan(digest: str) -> Plan:
        return real(digest if digest != broken else "gone")

    stage.store.plan = plan  # type: ignore[method-assign]
    deliver = stage.broker.put
    stage.broker.put = lambda message: deliver(message) if message.seq else None  # type: ignore[method-assign]
    stage.tell(until=lambda: "key1" in stage.run_of_key and stage.run_of_key["key1"] not in stage.store.unfinished())
    assert stage.in_time
    assert stage.ended_s - stage.began_s < 30 + 20


def test_a_run_that_meets_its_cap_does_not_wait_for_an_answer_any_more() -> None:
    stage = staged()
    stage.add_run(plan_of(parallel(approval("Q"), sequence(step("A"), step("B")))), max_steps=1, deadline_s=3600)
    stage.tell()
    assert outcomes(stage) == ["halted_step_cap"]
    assert stage.ended_s - stage.began_s < 10


def test_a_dispatcher_whose_queue_is_away_still_records() -> None:
    stage = staged(plan_of(step("A"), step("B")), faults=Faults())
    stage.broker.send = _refuse  # type: ignore[method-assign]
    stage.kernel.after(20, lambda: delattr(stage.broker, "send"))
    stage.tell()
    check(stage)
    assert outcomes(stage) == ["completed"]
    assert Dispatcher(stage.store, stage.broker).advance_run(stage.run_of_key["key0"]) is None


def _refuse(messages: object) -> None:
    raise ServiceUnavailable("the broker is away")


def _add(stage: Stage) -> None:
    stage.add_node("late")
