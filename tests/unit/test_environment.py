"""Where settings come from: what a program says, then the environment, then the `.env` file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zts_core.errors import SettingInvalid
from zts_core.settings import Settings, adopt_telemetry, read_settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("ZTS_", "REDIS_", "OTEL_", "PROMETHEUS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path(".env").write_text(text, "utf-8")


def test_without_anything_set_the_defaults_hold() -> None:
    settings = Settings()
    assert (settings.redis_url, settings.lease, settings.prometheus_port) == (None, 10.0, 8000)
    assert settings.model_fields_set == set()


def test_what_is_said_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("ZTS_LEASE=3\nZTS_TICK=4\nZTS_TAKEOVERS=5\n")
    monkeypatch.setenv("ZTS_TICK", "2")
    monkeypatch.setenv("ZTS_TAKEOVERS", "1")
    settings = Settings(takeovers=7)
    assert (settings.lease, settings.tick, settings.takeovers) == (3, 2, 7)


def test_the_prefixed_name_wins_in_one_place_but_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("ZTS_REDIS_URL=redis://file\nREDIS_URL=redis://plain\n")
    assert Settings().store_url == "redis://file"
    monkeypatch.setenv("REDIS_URL", "redis://here")
    assert Settings().store_url == "redis://here"
    monkeypatch.setenv("ZTS_REDIS_URL", "redis://prefixed")
    assert Settings().store_url == "redis://prefixed"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTS_LEASE", "")
    monkeypatch.setenv("ZTS_REDIS_URL", "")
    monkeypatch.setenv("REDIS_URL", "redis://here")
    settings = Settings()
    assert (settings.lease, settings.store_url) == (10.0, "redis://here")


def test_names_may_be_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    write("zts_tick=4\n")
    monkeypatch.setenv("zts_lease", "3")
    assert (Settings().lease, Settings().tick) == (3, 4)


def test_a_file_may_be_left_out_or_be_another(tmp_path: Path) -> None:
    write("ZTS_LEASE=3\n")
    other = tmp_path / "other.env"
    other.write_text("export ZTS_LEASE='4'  # quoted\n", "utf-8")
    assert [Settings(_env_file=file).lease for file in (None, other, ".env")] == [10.0, 4.0, 3.0]


@pytest.mark.parametrize("variable", ["PROMETHEUS_PORT", "ZTS_PROMETHEUS_PORT"])
def test_a_complaint_names_the_variable_that_was_set(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "70000")
    with pytest.raises(SettingInvalid, match=rf"^{variable}='70000' does not fit: .*; correct or unset {variable}$"):
        read_settings()


def test_all_that_is_wrong_is_said_at_once() -> None:
    write("ZTS_LEASE=soon\nZTS_WATCHDOG=cat\n")
    with pytest.raises(SettingInvalid, match=r"ZTS_WATCHDOG='cat' does not fit.*; ZTS_LEASE='soon' does not fit"):
        read_settings()


def test_opentelemetry_sees_what_the_file_says_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    write("OTEL_SERVICE_NAME=bees\nOTEL_EMPTY=\n")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    adopt_telemetry()
    assert os.environ["OTEL_SERVICE_NAME"] == "mine"
    assert "OTEL_EMPTY" not in os.environ
