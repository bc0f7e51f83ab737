"""What `zts crews` tells: every crew, its output, its team, the version of each prompt, the limits of a call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from zts_core.catalogue import CrewInvalid, team_of
from zts_core.settings import Settings
from zts_producer.cli.crews import crews
from zts_producer.crew_facts import facts_of, lines


def told(*arguments: str) -> str:
    ran = CliRunner().invoke(crews, arguments, catch_exceptions=False)
    assert ran.exit_code == 0
    return ran.output


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZTS_MODEL", raising=False)


def test_the_list_says_for_each_crew_what_it_writes_and_how_it_works() -> None:
    found = json.loads(told("list", "--json"))["crews"]
    assert {"ValidatorCrew", "TestingCrew"} <= {line["name"] for line in found}
    assert all(line["namespace"] and line["task"] and not line["trouble"] for line in found)
    assert {line["model"] for line in found} == {"offline"}
    assert "GraphCrew" in told("list")


def test_a_crew_is_shown_with_its_output_its_team_and_the_limits() -> None:
    text = told("show", "ValidatorCrew")
    for part in ("confidence", "0 ≤ x ≤ 1", "validator/judge", "reads idea", "shipped", "answer tokens", "4,096"):
        assert part in text
    facts = json.loads(told("show", "ValidatorCrew", "--json"))
    assert [role["name"] for role in facts["roles"]] == ["validator/analyst", "validator/judge", "validator/sceptic"]
    assert all(len(role["digest"]) == 16 for role in facts["roles"])


def test_the_model_of_each_crew_is_the_one_it_would_work_with() -> None:
    settings = Settings(model="ollama:small", crew_models={"graph": "offline", "launch": "ollama:large"})
    works = {line.name: line.model for line in lines(settings)}
    assert (works["ValidatorCrew"], works["GraphCrew"], works["LaunchCrew"]) == (
        "ollama:small",
        "offline",
        "ollama:large",
    )


def test_a_users_prompt_is_named_and_has_a_digest_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    own = tmp_path / "graph" / "planner.md"
    own.write_text("Plan as we do.", "utf-8")
    (shipped,), (mine,) = (
        facts_of(Settings(), "GraphCrew").roles,
        facts_of(Settings(prompts=tmp_path), "GraphCrew").roles,
    )
    assert (shipped.prompt, mine.prompt) == ("shipped", str(own))
    assert shipped.digest != mine.digest


@pytest.mark.parametrize("team", ["no.such.module:TEAM", 12, ("not a role",), "json:dumps"])
def test_a_team_that_is_none_is_refused(team: Any) -> None:
    broken: Any = type("BrokenCrew", (), {"name": "BrokenCrew", "team": team})
    with pytest.raises(CrewInvalid, match="BrokenCrew"):
        team_of(broken)
