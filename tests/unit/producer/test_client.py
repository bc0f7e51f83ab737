from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.producer.producer_world import GO, IDEA, World
from zts_core.errors import BadInput, IdeaInvalid, OutputFolderTaken, UnknownRun, WorkflowInvalid
from zts_core.run import Outcome, RunStatus, StepStatus

APPROVAL = """
name: asked
sequence:
  - {state: TASK_EXECUTION, crew: BuilderCrew}
  - approval: {state: SIGN_OFF, prompt: Is it good?, timeout: 60}
  - approval: {state: SECOND_LOOK, prompt: And now?, timeout: 60}
  - state: COMPLETED
"""


def test_a_submit_records_the_run_before_it_is_sent_and_a_worker_carries_it_out(world: World) -> None:
    record = world.client.submit(IDEA)
    assert record.status is RunStatus.RUNNING
    assert record.title == "Bee hive log"
    assert [message.state for message in world.queue.waiting] == ["IDEA_VALIDATION"]
    world.work()
    done = world.client.wait(record.run_id)
    assert done.outcome is Outcome.COMPLETED
    assert done.started == 6


def test_the_same_key_never_starts_a_second_run(world: World) -> None:
    first = world.client.submit(IDEA, key="monday")
    again = world.client.submit("Another idea", key="monday")
    assert again.run_id == first.run_id
    assert len(world.client.list()) == 1


def test_an_idea_that_was_submitted_before_is_pointed_to_and_never_refused(world: World) -> None:
    first = world.client.submit(IDEA)
    again = world.client.submit(f"{IDEA} Every week.")
    assert first.seen_before == ()
    assert again.run_id != first.run_id
    assert [(seen.run_id, seen.state) for seen in again.seen_before] == [(first.run_id, "running")]
    assert world.client.submit("An API that converts currencies.").seen_before == ()


def test_a_replay_sees_what_its_run_saw(world: World) -> None:
    world.client.submit(IDEA)
    run = world.client.submit(IDEA)
    world.work()
    replayed = world.client.replay(run.run_id, "MARKETING_PREPARATION")
    assert replayed.seen_before == run.seen_before


def test_a_run_is_found_by_the_beginning_of_its_id_by_its_folder_and_as_last(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    for said in (run_id, run_id[:9], "last", f"shipped/bee-hive-log-{run_id}", f"{run_id.upper()}"):
        assert world.client.find(said) == run_id


def test_a_beginning_that_fits_several_runs_is_refused_with_their_ids(world: World) -> None:
    ids = [world.client.submit(IDEA).run_id for _ in range(2)]
    with pytest.raises(BadInput) as caught:
        world.client.find(ids[0][:3])
    assert all(run_id in str(caught.value) for run_id in ids)


def test_an_unknown_run_is_named_with_the_place_that_was_searched(world: World) -> None:
    with pytest.raises(UnknownRun, match=r"no run 'nope' in redis://memory:6379"):
        world.client.status("nope")
    with pytest.raises(UnknownRun, match="no run in redis://memory:6379 yet"):
        world.client.status("last")


def test_bad_input_is_refused_before_anything_is_recorded(world: World, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(OutputFolderTaken):
        world.client.submit(IDEA, out=taken)
    with pytest.raises(OutputFolderTaken):
        world.client.submit(IDEA, out=taken / "below")
    with pytest.raises(IdeaInvalid):
        world.client.submit(" \n ")
    with pytest.raises(WorkflowInvalid, match="default_software_build"):
        world.client.submit(IDEA, "default_software_bild")
    for cap in (0, -1, 10_001):
        with pytest.raises(BadInput, match="--max-steps"):
            world.client.submit(IDEA, max_steps=cap)
    with pytest.raises(BadInput, match="--deadline"):
        world.client.submit(IDEA, deadline=0)
    with pytest.raises(BadInput, match="--set"):
        world.client.submit(IDEA, values={"Not A Name": 1})
    assert world.client.list() == []
    assert list(Path.cwd().iterdir()) == []


def test_a_workflow_with_errors_is_refused_with_all_of_them(world: World) -> None:
    path = world.write_workflow(
        "name: bad\nsequence:\n  - {state: A, crew: NoCrew}\n  - {state: A, crew: BuilderCrew}\n"
    )
    with pytest.raises(WorkflowInvalid) as caught:
        world.client.submit(IDEA, path)
    codes = [problem.code for problem in caught.value.problems]
    assert "ZTS101" in codes
    assert "ZTS102" in codes


def test_a_workflow_that_cannot_fit_below_the_step_cap_is_refused(world: World) -> None:
    with pytest.raises(WorkflowInvalid, match="raise --max-steps"):
        world.client.submit(IDEA, "just_the_build", max_steps=1)


def test_a_cancelled_run_starts_nothing_more(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work(steps=1)
    record = world.client.cancel(run_id, reason="changed my mind")
    assert record.outcome is Outcome.CANCELLED
    assert record.reason == "changed my mind"
    world.work()
    assert world.client.record(run_id).started == 2
    with pytest.raises(BadInput, match="has ended as cancelled"):
        world.client.cancel(run_id)


def test_a_run_whose_crews_are_told_to_stop_is_deleted_a_moment_later(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    message = world.queue.waiting.popleft()
    world.store.claim(run_id, message.seq, worker="w1", lease_s=60)
    with pytest.raises(BadInput, match=f"zts cancel {run_id}"):
        world.client.delete(run_id)
    assert world.client.cancel(run_id).status is RunStatus.ENDING
    with pytest.raises(BadInput, match=r"is ending.*delete it in a moment"):
        world.client.delete(run_id)


def test_a_paused_run_goes_on_where_it_was_once_it_is_resumed(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    assert world.client.pause(run_id).status is RunStatus.PAUSED
    world.work()
    assert [step.status for step in world.client.steps(run_id)] == [StepStatus.QUEUED]
    world.client.resume(run_id)
    world.work()
    assert world.client.record(run_id).outcome is Outcome.COMPLETED


def test_a_run_whose_message_was_lost_is_taken_up_by_resume(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.queue.waiting.clear()
    world.client.resume(run_id)
    world.work()
    assert world.client.record(run_id).outcome is Outcome.COMPLETED


def test_a_run_is_recorded_even_where_the_queue_is_away(world: World) -> None:
    world.queue.broken = True
    run_id = world.client.submit(IDEA).run_id
    world.queue.broken = False
    world.client.resume(run_id)
    world.work()
    assert world.client.record(run_id).outcome is Outcome.COMPLETED


def test_a_held_project_is_recorded_and_starts_only_when_it_is_resumed(world: World) -> None:
    from zts_producer.submission import prepare

    record = world.client.hold(prepare(world.settings, IDEA, "just_the_build", key="k"))
    assert record.status is RunStatus.PAUSED
    assert not world.queue.waiting
    assert world.client.hold(prepare(world.settings, IDEA, "just_the_build", key="k")).run_id == record.run_id
    world.client.resume(record.run_id)
    world.client.resume(record.run_id)
    world.work()
    assert world.client.record(record.run_id).outcome is Outcome.COMPLETED
    assert world.client.record(record.run_id).started == 2


def test_approvals_are_answered_by_state_and_only_once(world: World) -> None:
    run_id = world.client.submit(IDEA, world.write_workflow(APPROVAL)).run_id
    with pytest.raises(BadInput, match="waits for no answer"):
        world.client.approve(run_id)
    world.work(GO)
    with pytest.raises(BadInput, match="SIGN_OFF"):
        world.client.approve(run_id, "SIGN_OF")
    assert world.client.approve(run_id, by="ann").state == "SIGN_OFF"
    assert world.client.reject(run_id, "SECOND_LOOK", by="bob", comment="too slow").state == "SECOND_LOOK"
    record = world.client.record(run_id)
    assert record.outcome is Outcome.REJECTED
    assert "too slow" in record.reason


def test_following_tells_the_whole_ledger_to_its_end(world: World) -> None:
    run_id = world.client.submit(IDEA, "just_the_build").run_id
    world.work()
    kinds = [entry.kind for entry in world.client.follow(run_id)]
    assert kinds[0] == "run_created"
    assert kinds[-1] == "run_finished"
    assert kinds.count("step_done") == 2


def test_all_shipped_workflows_are_listed_with_their_descriptions(world: World) -> None:
    entries = world.client.workflows()
    assert len(entries) == 7
    assert all(entry.description for entry in entries)


def test_a_workflow_is_validated_by_name_by_file_and_as_a_file_of_several(world: World) -> None:
    assert world.client.validate_workflow("just_the_build") == ()
    step = "{sequence: [{state: A, crew: %s}]}"
    several = world.write_workflow(f"one: {step % 'BuilderCrew'}\ntwo: {step % 'NoCrew'}\n")
    problems = world.client.validate_workflow(several)
    assert [problem.code for problem in problems] == ["ZTS101"]
    assert problems[0].line == 2
    assert [problem.code for problem in world.client.validate_workflow("nothing")] == ["ZTS104"]


def test_a_run_keeps_the_priority_it_was_submitted_with_and_a_wrong_one_is_refused(world: World) -> None:
    assert world.client.submit(IDEA, "just_the_build", priority="low").priority == "low"
    assert world.client.submit(IDEA, "just_the_build").priority == "normal"
    with pytest.raises(BadInput, match=r"'urgent' is no priority; choose high, normal, low with --priority"):
        world.client.submit(IDEA, "just_the_build", priority="urgent")
