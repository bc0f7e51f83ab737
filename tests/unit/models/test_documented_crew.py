"""The crew of docs/crews.md, written to a folder and used as the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.models.desks import DeskContext, desk_at
from tests.unit.models.fault_server import says, serving
from zts_core.catalogue import find_crew, find_shape, list_crews, team_of
from zts_worker.testing import assert_contract, run_crew

PAGE = Path(__file__).resolve().parents[3] / "docs" / "crews.md"
FILE = re.compile(r"```\w+ title=\"(\S+)\"\n(.*?)```", re.S)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILE.findall(PAGE.read_text("utf-8")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("pricing", "slogan", "research"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    find_crew.cache_clear()
    find_shape.cache_clear()
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "HOME": str(folder), "ZTS_DATA_FOLDER": str(folder / "d")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_pages_own_tests_pass(written: Path) -> None:
    ran = python(written, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_pages_workflow_is_valid_and_its_condition_is_checked_against_the_crew(written: Path) -> None:
    command = ("-c", "from zts_producer.cli import zts; zts()", "workflows", "validate", "priced.yaml")
    assert python(written, *command).returncode == 0
    text = (written / "priced.yaml").read_text("utf-8")
    broken = text.replace("validation.confidence", "validation.confidense")
    assert broken != text
    (written / "priced.yaml").write_text(broken, "utf-8")
    ran = python(written, *command)
    assert ran.returncode == 2
    assert "confidense" in ran.stdout + ran.stderr


def test_the_crew_is_found_by_its_dotted_path(written: Path) -> None:
    assert find_crew("pricing:PricingCrew").namespace == "pricing"
    assert find_shape("pricing:PricingCrew").namespace == "pricing"


def test_the_crew_is_found_by_its_entry_point(written: Path) -> None:
    announced = written / "pricing_crew-1.0.dist-info"
    announced.mkdir()
    (announced / "METADATA").write_text("Metadata-Version: 2.1\nName: pricing-crew\nVersion: 1.0\n", "utf-8")
    entry = re.search(r'\[project\.entry-points\."(.+?)"\]\nPricingCrew = "(.+?)"', PAGE.read_text("utf-8"))
    assert entry
    (announced / "entry_points.txt").write_text(f"[{entry[1]}]\nPricingCrew = {entry[2]}\n", "utf-8")
    assert "PricingCrew" in list_crews()
    assert find_crew("PricingCrew") is find_crew("pricing:PricingCrew")


def test_the_crew_that_asks_a_model_works_with_one_and_without(written: Path) -> None:
    crew = find_crew("slogan:SloganCrew")
    assert_contract(crew)
    with serving(says({"text": "Hives!", "tone": "plain"}), says({"text": "Hives in hand", "tone": "plain"})) as server:
        output = run_crew(crew, context=DeskContext(models=desk_at(server.url)))
    assert (output.mode, output.text) == ("model", "Hives in hand")
    assert "exclamation mark" in str(server.asked[1])
    assert "You are a copywriter" in str(server.asked[0])


@pytest.mark.parametrize("name", [name for name in list_crews() if name.endswith("Crew")])
def test_the_page_tells_of_every_role_and_what_it_fills(name: str) -> None:
    page = PAGE.read_text("utf-8")
    roles = team_of(find_crew(name))
    assert roles
    for role in roles:
        row = next(line for line in page.splitlines() if line.startswith("|") and f"`{role.name}`" in line)
        assert role.answer.__name__ in row
        assert all(namespace in row for namespace in role.reads)


def test_the_crew_of_crewai_is_read_by_a_producer_that_has_no_crewai(written: Path) -> None:
    assert find_shape("research:ResearchCrew").names() == ["alternatives"]
    assert "crewai" not in sys.modules
