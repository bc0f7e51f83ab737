"""A setting whose name has a slip in it is not passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from zts_core.settings import misspelled_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_slip_is_told_with_what_was_meant(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTS_LAESE", "5")
    (elsewhere / ".env").write_text("ZTS_MAX_STEP=7\n", "utf-8")
    assert misspelled_settings() == [
        "ZTS_LAESE is no setting; did you mean ZTS_LEASE?",
        "ZTS_MAX_STEP is no setting; did you mean ZTS_MAX_STEPS?",
    ]


@pytest.mark.parametrize("name", ["ZTS_LEASE", "zts_lease", "ZTS_MODEL_VALIDATOR", "ZTS_DEBUG", "ZTS_OUR_OWN", "LEASE"])
def test_known_names_and_those_of_others_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "5")
    assert not [line for line in misspelled_settings() if line.startswith(f"{name.upper()} ")]
