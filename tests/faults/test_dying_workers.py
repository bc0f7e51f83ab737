"""Faults 1, 2, 6, 10, 16: workers that are killed, frozen, poisoned or asked to leave."""

from __future__ import annotations

import signal

import pytest
from field import DEAF, STUBBORN, Field, breathe, faulty, is_gone, kill_process
from played_runs import step
from servers import wait_until

from zts_core.ports import Waits
from zts_core.run import Outcome


def test_a_pool_child_killed_in_mid_step_is_replaced_and_the_step_runs_again(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([faulty("SLOW", first_s=60), faulty("NEXT")])
    (first,) = field.called(run_id, "SLOW")
    kill_process(first[5])
    wait_until(lambda: is_gone(first[5]))
    field.ends(run_id)
    again = field.rows_of(run_id, "SLOW")[1]
    assert (again[3], again[5] != first[5]) == (2, True)
    assert field.runs.kinds(run_id)["lease_expired"] == 1


def test_another_worker_takes_over_from_a_killed_one(field: Field) -> None:
    doomed = field.worker()
    run_id = field.runs.start([faulty("SLOW", first_s=60), faulty("NEXT")])
    field.called(run_id, "SLOW")
    field.worker()
    doomed.signal(signal.SIGKILL)
    doomed.process.wait(10)
    field.ends(run_id)
    assert is_gone(doomed.pid)
    assert field.runs.calls(run_id) == {"SLOW": 2, "NEXT": 1}


def test_a_frozen_worker_that_wakes_up_after_its_lease_writes_nothing(field: Field) -> None:
    frozen = field.worker()
    run_id = field.runs.start([faulty("SLOW", first_s=1.5), faulty("NEXT", sleep_s=2)])
    field.called(run_id, "SLOW")
    frozen.signal(signal.SIGSTOP)
    field.worker()
    field.called(run_id, "SLOW", times=2)
    frozen.signal(signal.SIGCONT)
    wait_until(lambda: "late commit refused" in frozen.said() or "lease lost" in frozen.said())
    field.ends(run_id)
    assert field.runs.kinds(run_id)["lease_expired"] == 1
    content = field.runs.store.results(run_id, [1])[1].artifacts["made.txt"]
    assert content[1] == len("attempt 2")


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_worker_that_is_gone_for_certain_is_not_waited_for_until_its_lease_ends(field: Field, pool: str) -> None:
    long_lease = {"ZTS_LEASE": "600"}
    doomed = field.worker(pool=pool, environment=long_lease)
    run_id = field.runs.start([faulty("SLOW", first_s=600), faulty("NEXT")])
    field.called(run_id, "SLOW")
    field.worker(environment=long_lease)
    doomed.signal(signal.SIGKILL)
    field.ends(run_id)
    (told,) = [entry.detail for entry in field.runs.store.ledger(run_id) if entry.kind == "lease_expired"]
    assert told["gone"] is True


def test_a_poison_step_dies_out_and_other_runs_go_on(field: Field) -> None:
    field.worker()
    poisoned = field.runs.start([faulty("POISON", poison=True), faulty("NEVER")])
    others = [field.runs.start([faulty("A"), faulty("B")]) for _ in range(3)]
    field.all_end(others)
    ended = field.ends(poisoned, Outcome.FAILED)
    assert "died 3 times" in ended.reason
    rows = field.rows_of(poisoned, "POISON")
    assert len(rows) == field.runs.kinds(poisoned)["lease_expired"] == 3
    assert all(is_gone(row[5]) for row in rows)


def test_workers_that_leave_one_after_another_lose_no_step(field: Field) -> None:
    old = field.worker()
    run_ids = [field.runs.start([faulty(f"S{n}", sleep_s=0.2) for n in range(6)]) for _ in range(3)]
    for run_id in run_ids:
        field.called(run_id, "S0")
    new = field.worker()
    old.process.send_signal(signal.SIGTERM)
    assert old.process.wait(20) == 0
    newest = field.worker()
    new.process.send_signal(signal.SIGTERM)
    assert new.process.wait(20) == 0
    field.all_end(run_ids)
    assert newest.process.poll() is None
    for run_id in run_ids:
        assert set(field.runs.calls(run_id).values()) == {1}


def test_a_crew_that_holds_the_interpreter_for_less_than_its_lease_keeps_it(field: Field) -> None:
    field.worker(environment={"ZTS_LEASE": "3"})
    run_id = field.runs.start([step("HARD", STUBBORN, held_s=2), faulty("NEXT")])
    field.ends(run_id)
    assert field.runs.calls(run_id)["HARD"] == 1


def test_a_crew_that_holds_the_interpreter_for_ever_costs_its_processes_and_fails(field: Field) -> None:
    field.worker(environment={"ZTS_LEASE": "1", "ZTS_REDIS_TIMEOUT": "0.5", "ZTS_TAKEOVERS": "1"})
    run_id = field.runs.start([step("HARD", STUBBORN, held_s=600, timeout=1)])
    ended = field.ends(run_id, Outcome.FAILED)
    assert "died 2 times" in ended.reason
    wait_until(lambda: all(is_gone(row[5]) for row in field.rows_of(run_id, "HARD")), what="frozen children gone")
    assert field.runs.play([faulty("NEXT")]).outcome is Outcome.COMPLETED


def test_a_child_whose_crew_cannot_be_stopped_is_replaced(field: Field) -> None:
    worker = field.worker()
    run_id = field.runs.start([step("DEAF", DEAF, deaf_s=600, timeout=0.5)])
    ended = field.ends(run_id, Outcome.FAILED)
    assert "time-out of 0.5 s" in ended.reason
    (row,) = field.rows_of(run_id, "DEAF")
    wait_until(lambda: is_gone(row[5]), what="the child with the deaf crew is gone")
    assert worker.process.poll() is None
    assert field.runs.play([faulty("NEXT")]).outcome is Outcome.COMPLETED
    breathe(0)


def test_a_fan_out_goes_on_when_the_worker_dies_whose_claims_let_its_others_in(field: Field) -> None:
    field.environment["ZTS_FAN_OUT_WINDOW"] = "2"
    doomed = field.worker(concurrency=2)
    work = field.folder / "work goes on"
    work.touch()
    over = {"over": "made.tasks", "as": "item", "step": faulty("ITEM", while_there=str(work))}
    run_id = field.runs.start([step("LIST", output={"tasks": list(range(9))}), {"foreach": over}])
    wait_until(lambda: field.runs.calls(run_id).total() == 3, what="both slots of the worker hold an item")
    assert sum(record.waits is Waits.TURN for record in field.runs.store.steps(run_id)) == 5
    doomed.signal(signal.SIGKILL)
    doomed.process.wait(10)
    work.unlink()
    field.worker()
    field.ends(run_id)
    assert set(field.runs.calls(run_id)) == {"LIST", *(f"ITEM[{number}]" for number in range(1, 10))}
    assert field.runs.kinds(run_id)["lease_expired"] == 2


def test_a_killed_worker_leaves_no_slot_of_a_limited_crew_behind(field: Field) -> None:
    field.environment["ZTS_CREW_LIMITS"] = "fault=1"
    doomed = field.worker(concurrency=2)
    work = field.folder / "work goes on"
    work.touch()
    nodes = [faulty("A", while_there=str(work)), faulty("B")]
    first = field.runs.start(nodes)
    field.called(first, "A")
    others = [field.runs.start(nodes) for _ in range(2)]
    wait_until(lambda: all(field.runs.store.steps(run_id)[0].waits is Waits.SLOT for run_id in others))
    doomed.signal(signal.SIGKILL)
    doomed.process.wait(10)
    field.worker(concurrency=2)
    called = wait_until(
        lambda: [row for run_id in others for row in field.rows_of(run_id, "A")], what="the slot is free"
    )
    assert len(called) == 1
    work.unlink()
    for run_id in (first, *others):
        field.ends(run_id)
    with field.runs.raw() as client:
        assert client.exists("zts:slots:fault", "zts:full:fault") == 0
    assert field.runs.kinds(first)["lease_expired"] == 1
