"""Model mode against a real model behind a real server. It is a very small one: only structure is asserted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.models.real_model import model_server
from tests.integration.models.runs_in_process import JudgeCrew, Process
from tests.unit.heart.playing import step
from tests.unit.models.desks import prompt_file
from zts_core.catalogue import find_crew
from zts_core.crew import Crew
from zts_core.run import Outcome
from zts_core.settings import Settings

pytestmark = pytest.mark.redis
PLANT = (
    "A soil moisture sensor for balcony plants. Plants die because people forget to water them. The device measures "
    "the soil moisture of a pot every hour and blinks a light when the plant needs water. It runs on two AA batteries."
)


@pytest.fixture(scope="module")
def model_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with model_server(tmp_path_factory.mktemp("model")) as url:
        yield url


@pytest.fixture
def process(model_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    redis.Redis.from_url(redis_url).flushall()
    monkeypatch.setattr(JudgeCrew, "prompt", prompt_file(tmp_path), raising=False)
    settings = Settings(
        model="smollm2", model_base_url=model_url, model_max_tokens=600, model_repairs=4, model_timeout=120
    )
    return Process(redis_url, tmp_path, settings)


class AnyCrew(Process):
    @staticmethod
    def crew(name: str) -> type[Crew]:
        return JudgeCrew if name == "JudgeCrew" else find_crew(name)


def output_of(process: Process, seq: int) -> Any:
    return process.store.results("r1", [seq])[seq].output


def test_an_agent_fills_its_model_and_the_tokens_are_the_servers(process: Process) -> None:
    run = process.play(step("A", "JudgeCrew", timeout=240), budget_tokens=5000)
    assert run.outcome is Outcome.COMPLETED, run.reason
    assert 1 <= len(output_of(process, 1)["word"]) <= 40
    spending = process.book.spending("r1")
    assert spending.calls >= 1
    assert 50 < spending.spent.tokens < 5000


def test_a_shipped_crew_works_with_a_real_model(process: Process) -> None:
    process.runner.crews = AnyCrew.crew
    process.idea = PLANT
    run = process.play(step("DESIGN", "HardwareCrew", timeout=240))
    assert run.outcome is Outcome.COMPLETED, run.reason
    output = output_of(process, 1)
    assert output["mode"] == "model"
    total = sum(line["unit_cost_eur"] * line["quantity"] for line in output["bill_of_materials"])
    assert output["unit_cost_eur"] == pytest.approx(total)
    (call, *_) = [entry.detail for entry in process.store.ledger("r1") if entry.kind == "model_call"]
    assert (call["model"], call["prompt"]) == ("custom:smollm2", "hardware/engineer")
    assert call["asked"]
    assert call["answered"]


def test_a_budget_too_small_for_one_call_halts_before_the_model_is_asked(process: Process) -> None:
    assert process.play(step("A", "JudgeCrew"), budget_tokens=300).outcome is Outcome.HALTED_BUDGET
    assert process.book.spending("r1").calls == 0
