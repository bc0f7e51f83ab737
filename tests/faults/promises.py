"""Decides whether runs kept the promises I1 to I9: from the ledger, the store and the crews' own record of calls."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from played_runs import Runs

from zts_core.artifacts import LocalArtifacts
from zts_core.ports import LedgerEntry
from zts_core.run import RunStatus, StepStatus
from zts_worker.step_context import steps_of

COMMITS = ("step_done", "step_failed", "step_cancelled")
ENDED = (StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELLED)


def check_promises(runs: Runs, *run_ids: str, artifacts: Path | None = None) -> None:
    """Every invariant, for every run; `artifacts` is the folder of committed files where crews wrote some."""
    for run_id in run_ids:
        ledger = list(runs.store.ledger(run_id))
        check_end(runs, run_id, ledger)
        check_attempts(runs, run_id, ledger)
        check_waves(runs, run_id, ledger)
        check_order(runs, run_id, ledger)
        check_stop(ledger)
        if artifacts:
            check_files(runs, run_id, artifacts)


def check_end(runs: Runs, run_id: str, ledger: list[LedgerEntry]) -> None:
    record = runs.store.run(run_id)
    assert record.status is RunStatus.FINISHED, f"I4: {runs.story(run_id)}"
    kinds = [entry.kind for entry in ledger]
    assert kinds.count("run_finished") == 1, f"I4: it ends once: {runs.story(run_id)}"
    assert kinds[-1] == "run_finished", f"nothing happens after the end: {runs.story(run_id)}"
    lost = [step for step in runs.store.steps(run_id) if step.status not in ENDED]
    assert not lost, f"I1: steps lost: {lost}"
    assert not runs.store.position(run_id).settled, "I1: settlements nobody decided on"


def check_attempts(runs: Runs, run_id: str, ledger: list[LedgerEntry]) -> None:
    called = Counter((seq_of(row), row[3]) for row in runs.rows(run_id) if row[4] == "called")
    returned = {(seq_of(row), row[3]) for row in runs.rows(run_id) if row[4] == "returned"}
    assert all(count == 1 for count in called.values()), f"an attempt ran twice: {called}"
    newest: dict[int, int] = {}
    committed: dict[int, LedgerEntry] = {}
    for entry in ledger:
        if entry.kind == "attempt_started":
            assert entry.seq not in committed, f"I2: a committed step started again: {runs.story(run_id)}"
            assert entry.detail["attempt"] == newest.get(entry.seq, 0) + 1
            newest[entry.seq] = entry.detail["attempt"]
        elif entry.kind in COMMITS and "attempt" in entry.detail:
            assert entry.seq not in committed, f"I2: committed twice: {runs.story(run_id)}"
            assert entry.detail["attempt"] == newest[entry.seq], f"I7: a stale attempt wrote: {runs.story(run_id)}"
            committed[entry.seq] = entry
    assert set(called) <= {(seq, attempt) for seq, last in newest.items() for attempt in range(1, last + 1)}
    for seq, entry in committed.items():
        if entry.kind == "step_done":
            assert (seq, entry.detail["attempt"]) in returned, "an effect nobody worked for"


def check_waves(runs: Runs, run_id: str, ledger: list[LedgerEntry]) -> None:
    record = runs.store.run(run_id)
    sent = [seq for entry in ledger if entry.kind == "wave" for seq in entry.detail["seqs"]]
    steps = [step.seq for step in runs.store.steps(run_id) if step.crew]
    assert sorted(sent) == sorted(steps), f"I6: decided twice or never: {runs.story(run_id)}"
    assert len(steps) == record.started <= record.max_steps, "I3: more steps than the cap"


def check_order(runs: Runs, run_id: str, ledger: list[LedgerEntry]) -> None:
    """I5: what a step reads was committed before the step was decided, and it was decided before it started."""
    inputs = inputs_of(runs, run_id)
    decided: set[int] = set()
    done: set[int] = set()
    for entry in ledger:
        if entry.kind == "wave":
            decided.update(entry.detail["seqs"])
            for seq in entry.detail["seqs"]:
                assert inputs[seq] <= done, f"I5: step {seq} was decided too early: {runs.story(run_id)}"
        elif entry.kind == "attempt_started":
            assert entry.seq in decided, f"I5: step {entry.seq} started undecided: {runs.story(run_id)}"
        elif entry.kind == "step_done":
            done.add(entry.seq)


def inputs_of(runs: Runs, run_id: str) -> dict[int, set[int]]:
    with runs.raw() as client:
        raw: dict[str, str] = client.hgetall(f"zts:run:{run_id}:steps")  # type: ignore[assignment]
    static = {int(name): json.loads(text) for name, text in raw.items() if name.isdigit()}
    return {
        seq: {number for ref in step.get("inputs", {}).values() for number in steps_of(ref)}
        for seq, step in static.items()
    }


def check_stop(ledger: list[LedgerEntry]) -> None:
    kinds = [entry.kind for entry in ledger]
    if "stopping" in kinds:
        after = kinds[kinds.index("stopping") :]
        assert "attempt_started" not in after, "I8: an attempt started after the stop"
        assert "wave" not in after, "I8: a wave was decided after the stop"


def check_files(runs: Runs, run_id: str, folder: Path) -> None:
    """I7: the files that are listed are those of the attempt that committed."""
    attempts = {entry.seq: entry.detail["attempt"] for entry in runs.store.ledger(run_id) if entry.kind == "step_done"}
    for seq, result in runs.store.results(run_id, attempts).items():
        for digest, _ in result.artifacts.values():
            content = LocalArtifacts(folder).get(run_id, digest)
            assert content == f"attempt {attempts[seq]}".encode(), "I7: files of a stale attempt appeared"


def seq_of(row: list[Any]) -> int:
    return int(row[1].rpartition(":")[2])
