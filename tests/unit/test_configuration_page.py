"""docs/configuration.md names every setting there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from zts_core.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")


OTHERWISE = {"crew_models": "ZTS_MODEL_<CREW>"}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_page_names_the_setting(name: str) -> None:
    variables = [OTHERWISE[name]] if name in OTHERWISE else Settings.variables_of(name)
    assert any(f"`{variable}`" in PAGE for variable in variables)
