from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.unit.producer.producer_world import GO, IDEA, World
from zts_producer.cli.live import picture
from zts_producer.cli.tree import lines_of
from zts_producer.view import NodeStatus, RunView


def statuses(view: RunView) -> dict[str, str]:
    return {node.label: str(node.status) for tree in view.trees for _, node in tree.walk()}


def notes(view: RunView) -> dict[str, str]:
    return {node.label: node.note for tree in view.trees for _, node in tree.walk()}


def test_a_fresh_run_has_one_queued_step_and_everything_else_before_it(world: World) -> None:
    view = world.client.status(world.client.submit(IDEA).run_id)
    found = statuses(view)
    assert found["IDEA_VALIDATION"] == found["default_software_build"] == "queued"
    assert {found[label] for label in ("GRAPH_GENERATION", "parallel", "FEEDBACK_ITERATION", "COMPLETED")} == {
        "pending"
    }


def test_a_step_at_work_makes_the_blocks_around_it_run(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work(steps=3)
    message = world.queue.waiting.popleft()
    world.store.claim(run_id, message.seq, worker="w1", lease_s=60)
    found = statuses(world.client.status(run_id))
    assert found["MARKETING_PREPARATION"] == found["parallel"] == found["default_software_build"] == "running"
    assert found["LAUNCH_PREPARATION"] == "queued"


def test_a_completed_run_shows_its_loop_and_what_was_skipped_in_it(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work()
    view = world.client.status(run_id)
    found = statuses(view)
    assert found["REWORK"] == "skipped"
    assert found["FEEDBACK_ITERATION"] == found["default_software_build"] == "done"
    assert notes(view)["FEEDBACK_ITERATION"].startswith("iteration 1 of 3, left: feedback.approved = true")


def ends(view: RunView) -> list[str]:
    return [str(node.status) for tree in view.trees for _, node in tree.walk() if node.label == "COMPLETED"]


def test_of_two_ends_only_the_one_that_was_reached_is_done(world: World) -> None:
    run_id = world.client.submit(IDEA, "just_the_build").run_id
    assert ends(world.client.status(run_id)) == ["pending", "pending"]
    world.work()
    assert ends(world.client.status(run_id)) == ["done", "not reached"]
    turned_down = world.client.submit(IDEA, "just_the_build").run_id
    world.work({**GO, "feedback": {"approved": False}})
    assert ends(world.client.status(turned_down)) == ["skipped", "done"]


def test_a_step_that_ran_in_several_iterations_keeps_them_all(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work({**GO, "feedback": {"approved": False, "rejected": True}})
    view = world.client.status(run_id)
    rework = next(node for _, node in view.trees[0].walk() if node.label == "REWORK")
    assert [step.state for step in rework.steps] == ["FEEDBACK_ITERATION_2.REWORK", "FEEDBACK_ITERATION_3.REWORK"]
    assert view.record.outcome == "exhausted"
    assert "iteration 3 of 3, all iterations used" in notes(view)["FEEDBACK_ITERATION"]


def test_an_escalated_run_shows_every_workflow_it_went_through(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work({**GO, "validation": {"confidence": 0.75, "passed": True}})
    view = world.client.status(run_id)
    assert view.route == ("default_software_build", "validation_and_launch")
    assert len(view.trees) == 2
    first = {node.label: node.status for _, node in view.trees[0].walk()}
    assert first["GRAPH_GENERATION"] is NodeStatus.ESCALATED
    assert first["TASK_EXECUTION"] is NodeStatus.NOT_REACHED
    assert first["COMPLETED"] is NodeStatus.NOT_REACHED
    second = [(node.label, node.status) for _, node in view.trees[1].walk()]
    assert second.pop() == ("COMPLETED", NodeStatus.NOT_REACHED), "the end for those who were not approved"
    assert {status for _, status in second} == {NodeStatus.DONE}


def test_a_rejecting_gate_is_where_the_run_stopped(world: World) -> None:
    run_id = world.client.submit(IDEA, "rapid_prototype").run_id
    world.work({**GO, "validation": {"confidence": 0.2}})
    view = world.client.status(run_id)
    assert statuses(view)["TASK_EXECUTION"] == "rejected"
    assert notes(view)["TASK_EXECUTION"] == "validation.confidence = 0.2 is not > 0.6"
    assert statuses(view)["QUICK_FEEDBACK"] == "not reached"


def test_a_failed_step_shows_its_error(world: World) -> None:
    run_id = world.client.submit(IDEA, "just_the_build").run_id
    world.work(failing={"TASK_EXECUTION": "no space left"})
    view = world.client.status(run_id)
    assert statuses(view)["TASK_EXECUTION"] == "failed"
    assert any("no space left" in line for line in lines_of(view))


def test_plain_lines_are_indented_like_the_workflow(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work()
    lines = lines_of(world.client.status(run_id))
    assert lines[0] == f"{run_id} completed: Bee hive log"
    assert "  parallel: done" in lines
    assert any(line.startswith("    MARKETING_PREPARATION: done, MarketingCrew") for line in lines)


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_picture_fits_any_terminal(world: World, width: int, encoding: str) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work(steps=3)
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=buffer, width=width, color_system=None)
    view = world.client.status(run_id)
    console.print(picture(view, now=world.store.now + 5000, console=console))
    buffer.seek(0)
    lines = buffer.read().splitlines()
    assert max(len(line) for line in lines) <= width
    assert any("TASK_EXECUTION" in line for line in lines)


def test_the_view_as_json_is_plain_data(world: World) -> None:
    import json

    run_id = world.client.submit(IDEA, values={"audience": "bakers"}).run_id
    found = json.loads(json.dumps(world.client.status(run_id).to_json()))
    assert found["run_id"] == run_id
    assert found["values"] == {"audience": "bakers"}
    assert found["tree"][0]["children"][0]["status"] == "queued"
