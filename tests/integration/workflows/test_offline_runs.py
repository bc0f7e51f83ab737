"""All seven workflows on a real Redis and a real worker, with the crews as they are without a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from offline_ideas import (
    DOUBTFUL,
    HIVES,
    HOLLOW,
    ILLEGAL,
    INVOICES,
    LAWFUL_MIGRAINE,
    MIDDLING,
    MIGRAINE,
    PLANTS,
    VAGUE_DEVICE,
)
from servers import RedisServer, Worker

from zts_core.run import Outcome, StepStatus
from zts_core.settings import Settings
from zts_producer import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]

DEFAULT, LAUNCHES, RAPID = "default_software_build", "validation_and_launch", "rapid_prototype"
FURTHER = (DEFAULT, LAUNCHES, RAPID)
TO_REVIEW = "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION LAUNCH_PREPARATION MARKETING_PREPARATION"


@dataclass(frozen=True)
class Tale:
    """One run: what is submitted, and what must come of it. `states` in the order they were given out, see `seen`."""

    what: str
    workflow: str
    idea: str
    outcome: Outcome
    states: str
    reason: str = ""
    values: Mapping[str, Any] | None = None
    route: tuple[str, ...] = ()
    max_steps: int = 50


TALES = (
    Tale("approved at once", DEFAULT, HIVES, Outcome.COMPLETED, f"{TO_REVIEW} FEEDBACK_ITERATION_1.FEEDBACK_REVIEW"),
    Tale(
        "a planted fault is found and repaired",
        DEFAULT,
        HIVES,
        Outcome.COMPLETED,
        f"{TO_REVIEW} FEEDBACK_ITERATION_1.FEEDBACK_REVIEW FEEDBACK_ITERATION_2.REWORK "
        "FEEDBACK_ITERATION_2.FEEDBACK_REVIEW",
        values={"plant_fault": "wrong_total"},
    ),
    Tale(
        "middling: announced before it is built",
        DEFAULT,
        MIDDLING,
        Outcome.COMPLETED,
        "IDEA_VALIDATION IDEA_VALIDATION LAUNCH_PREPARATION MARKETING_PREPARATION FEEDBACK_COLLECTION",
        route=(DEFAULT, LAUNCHES),
    ),
    Tale(
        "doubtful: a prototype",
        DEFAULT,
        DOUBTFUL,
        Outcome.COMPLETED,
        "IDEA_VALIDATION IDEA_VALIDATION IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        route=FURTHER,
    ),
    Tale(
        "hollow",
        DEFAULT,
        HOLLOW,
        Outcome.REJECTED,
        "IDEA_VALIDATION IDEA_VALIDATION IDEA_VALIDATION",
        "TASK_EXECUTION: validation.confidence = 0.02 is not > 0.6",
        route=FURTHER,
    ),
    Tale(
        "illegal",
        DEFAULT,
        ILLEGAL,
        Outcome.REJECTED,
        "IDEA_VALIDATION IDEA_VALIDATION IDEA_VALIDATION",
        "validation.confidence = 0.1 is not > 0.6",
        route=FURTHER,
    ),
    Tale(
        "the cap halts before the parallel block",
        DEFAULT,
        HIVES,
        Outcome.HALTED_STEP_CAP,
        "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION",
        "step cap of 4 reached: 3 steps had started when MARKETING_PREPARATION, LAUNCH_PREPARATION was next",
        max_steps=4,
    ),
    Tale(
        "announced",
        LAUNCHES,
        MIDDLING,
        Outcome.COMPLETED,
        "IDEA_VALIDATION LAUNCH_PREPARATION MARKETING_PREPARATION FEEDBACK_COLLECTION",
    ),
    Tale(
        "not announced",
        LAUNCHES,
        HOLLOW,
        Outcome.REJECTED,
        "IDEA_VALIDATION IDEA_VALIDATION",
        "TASK_EXECUTION: validation.confidence",
        route=FURTHER[1:],
    ),
    Tale(
        "built",
        "just_the_build",
        HIVES,
        Outcome.COMPLETED,
        "TASK_EXECUTION FEEDBACK_COLLECTION",
        "all its steps are done",
    ),
    Tale(
        "built with a leaked secret: its end says that nobody approved it",
        "just_the_build",
        HIVES,
        Outcome.COMPLETED,
        "TASK_EXECUTION FEEDBACK_COLLECTION",
        "not approved, a person has to look",
        values={"plant_fault": "secret"},
    ),
    Tale(
        "nothing is built for something illegal, though no gate stands in the way",
        "just_the_build",
        ILLEGAL,
        Outcome.FAILED,
        "TASK_EXECUTION",
        "nothing is built for something illegal",
    ),
    Tale(
        "a crew that cannot go on fails the run with its reason",
        "just_the_build",
        HIVES,
        Outcome.FAILED,
        "TASK_EXECUTION",
        "plant_fault is 'no such fault'",
        values={"plant_fault": "no such fault"},
    ),
    Tale(
        "marketed",
        "marketing_focus",
        HIVES,
        Outcome.COMPLETED,
        "IDEA_VALIDATION MARKETING_PREPARATION LAUNCH_PREPARATION",
    ),
    Tale(
        "not marketed",
        "marketing_focus",
        ILLEGAL,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "MARKETING_PREPARATION: validation.passed = false is not == true",
    ),
    Tale(
        "an unsafe prototype is rejected",
        RAPID,
        DOUBTFUL,
        Outcome.REJECTED,
        "IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        "QUICK_FEEDBACK_1: feedback.rejected = true is == true",
        values={"plant_fault": "unsafe_call"},
    ),
    Tale(
        "no prototype",
        RAPID,
        HOLLOW,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "TASK_EXECUTION: validation.confidence = 0.02 is not > 0.6",
    ),
    Tale(
        "fit for an enterprise",
        "enterprise_workflow",
        INVOICES,
        Outcome.COMPLETED,
        "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION COMPLIANCE_CHECK LAUNCH_PREPARATION MARKETING_PREPARATION "
        "ENTERPRISE_FEEDBACK_1",
    ),
    Tale(
        "compliance never clears it",
        "enterprise_workflow",
        HIVES,
        Outcome.HALTED_LOOP,
        "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION COMPLIANCE_CHECK LAUNCH_PREPARATION MARKETING_PREPARATION "
        "ENTERPRISE_FEEDBACK_1 ENTERPRISE_FEEDBACK_2 ENTERPRISE_FEEDBACK_3",
        "no progress: ENTERPRISE_FEEDBACK was about to start a third time with the same data",
    ),
    Tale(
        "too vague for an enterprise",
        "enterprise_workflow",
        DOUBTFUL,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "GRAPH_GENERATION: validation.confidence = 0.618 is not > 0.9",
    ),
    Tale(
        "not ready for compliance",
        "enterprise_workflow",
        MIGRAINE,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "GRAPH_GENERATION: validation.compliance_ready = false is not == true",
    ),
    Tale(
        "not secure",
        "enterprise_workflow",
        LAWFUL_MIGRAINE,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "GRAPH_GENERATION: validation.security_approved = false is not == true",
    ),
    Tale(
        "a device",
        "hardware_prototype",
        PLANTS,
        Outcome.COMPLETED,
        "IDEA_VALIDATION HARDWARE_DESIGN PROTOTYPE_BUILD HARDWARE_TESTING_1",
    ),
    Tale(
        "a website is no device",
        "hardware_prototype",
        HIVES,
        Outcome.REJECTED,
        "IDEA_VALIDATION HARDWARE_DESIGN",
        "PROTOTYPE_BUILD: design.approved = false is not == true",
    ),
    Tale(
        "a vague device",
        "hardware_prototype",
        VAGUE_DEVICE,
        Outcome.REJECTED,
        "IDEA_VALIDATION",
        "HARDWARE_DESIGN: validation.passed = false is not == true",
    ),
)


@dataclass
class Stage:
    """A client on a stack of its own, and the run of each tale, all submitted before the first is looked at."""

    client: Client
    runs: Mapping[str, str]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("workflows")
    redis = RedisServer()
    worker = Worker(redis.url, folder, concurrency=3)
    settings = Settings(redis_url=redis.url, data_folder=folder / "data", _env_file=None)
    try:
        worker.wait_ready()
        with Client(settings) as client:
            yield Stage(client, {named(tale): submitted(client, tale, folder) for tale in TALES})
    finally:
        worker.stop()
        redis.close()


def submitted(client: Client, tale: Tale, out: Path) -> str:
    record = client.submit(tale.idea, tale.workflow, values=tale.values, max_steps=tale.max_steps, out=out)
    return record.run_id


def named(tale: Tale) -> str:
    return f"{tale.workflow}: {tale.what}"


def seen(client: Client, run_id: str) -> str:
    """The states in the order they were given out; those that started at once by name."""
    waves = [entry.detail["states"] for entry in client.services.store.ledger(run_id) if entry.kind == "wave"]
    return " ".join(state for states in waves for state in sorted(states))


@pytest.mark.parametrize("tale", TALES, ids=named)
def test_a_real_run_ends_honestly(stage: Stage, tale: Tale) -> None:
    run_id = stage.runs[named(tale)]
    record = stage.client.wait(run_id)
    assert (record.outcome, seen(stage.client, run_id)) == (tale.outcome, tale.states), record.reason
    assert tale.reason in record.reason
    assert record.reason.strip()


@pytest.mark.parametrize("tale", TALES, ids=named)
def test_its_ledger_tells_the_same_story(stage: Stage, tale: Tale) -> None:
    run_id = stage.runs[named(tale)]
    record = stage.client.wait(run_id)
    steps = stage.client.steps(run_id)
    ledger = stage.client.services.store.ledger(run_id)
    waved = [seq for entry in ledger if entry.kind == "wave" for seq in entry.detail["seqs"]]
    assert sorted(waved) == sorted(step.seq for step in steps)
    assert len(steps) <= tale.max_steps
    assert all(step.status in (StepStatus.DONE, StepStatus.FAILED) for step in steps)
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(ledger))
    (end,) = [entry for entry in ledger if entry.kind == "run_finished"]
    assert (end.detail["outcome"], end.detail["reason"]) == (tale.outcome, record.reason)
    escalations = tuple(entry.detail["to"] for entry in ledger if entry.kind == "escalated")
    assert (tale.workflow, *escalations) == (tale.route or (tale.workflow,))


@pytest.mark.parametrize("workflow", sorted({tale.workflow for tale in TALES}))
def test_its_folder_says_how_it_ended_and_why(stage: Stage, workflow: str) -> None:
    for tale in TALES:
        if tale.workflow == workflow:
            record = stage.client.wait(stage.runs[named(tale)])
            folder = stage.client.export(record.run_id)
            told = json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"]
            assert (told["outcome"], told["reason"]) == (tale.outcome, record.reason)
            assert f"**{tale.outcome}**" in (folder / "REPORT.md").read_text(encoding="utf-8")
            assert (folder / "project" / "pyproject.toml").is_file() == built(tale)


def built(tale: Tale) -> bool:
    return "TASK_EXECUTION" in tale.states and tale.outcome is not Outcome.FAILED
