"""Faults 16, 17, 18, 20: changed definitions, loops, caps, cancels without workers, one key from many processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from field import Field, faulty
from played_runs import step
from servers import REPOSITORY, wait_until

from zts_core import crash_points
from zts_core.run import Outcome
from zts_core.settings import Settings
from zts_producer.client import Client

NEVER = {"field": "made.name", "operator": "==", "value": "never"}


def test_workflows_that_escalate_into_each_other_are_halted(field: Field) -> None:
    field.worker()
    gate = {"field": "made.score", "operator": ">", "value": 0.9, "on_fail": {"escalate_to": "b"}}
    back = {**gate, "on_fail": {"escalate_to": "main"}}
    others = {"b": {"sequence": [step("B"), step("NEXT_B", conditions=[back])]}}
    run_id = field.runs.start([step("A"), step("NEXT_A", conditions=[gate])], others=others)
    ended = field.ends(run_id, Outcome.HALTED_LOOP)
    assert "circle" in ended.reason
    assert ended.started < 10


def test_branches_racing_at_the_cap_start_exactly_fifty_steps(field: Field) -> None:
    field.worker(concurrency=4)
    branches = [{"sequence": [faulty(f"B{branch}S{n}") for n in range(10)]} for branch in range(8)]
    run_id = field.runs.start([{"parallel": branches}], max_steps=50)
    ended = field.ends(run_id, Outcome.HALTED_STEP_CAP)
    assert ended.started == 50
    assert sum(field.runs.calls(run_id).values()) == 50


def client(field: Field) -> Client:
    return Client(Settings(redis_url=field.redis.url, data_folder=field.folder), workers=False)


def test_a_cancel_without_any_worker_ends_the_run_at_once(field: Field) -> None:
    run_id = field.runs.start([{"parallel": [faulty(name) for name in "ABC"]}, faulty("NEVER")])
    with client(field) as person:
        record = person.cancel(run_id, reason="enough")
    assert (record.outcome, record.reason) == (Outcome.CANCELLED, "enough")
    assert field.waiting() == 3
    field.worker()
    wait_until(lambda: field.waiting() == 0, what="the old messages are taken")
    field.ends(field.runs.start([faulty("OTHER")]))
    field.ends(run_id, Outcome.CANCELLED)
    assert not field.runs.rows(run_id)


def test_a_cancel_in_a_fan_out_whose_workers_died_lets_no_step_start(field: Field) -> None:
    doomed = field.worker(concurrency=2)
    run_id = field.runs.start([{"parallel": [faulty(f"S{n}", first_s=60) for n in range(6)]}, faulty("NEVER")])
    wait_until(lambda: len(field.runs.rows(run_id)) >= 2, what="two branches are at work")
    doomed.signal(signal.SIGKILL)
    doomed.process.wait(10)
    with client(field) as person:
        person.cancel(run_id)
    field.worker()
    field.ends(run_id, Outcome.CANCELLED)
    assert len(field.runs.rows(run_id)) == 2


def test_a_cancel_reaches_a_crew_at_work(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([step("POLITE", hang="polite"), faulty("NEVER")])
    wait_until(lambda: field.runs.calls(run_id)["POLITE"])
    with client(field) as person:
        person.cancel(run_id)
    field.ends(run_id, Outcome.CANCELLED, within_s=10)


def test_a_running_run_keeps_its_definition_when_the_file_changes(field: Field) -> None:
    file = field.folder / "mine.yaml"
    write_workflow(file, ["OLD_A", "OLD_B"])
    with client(field) as person:
        old = person.submit("An app that counts bees.", str(file)).run_id
        write_workflow(file, ["NEW_A"])
        new = person.submit("An app that counts bees.", str(file)).run_id
    field.worker()
    field.ends(old)
    field.ends(new)
    assert field.runs.states(old) == ["OLD_A", "OLD_B"]
    assert field.runs.states(new) == ["NEW_A"]


def write_workflow(file: Path, states: list[str]) -> None:
    steps = [{"state": state, "crew": "tests.faults.fault_crews:FaultCrew"} for state in states]
    file.write_text(json.dumps({"name": "mine", "sequence": steps}), "utf-8")


SUBMIT = """
import sys
from zts_producer.client import Client
with Client(workers=False) as client:
    print(client.submit("An app that counts bees.", sys.argv[1], key="bees").run_id)
"""


def submit_from_process(field: Field, *, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    """A submit with the key `bees` in a process of its own."""
    environment = {
        **os.environ,
        "REDIS_URL": field.redis.url,
        "ZTS_DATA_FOLDER": str(field.folder),
        "ZTS_CRASH_AT": crash_at,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
    }
    command = [sys.executable, "-c", SUBMIT, str(field.folder / "mine.yaml")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_one_key_from_five_processes_at_once_is_one_run(field: Field) -> None:
    write_workflow(field.folder / "mine.yaml", ["A"])
    with ThreadPoolExecutor(5) as pool:
        run_ids = [done.stdout.strip() for done in pool.map(lambda _: submit_from_process(field), range(5))]
    assert len(set(run_ids)) == 1
    assert len(field.runs.store.runs(limit=10)) == 1
    field.worker()
    field.ends(run_ids[0])
    assert field.runs.calls(run_ids[0]) == {"A": 1}


def test_a_submit_that_dies_after_it_was_recorded_still_runs_and_keeps_its_key(field: Field) -> None:
    write_workflow(field.folder / "mine.yaml", ["A"])
    assert submit_from_process(field, crash_at=crash_points.AFTER_CREATE).returncode == -signal.SIGKILL
    (record,) = field.runs.store.runs(limit=10)
    assert submit_from_process(field).stdout.strip() == record.run_id
    field.worker()
    field.ends(record.run_id)
