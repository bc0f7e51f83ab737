from __future__ import annotations

import os

import pytest

from tests.e2e.conftest import BEES, Said, Shell

pytestmark = pytest.mark.cli


def one_line(said: Said) -> str:
    assert said.out == ""
    assert "Traceback" not in said.err
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    return lines[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is binary"),
        ("Die Größe".encode("latin-1"), "is not UTF-8"),
        (b"word " * 60_000, "is larger than 262144 bytes"),
    ],
)
def test_an_idea_file_that_is_none_is_named_in_one_line(shell: Shell, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (shell.folder / "idea.txt").write_bytes(content)
    before = shell.left_behind()
    said = shell.run("zts-submit", "idea.txt")
    assert said.code == 2
    assert one_line(said).startswith("zts-submit: idea.txt ")
    assert complaint in said.err
    assert shell.left_behind() == before


def test_standard_input_without_an_idea_is_refused(shell: Shell) -> None:
    said = shell.run("zts-submit", "-", stdin=b"\n")
    assert said.code == 2
    assert "standard input is empty" in one_line(said)


def test_a_folder_is_no_idea(shell: Shell) -> None:
    said = shell.run("zts-submit", ".")
    assert said.code == 2
    assert "is a folder" in one_line(said)


def test_an_unknown_workflow_is_answered_with_the_closest(shell: Shell) -> None:
    said = shell.run("zts-submit", BEES, "--workflow", "just_the_bild")
    assert said.code == 2
    assert "did you mean just_the_build" in one_line(said)
    assert shell.left_behind() == []


def test_a_broken_workflow_file_is_answered_with_every_problem_and_its_line(shell: Shell) -> None:
    (shell.folder / "mine.yaml").write_text(
        "name: mine\nsequence:\n  - {state: A, crew: NoCrew}\n  - {state: A, crew: BuilderCrew, tiemout: 3}\n"
    )
    said = shell.run("zts-submit", BEES, "--workflow", "mine.yaml")
    assert said.code == 2
    assert "mine.yaml:4" in said.err
    (shell.folder / "mine.yaml").write_text("name: [unclosed\n")
    said = shell.run("zts-submit", BEES, "--workflow", "mine.yaml")
    assert said.code == 2
    assert "mine.yaml" in one_line(said)


def test_an_output_folder_that_is_taken_is_found_before_anything_is_started(shell: Shell) -> None:
    (shell.folder / "taken").write_text("")
    before = shell.left_behind()
    for out in ("taken", "taken/below"):
        said = shell.run("zts-submit", BEES, "--out", out)
        assert said.code == 2
        assert "--out DIR" in one_line(said)
    assert shell.left_behind() == before


def test_an_output_folder_without_permission_is_found_before_anything_is_started(shell: Shell) -> None:
    (shell.folder / "locked").mkdir(mode=0o500)
    out = "locked/shipped" if os.geteuid() else "/proc/shipped"  # root may write in every real folder
    said = shell.run("zts-submit", BEES, "--out", out)
    assert said.code == 2
    assert "cannot be written in" in one_line(said)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Missing argument"),
        ((BEES, "--nope"), "--nope"),
        ((BEES, "--max-steps", "many"), "'many' is not a valid integer"),
        ((BEES, "--max-steps", "0"), "not between 1 and"),
        ((BEES, "--set", "colour"), "name=value"),
        ((BEES, "--deadline", "-1"), "--deadline"),
    ],
)
def test_wrong_usage_is_one_line_with_the_cure(shell: Shell, arguments: tuple[str, ...], complaint: str) -> None:
    said = shell.run("zts-submit", *arguments)
    assert said.code == 2
    assert complaint in one_line(said)
    assert shell.left_behind() == []


def test_a_redis_that_refuses_is_named_without_its_password(shell: Shell) -> None:
    for command in (("zts-submit", BEES), ("zts", "list"), ("zts", "status", "last"), ("zts", "watch", "last")):
        said = shell.run(*command, REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
        assert said.code == 8
        assert "127.0.0.1:1" in one_line(said)
        assert "hunter2" not in said.err
    assert shell.left_behind() == []


def test_a_setting_that_does_not_fit_is_named_with_its_value(shell: Shell) -> None:
    said = shell.run("zts", "list", ZTS_LEASE="soon")
    assert said.code == 2
    assert "ZTS_LEASE='soon'" in one_line(said)


def test_with_json_the_error_is_an_object_too(shell: Shell) -> None:
    said = shell.run("zts-submit", "nothing.txt", "--json")
    assert said.code == 2
    assert said.json()["exit_code"] == 2
    assert "does not exist" in said.json()["error"]


def test_a_misspelt_command_is_answered_with_the_closest(shell: Shell) -> None:
    said = shell.run("zts", "stauts", "last")
    assert said.code == 2
    assert "did you mean 'status'" in one_line(said)


def test_the_version_and_usage_errors_load_neither_celery_nor_redis_nor_rich(shell: Shell) -> None:
    for arguments in (("zts", "--version"), ("zts", "nope"), ("zts", "--help"), ("zts-submit", "--nope")):
        said = shell.run(*arguments, PYTHONPROFILEIMPORTTIME="1")
        loaded = {line.rpartition("|")[2].strip() for line in said.err.splitlines() if line.startswith("import time:")}
        assert "click" in loaded
        assert not loaded & {"celery", "redis", "rich", "pydantic", "yaml", "jinja2"}


def test_zts_debug_shows_where_an_error_came_from(shell: Shell) -> None:
    said = shell.run("zts-submit", "nothing.txt", ZTS_DEBUG="1")
    assert "Traceback" in said.err
    assert said.code == 2


def test_an_error_that_names_a_file_writes_nothing_over_the_terminal(shell: Shell) -> None:
    said = shell.run("zts-submit", "x\x1b[31m\x1b]0;title\x07.txt")
    assert said.code == 2
    assert "does not exist" in said.err
    assert all(letter.isprintable() for letter in said.err.rstrip("\n"))


def test_a_shell_learns_both_commands(shell: Shell) -> None:
    for name in ("bash", "zsh", "fish"):
        said = shell.run("zts", "completion", name)
        assert said.code == 0
        assert "_ZTS_COMPLETE" in said.out
        assert "_ZTS_SUBMIT_COMPLETE" in said.out
    options = shell.run(
        "zts-submit", _ZTS_SUBMIT_COMPLETE="bash_complete", COMP_WORDS="zts-submit --work", COMP_CWORD="1"
    )
    assert "--workflow" in options.out
