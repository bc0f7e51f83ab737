"""Runs that failed are opened again, and runs are replayed from a state, without doing anything twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from field import Field, faulty
from played_runs import step
from servers import REPOSITORY, wait_until

from zts_core.artifacts import LocalArtifacts
from zts_core.errors import BadInput
from zts_core.ports import NewRun
from zts_core.reviving import Reviver
from zts_core.run import Outcome, StepStatus

LIST = step("LIST", output={"tasks": list(range(5))})


def nodes(where: str, key: str) -> list[dict[str, Any]]:
    """A workflow that fails in one kind of place until a file is there."""
    broken = faulty("BROKEN", needs=key, keep={})
    never = {"field": "made.name", "operator": "==", "value": "never"}
    loop = {"state_prefix": "ROUND", "max_iterations": 2, "on_exhausted": "continue", "break_conditions": [never]}
    return {
        "sequence": [faulty("FIRST"), broken, faulty("LAST")],
        "branch": [
            faulty("FIRST"),
            {
                "parallel": [
                    {"sequence": [faulty("A1"), broken, faulty("A3")]},
                    {"sequence": [faulty("B1"), faulty("B2")]},
                ]
            },
            faulty("LAST"),
        ],
        "fan-out": [LIST, {"foreach": {"over": "made.tasks", "as": "item", "step": broken}}, faulty("LAST")],
        "loop": [faulty("FIRST"), {"loop": {**loop, "sequence": [faulty("TRY", output={"score": 0.7}), broken]}}],
    }[where]


@pytest.mark.parametrize("where", ["sequence", "branch", "fan-out", "loop"])
def test_a_failed_run_goes_on_at_what_failed_and_does_nothing_twice(field: Field, where: str) -> None:
    field.worker()
    key = field.folder / "key"
    run_id = field.runs.start(nodes(where, str(key)))
    assert field.runs.wait(run_id).outcome is Outcome.FAILED
    failed = [record for record in field.runs.store.steps(run_id) if record.status is StepStatus.FAILED]
    assert failed
    assert {letter.seq for letter in field.runs.store.dead(limit=10)} == {record.seq for record in failed}
    key.write_text("here")
    reviver = Reviver(field.runs.dispatcher)
    assert reviver.retry_run(run_id)
    assert not reviver.retry_run(run_id), "it is open already"
    wait_until(lambda: field.runs.store.run(run_id).outcome, what=f"it ends: {field.runs.story(run_id)}")
    assert field.runs.store.run(run_id).outcome is Outcome.COMPLETED, field.runs.story(run_id)
    calls = field.runs.calls(run_id)
    again = {record.state for record in failed}
    assert {state: count for state, count in calls.items() if state not in again} == {
        state: 1 for state in calls if state not in again
    }
    assert all(calls[state] == 2 for state in again)
    assert not field.runs.store.dead(limit=10)
    assert len({record.state for record in field.runs.store.steps(run_id)}) == len(field.runs.store.steps(run_id))


def test_a_run_that_completed_is_not_retried(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([faulty("ONLY")])
    field.ends(run_id)
    with pytest.raises(BadInput, match="completed"):
        Reviver(field.runs.dispatcher).retry_run(run_id)


def test_a_cancelled_run_may_go_on(field: Field) -> None:
    run_id = field.runs.start([faulty("A"), faulty("B")])
    field.runs.store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="oops")
    field.runs.dispatcher.advance_run(run_id)
    assert Reviver(field.runs.dispatcher).retry_run(run_id)
    field.worker()
    wait_until(lambda: field.runs.store.run(run_id).outcome)
    assert field.runs.store.run(run_id).outcome is Outcome.COMPLETED
    assert field.runs.calls(run_id) == {"A": 1, "B": 1}


def test_a_replay_reuses_every_earlier_result_and_its_files(field: Field) -> None:
    field.worker()
    old = field.runs.start(
        [
            faulty("FIRST", output={"score": 0.9}),
            {"parallel": [faulty("A"), faulty("B")]},
            step("LAST", look_at=["made"]),
        ]
    )
    field.ends(old)
    files = LocalArtifacts(field.artifacts)
    new = NewRun("replayed", "an idea", "An idea", "main", 50, 600)
    created = Reviver(field.runs.dispatcher).replay_run(old, new, from_state="LAST", files=files)
    assert created.run_id == "replayed"
    wait_until(lambda: field.runs.store.run("replayed").outcome)
    assert field.runs.store.run("replayed").outcome is Outcome.COMPLETED
    assert field.runs.calls("replayed") == {"LAST": 1}
    link = next(entry for entry in field.runs.store.ledger("replayed") if entry.kind == "replayed")
    assert link.detail == {"of": old, "from": "LAST", "reused": 3}
    seq = next(record.seq for record in field.runs.store.steps("replayed") if record.state == "FIRST")
    digest, _ = field.runs.store.results("replayed", [seq])[seq].artifacts["made.txt"]
    assert files.get("replayed", digest) == b"attempt 1"
    with pytest.raises(BadInput, match="no state"):
        Reviver(field.runs.dispatcher).replay_run(old, new, from_state="NOWHERE", files=files)


def zts(field: Field, *arguments: str) -> Any:
    """What a command prints as JSON."""
    environment = {**os.environ, "REDIS_URL": field.redis.url, "ZTS_DATA_FOLDER": str(field.folder / "data")}
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
    code = "import sys; from zts_producer.cli import zts; sys.exit(zts())"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_commands_list_show_retry_and_drop_what_failed_for_good(field: Field) -> None:
    field.worker()
    key = field.folder / "key"
    first = field.runs.start([faulty("BROKEN", needs=str(key))])
    second = field.runs.start([faulty("BROKEN", needs=str(key))])
    for run_id in (first, second):
        assert field.runs.wait(run_id).outcome is Outcome.FAILED
    assert {each["run_id"] for each in zts(field, "dead", "list", "--json")["dead"]} == {first, second}
    (letter,) = zts(field, "dead", "show", first, "--json")["dead"]
    assert "PermanentError" in letter["trace"]
    assert letter["values"]["needs"] == str(key)
    assert [entry["kind"] for entry in letter["history"]] == ["attempt_started", "step_failed"]
    assert zts(field, "dead", "drop", second, "--json") == {"dropped": ["BROKEN"]}
    key.write_text("here")
    assert zts(field, "dead", "retry", first, "--json")["run_id"] == first
    wait_until(lambda: field.runs.store.run(first).outcome is Outcome.COMPLETED)
    assert zts(field, "dead", "list", "--json") == {"dead": []}
    again = zts(field, "replay", first, "--from", "BROKEN", "--json")["run_id"]
    wait_until(lambda: field.runs.store.run(again).outcome is Outcome.COMPLETED)
