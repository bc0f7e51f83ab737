"""docs/configuration.md names every setting there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import AliasChoices

from zts_core.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")


OTHERWISE = {"crew_models": "ZTS_MODEL_<CREW>"}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_page_names_the_setting(name: str) -> None:
    alias = Settings.model_fields[name].validation_alias
    variables = alias.choices if isinstance(alias, AliasChoices) else [OTHERWISE.get(name, f"ZTS_{name.upper()}")]
    assert any(f"`{variable}`" in PAGE for variable in variables)
