from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from servers import wait_until

from tests.e2e.conftest import BEES, COMMANDS, Shell, processes_of

pytestmark = pytest.mark.cli

SLOW = """
name: slow
sequence:
  - {state: FIRST, crew: BuilderCrew}
  - approval: {state: SIGN_OFF, prompt: Is it good?}
  - {state: SECOND, crew: MarketingCrew}
  - state: COMPLETED
"""


def the_folder(shell: Shell) -> Path:
    (folder,) = (shell.folder / "shipped").iterdir()
    return folder


def test_from_an_empty_home_to_a_shipped_folder(stack: Shell) -> None:
    said = stack.run("zts-submit", BEES)
    assert said.code == 0, said.err + said.out
    folder = the_folder(stack)
    assert said.err.splitlines()[0].endswith(f"starting the embedded stack in {stack.home}/.local/share/zerotoship")
    assert f"results: {folder}" in said.out
    assert "IDEA_VALIDATION done" in said.out
    for name in ("REPORT.md", "report.html", "run.json", "project/pyproject.toml", "landing/index.html"):
        assert (folder / name).is_file(), name
    assert json.loads((folder / "run.json").read_text())["run"]["outcome"] == "completed"
    tested = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=folder / "project", capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    assert processes_of(stack.home) == []


def test_with_json_there_is_one_object_and_nothing_else_on_standard_output(stack: Shell) -> None:
    said = stack.run("zts-submit", BEES, "-w", "just_the_build", "--json", "--set", "note=hello", "--out", "there")
    found = said.json()
    assert said.code == found["exit_code"] == 0
    assert found["outcome"] == "completed"
    assert found["values"] == {"note": "hello"}
    assert Path(found["folder"]).parent == stack.folder / "there"


def test_a_hollow_idea_is_rejected_with_the_reason_and_its_own_exit_code(stack: Shell) -> None:
    said = stack.run("zts-submit", "-", "-w", "marketing_focus", stdin=b"Make something nice.\n")
    assert said.code == 5, said.out
    assert "rejected: " in said.out
    assert "validation.passed = false" in said.out
    assert (the_folder(stack) / "REPORT.md").is_file()


def test_the_step_cap_halts_a_run_with_its_own_exit_code(stack: Shell) -> None:
    said = stack.run("zts-submit", BEES, "--max-steps", "5")
    assert said.code == 4, said.out
    assert "step cap of 5" in said.out


def test_a_detached_run_prints_only_its_id_and_is_carried_out_by_resume(stack: Shell) -> None:
    said = stack.run("zts-submit", BEES, "-w", "just_the_build", "--detach")
    assert said.code == 0
    run_id = said.out.strip()
    assert said.out == f"{run_id}\n"
    assert f"zts resume {run_id}" in said.err
    assert not (stack.folder / "shipped").exists()
    listed = stack.run("zts", "list", "--json").json()["runs"]
    assert [run["run_id"] for run in listed] == [run_id]
    resumed = stack.run("zts", "resume", run_id[:9])
    assert resumed.code == 0, resumed.err
    assert the_folder(stack).name.endswith(run_id)
    assert stack.run("zts", "resume", run_id).code == 0
    shown = stack.run("zts", "status", "last")
    assert "TASK_EXECUTION: done, BuilderCrew" in shown.out


def test_the_same_key_gives_the_first_run_again(stack: Shell) -> None:
    first = stack.run("zts-submit", BEES, "--detach", "--key", "monday").out
    again = stack.run("zts-submit", BEES, "--detach", "--key", "monday")
    assert again.out == first
    assert "was used before" in again.err


def test_a_run_is_interrupted_answered_paused_cancelled_from_the_command_line(stack: Shell) -> None:
    (stack.folder / "slow.yaml").write_text(SLOW)
    command = stack.start("zts-submit", BEES, "-w", "slow.yaml")
    assert command.stdout is not None
    for line in command.stdout:
        if "waits for an answer" in line:
            break
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "zts resume " in errors.splitlines()[-1]
    assert "Traceback" not in errors
    wait_until(lambda: not processes_of(stack.home), within_s=10, what="everything is stopped")

    assert "waits" in stack.run("zts", "status", "last").out or "waiting" in stack.run("zts", "status", "last").out
    assert stack.run("zts", "pause", "last").out.split()[1] == "paused"
    assert stack.run("zts", "approve", "last", "SIGN_OFF", "--comment", "fine").code == 0
    assert stack.run("zts", "approve", "last").code == 2
    assert stack.run("zts", "cancel", "last", "--reason", "no time").out.split()[1] == "cancelled"
    ended = stack.run("zts", "watch", "last")
    assert ended.code == 7
    assert "no time" in ended.out
    # What once waited for a person does so no more.
    assert "zts resume" not in ended.err
    assert "zts approve" not in ended.err
    assert stack.run("zts", "cancel", "last").code == 2


def test_an_answer_given_while_the_command_waits_carries_the_run_on(stack: Shell) -> None:
    (stack.folder / "slow.yaml").write_text(SLOW)
    command = stack.start("zts-submit", BEES, "-w", "slow.yaml")
    assert command.stdout is not None
    for line in command.stdout:
        if "waits for an answer" in line:
            break
    said = stack.run("zts", "reject", "last", "--json")
    assert said.json()["approved"] is False
    rest, _ = command.communicate(timeout=60)
    assert command.returncode == 5
    assert "SIGN_OFF" in rest


def test_health_asks_every_component(stack: Shell) -> None:
    said = stack.run("zts", "health", "--json")
    found = said.json()
    asked = {"redis", "workers", "queue", "waiting", "graph", "metrics", "settings", "workflows"}
    assert set(found["components"]) == asked
    assert found["components"]["workers"]["status"] == "healthy", found
    assert said.code == 0


def test_up_keeps_the_stack_for_detached_runs_until_it_is_told_to_stop(stack: Shell) -> None:
    up = stack.start("zts", "up")
    assert up.stdout is not None
    assert "is up" in up.stdout.readline()
    detached = stack.run("zts-submit", BEES, "-w", "just_the_build", "--detach")
    assert "carries it out" not in detached.err, "somebody does already"
    run_id = detached.out.strip()
    assert stack.run("zts", "watch", run_id).code == 0
    up.send_signal(signal.SIGINT)
    _, errors = up.communicate(timeout=60)
    assert up.returncode == 0
    assert "down" in errors
    assert processes_of(stack.home) == []


def test_workflows_are_listed_shown_checked_and_simulated(shell: Shell) -> None:
    assert "default_software_build" in shell.run("zts", "workflows", "list").out
    assert "├─ IDEA_VALIDATION" in shell.run("zts", "workflows", "show", "default_software_build").out
    assert shell.run("zts", "workflows", "show", "just_the_build", "--mermaid").out.startswith("flowchart TD")
    assert shell.run("zts", "workflows", "validate", "just_the_build").code == 0
    (shell.folder / "bad.yaml").write_text("name: bad\nsequence:\n  - {state: A, crew: NoCrew}\n")
    said = shell.run("zts", "workflows", "validate", "bad.yaml", "--json")
    assert said.code == 2
    assert said.json()["problems"][0]["line"] == 3
    said = shell.run(
        *("zts", "workflows", "simulate", "default_software_build", "--json"),
        *("--given", "validation.confidence=0.7", "--given", "validation.passed=true"),
    )
    assert said.json()["route"] == ["default_software_build", "validation_and_launch", "rapid_prototype"]
    assert "BuilderCrew" in shell.run("zts", "crews", "list").out


def test_a_command_that_is_killed_loses_no_finished_step(stack: Shell) -> None:
    command = stack.start("zts-submit", BEES)
    assert command.stdout is not None
    for line in command.stdout:
        if "FEEDBACK_REVIEW started" in line:
            break
    command.kill()
    command.communicate(timeout=30)
    wait_until(lambda: not processes_of(stack.home), within_s=30, what="the stack notices that nobody is left")
    resumed = stack.run("zts", "resume", "last", "--json")
    found = resumed.json()
    assert found["outcome"] == "completed", resumed.err
    assert [step["attempt"] for step in found["steps"]][:5] == [1, 1, 1, 1, 1]
    assert len(found["steps"]) == 6


def test_two_commands_at_once_share_one_stack_and_both_ship(stack: Shell) -> None:
    commands = [stack.start("zts-submit", BEES, "-w", "just_the_build", "--json") for _ in range(2)]
    outputs = [command.communicate(timeout=120)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert len({json.loads(output)["run_id"] for output in outputs}) == 2
    assert len(list((stack.folder / "shipped").iterdir())) == 2
    assert processes_of(stack.home) == []


def test_on_a_terminal_the_tree_is_drawn_live_and_stays_with_its_end(stack: Shell) -> None:
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [str(COMMANDS / "zts-submit"), BEES, "-w", "just_the_build"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=stack.folder,
        env={**stack.environment(), "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    drawn = ""
    with contextlib.suppress(OSError):  # the terminal is gone once the command has ended
        while piece := os.read(ours, 1 << 16):
            drawn += piece.decode(errors="replace")
    os.close(ours)
    assert command.wait(60) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert "✓ TASK_EXECUTION" in plain
    assert "✓ COMPLETED" in plain
    assert "completed: all its steps are done" in plain
    assert f"results: {stack.folder}" in plain.replace("\r\n", "")
