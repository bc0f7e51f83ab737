"""A small run in which exactly one thing goes wrong: at the first call, at the second, and so on to the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.actors import Temper
from tests.simulation.faults import Once
from tests.simulation.invariants import check
from tests.simulation.story import Stage
from tests.unit.heart.playing import foreach, loop, parallel, plan_of, sequence, step
from zts_core.workflow.plan import Plan

SEED = 6
"""Under this seed no crew of the plan below fails."""

STEPS_TAKE_S = 0.1


def small_plan() -> Plan:
    return plan_of(
        step("P", "a"),
        parallel(step("A", "b"), sequence(step("B", "c"), step("C", "d"))),
        foreach("a.items", step("F", "b"), max_parallel=2),
        loop("L", step("G", "c"), step("H", "d"), times=2, on_exhausted="continue"),
        step("Z", "a"),
    )


def told(fault: str = "nothing", nth: int = 0) -> Stage:
    stage = Stage(SEED, nemesis=lambda kernel: Once(kernel, fault, nth), temper=Temper(STEPS_TAKE_S, 0, deadly=False))
    stage.add_node("node0")
    stage.add_node("node1")
    stage.add_run(small_plan())
    stage.tell()
    return stage


def every_strike(fault: str) -> Iterator[Stage]:
    """One story for each chance the fault had while the run was going on."""
    nth = 1
    while True:
        stage = told(fault, nth)
        if not stage.nemesis.done or stage.nemesis.last_s > stage.ended_s:
            return
        yield stage
        nth += 1


def seconds(stage: Stage) -> float:
    """From the moment the run was accepted to its end."""
    (run,) = stage.store.known.values()
    return (run.finished_ms - run.created_ms) / 1000


def test_without_faults_the_run_takes_no_longer_than_its_crews() -> None:
    stage = told()
    check(stage)
    (run,) = stage.store.known.values()
    assert run.finish
    assert run.finish.outcome == "completed"
    waves = [entry for entry in run.ledger if entry.kind == "wave"]
    assert seconds(stage) == pytest.approx(STEPS_TAKE_S * len(waves), abs=0.001)
    assert {"sent_again", "lease_expired"}.isdisjoint(entry.kind for entry in run.ledger)


@pytest.mark.parametrize(
    ("fault", "recovers_within_s"),
    [
        ("kill", 15),  # with another node alive
        ("freeze", 15),
        ("away", 15),
        ("repeat", 15),
        ("lose", 30),
        ("double", 1),
        ("reorder", 1),
        ("delay", 16),
    ],
)
def test_one_fault_at_any_place_is_survived_in_time(fault: str, recovers_within_s: float) -> None:
    usual = seconds(told())
    struck = 0
    for stage in every_strike(fault):
        struck += 1
        try:
            check(stage)
            assert seconds(stage) <= usual + recovers_within_s
        except AssertionError as error:
            error.add_note(f"{fault} at chance {struck}")
            raise
    assert struck >= 10, "the fault hardly ever happened"
