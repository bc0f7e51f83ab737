"""What commands that need no server answer to people who slip."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from zts_producer.cli.main import run
from zts_producer.cli.submit import submit
from zts_producer.cli.workflows import workflows


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(workflows, ["validate", *arguments], standalone_mode=False)


def long_workflow(folder: Path, steps: int) -> str:
    lines = "".join(f"  - {{state: S{number}, crew: GraphCrew}}\n" for number in range(steps))
    (folder / "long.yaml").write_text(f"name: long\nsequence:\n{lines}", "utf-8")
    return str(folder / "long.yaml")


def test_a_long_workflow_is_valid_with_the_step_cap_its_run_will_have(tmp_path: Path) -> None:
    refused = validate(long_workflow(tmp_path, 60))
    assert (refused.return_value, "raise --max-steps" in refused.output) == (2, True)
    assert validate(long_workflow(tmp_path, 60), "--max-steps", "60").return_value == 0


def test_one_error_is_counted_as_one(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\nsequence: []\n", "utf-8")
    assert validate(str(tmp_path / "one.yaml")).output.endswith(": 1 error, no warnings\n")


@pytest.mark.parametrize("key", ["", "  "])
def test_a_key_from_an_unset_variable_starts_no_run_that_could_be_started_twice(key: str) -> None:
    refused = CliRunner().invoke(submit, ["idea.txt", "--key", key])
    assert (refused.exit_code, "the key is empty" in refused.output) == (2, True)


def test_a_folder_that_is_gone_below_the_command_is_named_and_no_riddle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "idea.txt").write_text("# Bees\n\nKeepers write down each inspection.", "utf-8")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(submit, "zts-submit", [str(tmp_path / "idea.txt"), "-w", "just_the_build", "--detach"]) == 2
    assert capsys.readouterr().err.endswith("the current folder is gone; change to another one\n")
