"""What clumsy and hostile users hand over is refused in one line, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from zts_core.errors import BadInput, IdeaInvalid, OutputFolderTaken, SettingInvalid, WorkflowInvalid
from zts_core.settings import Settings, read_settings
from zts_producer.cli.options import assignment
from zts_producer.idea import read_idea
from zts_producer.redis_choice import choose_redis
from zts_producer.submission import check_out, prepare

IDEA = "A website for bees. Each bee has a name."


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize("name", ["k" * 300, "a/" + "ü" * 200, "half\udcff", "zero\0"])
def test_a_name_that_no_folder_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputFolderTaken, match="--out DIR"):
        check_out(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), "half\udcff", {1, 2}, b"bytes", {"deep": float("inf")}])
def test_a_value_that_cannot_be_kept_is_named(value: object) -> None:
    with pytest.raises(BadInput, match="the value of colour is no JSON"):
        prepare(settings(), IDEA, "just_the_build", values={"colour": value})


def test_a_value_nested_beyond_measure_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="nested too deeply"):
        assignment(f"x={'[' * 100_000}")


def test_an_idea_with_half_a_character_is_no_text() -> None:
    with pytest.raises(IdeaInvalid, match="UTF-8"):
        prepare(settings(), f"{IDEA} \ud800", "just_the_build")


def test_an_idea_file_without_a_name_is_not_taken_for_the_current_folder() -> None:
    with pytest.raises(IdeaInvalid, match="has no name"):
        read_idea("", limit=1000)


def test_a_workflow_without_a_name_is_not_taken_for_the_default() -> None:
    with pytest.raises(WorkflowInvalid, match="no workflow is called"):
        prepare(settings(), IDEA, "")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1", "embeded", "127.0.0.1:6379", "redis://:secret@127.0.0.1:99999", "redis://[::1", "redis://h:0"],
)
def test_an_address_that_is_none_is_answered_with_the_cure_and_not_shown(url: str) -> None:
    with pytest.raises(SettingInvalid, match="correct REDIS_URL: redis://") as raised:
        choose_redis(settings(redis_url=url))
    assert url not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_folder_of_workflows_that_is_none_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"ZTS_WORKFLOWS=.*no folder"):
        prepare(settings(workflows=tmp_path / "nowhere"), IDEA, "just_the_build")


def test_settings_that_no_clock_can_count_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZTS_RETENTION", "inf")
    with pytest.raises(SettingInvalid, match="ZTS_RETENTION='inf' does not fit"):
        read_settings()


def test_a_settings_file_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingInvalid, match=r"\.env in the current folder cannot be read"):
        read_settings()
