"""Output that nobody reads: a reader who left, a closed stream, a full disk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import BEES, COMMANDS, Shell

pytestmark = pytest.mark.cli


@contextmanager
def piped(shell: Shell, command: str) -> Iterator[subprocess.CompletedProcess[str]]:
    line = f'PATH="{COMMANDS}:$PATH"; {command}'
    yield subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=120, cwd=shell.folder, env=shell.environment()
    )


def shipped(shell: Shell) -> list[str]:
    return [path.parent.name for path in (shell.folder / "shipped").glob("*/REPORT.md")]


@pytest.mark.redis
def test_a_submit_whose_reader_left_is_carried_to_its_end(stack: Shell) -> None:
    with piped(stack, f"(zts-submit {BEES} -w just_the_build; echo ended $? >&2) | head -1") as said:
        assert said.stdout.count("\n") == 1
        assert "ended 0" in said.stderr
        assert len(shipped(stack)) == 1


@pytest.mark.redis
def test_a_submit_with_all_streams_closed_is_carried_to_its_end(stack: Shell) -> None:
    with piped(stack, f"zts-submit {BEES} -w just_the_build <&- >&- 2>&-; echo ended $?") as said:
        assert said.stdout == "ended 0\n"
        assert len(shipped(stack)) == 1


def test_a_command_that_only_shows_ends_without_a_word_when_its_reader_leaves(shell: Shell) -> None:
    with piped(shell, "(zts workflows show enterprise_workflow --mermaid; echo ended $? >&2) | true") as said:
        assert said.stderr == "ended 0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_into_a_full_disk_is_one_line_with_the_cure(shell: Shell) -> None:
    with piped(shell, "zts workflows list > /dev/full") as said:
        assert said.returncode == 1
        assert said.stderr == (
            "zts: standard output cannot be written (no space left on device); send it somewhere else\n"
        )
