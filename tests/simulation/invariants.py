"""Decides whether a story kept the promises: from the ledger, the steps and the crews' own record of their calls."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.fakes import MemoryRun
from tests.simulation.actors import sight, sight_of
from tests.simulation.story import Stage
from tests.unit.heart.playing import resolved
from tests.unit.heart.random_workflows import answer
from tests.unit.heart.reference import Reference, Request
from zts_core.ports import LedgerEntry
from zts_core.run import Outcome, RunStatus, StepStatus
from zts_core.workflow.model import Approval

COMMITS = ("step_done", "step_failed", "step_cancelled")
HALTS = ("halted_step_cap", "halted_loop")


def check(story: Stage) -> None:
    """Every invariant, for every run of a story."""
    assert story.in_time, f"I4: not ended in time: {unfinished(story)}"
    assert set(story.store.known) == set(story.run_of_key.values()), "I9: more runs than keys"
    assert not any(story.store.slots.values()), "a slot of a limited crew was left behind"
    assert not any(story.store.full.values()), "a step waits for a slot that is free"
    for key, run_id in story.run_of_key.items():
        run = story.store.known[run_id]
        check_end(run)
        check_attempts(run, story)
        check_waves(run)
        check_stop(run, story)
        check_meaning(run, story, key)


def unfinished(story: Stage) -> list[Any]:
    return [(run_id, story.store.steps(run_id)) for run_id in story.store.unfinished()]


def check_end(run: MemoryRun) -> None:
    kinds = [entry.kind for entry in run.ledger]
    assert run.status is RunStatus.FINISHED
    assert run.finish
    assert kinds.count("run_finished") == 1, "I4: a run ends once"
    assert kinds[-1] == "run_finished", "nothing happens after the end"
    open_steps = [step for step in run.steps.values() if step.status not in ENDED]
    assert not open_steps, f"I1: steps lost: {open_steps}"
    assert not run.inbox, "I1: settlements nobody decided on"


ENDED = (StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELLED)


def check_attempts(run: MemoryRun, story: Stage) -> None:
    calls = {(c.seq, c.attempt) for c in story.crews.calls if c.run_id == run.new.run_id}
    assert len(calls) == sum(c.run_id == run.new.run_id for c in story.crews.calls), "an attempt ran twice"
    newest: dict[int, int] = {}
    committed: dict[int, LedgerEntry] = {}
    for entry in run.ledger:
        if entry.kind == "attempt_started":
            assert entry.seq not in committed, "I2: a committed step was claimed again"
            assert entry.detail["attempt"] == newest.get(entry.seq, 0) + 1, "attempts are counted without a gap"
            newest[entry.seq] = entry.detail["attempt"]
        elif entry.kind in COMMITS:
            assert entry.seq not in committed, "I2: one committed effect per step"
            assert entry.detail["attempt"] == newest[entry.seq], "I7: a stale attempt wrote"
            committed[entry.seq] = entry
    for seq, entry in committed.items():
        if entry.kind == "step_done":
            assert (seq, entry.detail["attempt"]) in calls, "an effect nobody worked for"
            check_files(run, story, seq, entry.detail["attempt"])
    done = {seq for seq, step in run.steps.items() if step.status is StepStatus.DONE and step.static["crew"]}
    assert done == {seq for seq, entry in committed.items() if entry.kind == "step_done"}
    assert {seq for seq, _ in calls} <= set(run.steps)


def check_files(run: MemoryRun, story: Stage, seq: int, attempt: int) -> None:
    for digest, _ in run.results[seq].artifacts.values():
        content = story.crews.artifacts.get(run.new.run_id, digest)
        assert content == str(attempt).encode(), "I7: files of a stale attempt appeared"


def check_waves(run: MemoryRun) -> None:
    sent = [seq for entry in run.ledger if entry.kind == "wave" for seq in entry.detail["seqs"]]
    steps = [seq for seq, step in run.steps.items() if step.static["crew"]]
    assert sorted(sent) == sorted(steps), "I6: a step was decided twice, or never"
    assert len(steps) == run.started <= run.new.max_steps, "I3: more steps than the cap"


def check_stop(run: MemoryRun, story: Stage) -> None:
    kinds = [entry.kind for entry in run.ledger]
    if "stopping" in kinds:
        after = kinds[kinds.index("stopping") :]
        assert "attempt_started" not in after, "I8: an attempt started after the stop"
        assert "wave" not in after, "I8: a wave was decided after the stop"
    if run.new.run_id in story.cancelled:
        assert run.finish
        assert "stopping" in kinds or run.finish.outcome is not Outcome.CANCELLED


def check_meaning(run: MemoryRun, story: Stage, key: str) -> None:
    """I5 and I6 by their meaning: what ran, what it saw and how it ended are what the language says."""
    assert run.finish
    outcome = run.finish.outcome.value
    if outcome == "timed_out":
        assert run.finished_ms >= run.deadline_ms
        return
    if outcome == "cancelled":
        assert run.new.run_id in story.cancelled
        return
    reference = told_by_reference(story, key, run.new.max_steps)
    if reference.ended in HALTS:
        assert outcome in HALTS
        return
    assert outcome == reference.ended
    outputs = {seq: dict(result.output) for seq, result in run.results.items()}
    data = {name: resolved(ref, outputs) for name, ref in story.store.data(run.new.run_id).items()}
    assert sight(data) == sight(reference.data)
    started = Counter(
        (step.static["state"], sight_of(story.store, run.new.run_id, seq))
        for seq, step in run.steps.items()
        if step.static["crew"]
    )
    assert started == Counter((asked.state, sight(asked.sees)) for asked in reference.started)
    for call in story.crews.calls:
        if call.run_id == run.new.run_id:
            assert call.sees == sight_of(story.store, call.run_id, call.seq), "I5: it saw something else then"


def told_by_reference(story: Stage, key: str, max_steps: int) -> Reference:
    plan = story.plans[key]
    reference = Reference(plan.root, plan.workflows, max_steps=max_steps)
    while reference.open:
        ticket, asked = next(iter(reference.open.items()))
        reference.settle({ticket: settled(story, asked)})
    return reference


def settled(story: Stage, asked: Request) -> tuple[str, dict[str, Any]]:
    node = asked.node
    if isinstance(node, Approval):
        body = node.approval
        by_itself = {"approve": "approved", "reject": "rejected"}[body.on_timeout]
        return (by_itself if body.timeout else answer(story.seed, asked.state)), {}
    return story.crews.temper(asked.state).outcome(story.seed, asked.state, node.retry_attempts)
