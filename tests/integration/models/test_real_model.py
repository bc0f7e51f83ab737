"""Model mode against a real model behind a real server. It is a very small one: only structure is asserted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import redis

from tests.integration.models.real_model import model_server
from tests.integration.models.runs_in_process import JudgeCrew, Note, Process
from tests.unit.heart.playing import step
from tests.unit.models.desks import prompt_file
from zts_core.catalogue import find_crew
from zts_core.crew import Crew, StepContext
from zts_core.errors import AgentFailed
from zts_core.run import Outcome
from zts_core.settings import Settings
from zts_worker.crews.builder_team import ENGINEER
from zts_worker.crews.workshop.folder import WorkFolder
from zts_worker.crews.workshop.working import Bench, work

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
def url(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    redis.Redis.from_url(redis_url).flushall()
    monkeypatch.setattr(JudgeCrew, "prompt", prompt_file(tmp_path), raising=False)
    return redis_url


def settings(model_url: str, **more: int) -> Settings:
    limits = {"model_max_tokens": 600, "model_repairs": 4, **more}
    return Settings(model="smollm2", model_base_url=model_url, model_timeout=120, **limits)


@pytest.fixture
def process(model_url: str, url: str, tmp_path: Path) -> Process:
    return Process(url, tmp_path, settings(model_url))


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


def test_the_builder_with_so_small_a_model_is_never_less_than_the_rules_make_and_says_what_came_of_it(
    model_url: str, url: str, tmp_path: Path
) -> None:
    process = AnyCrew(url, tmp_path, settings(model_url, model_max_tokens=120, model_repairs=1))
    process.idea = PLANT
    run = process.play(step("BUILD", "BuilderCrew", timeout=200), budget_tokens=60_000)
    assert run.outcome in (Outcome.COMPLETED, Outcome.HALTED_BUDGET), run.reason
    calls = [entry.detail for entry in process.store.ledger("r1") if entry.kind == "model_call"]
    assert calls[0]["prompt"] == "builder/architect"
    assert process.book.spending("r1").spent.tokens <= 60_000
    if run.outcome is Outcome.COMPLETED:
        output = output_of(process, 1)
        assert (output["mode"], output["status"]) == ("model", "completed")
        assert all(change["kept"] or change["reason"] for change in output["model_changes"])
        assert {item["by"] for item in output["files"]} <= {"rules", "model"}


class MovingCrew:
    """An engineer who may move twice on one small file."""

    name: ClassVar[str] = "MovingCrew"
    namespace: ClassVar[str] = "moving"
    Output = Note

    def run(self, context: StepContext) -> Note:
        assert context.models
        bench = Bench(ENGINEER, WorkFolder({"a.py": b"x = 1\n"}, is_kept=lambda _: True), moves_left=2)
        with contextlib.suppress(AgentFailed):
            work(context.models, context, bench, {"Task": "Show all files, then say done."})
        return Note(word=f"{len(bench.seen)} moves")


def test_an_engineers_moves_come_from_a_real_model_and_are_bounded(model_url: str, url: str, tmp_path: Path) -> None:
    process = Process(url, tmp_path, settings(model_url, model_max_tokens=100, model_repairs=2))
    process.runner.crews = lambda _: MovingCrew
    run = process.play(step("MOVE", "MovingCrew", timeout=240))
    assert run.outcome is Outcome.COMPLETED, run.reason
    calls = [entry.detail for entry in process.store.ledger("r1") if entry.kind == "model_call"]
    assert {call["prompt"] for call in calls} == {"builder/engineer"}
    assert 1 <= len(calls) <= 6
    assert output_of(process, 1)["word"] in ("0 moves", "1 moves", "2 moves")


def test_a_budget_too_small_for_one_call_halts_before_the_model_is_asked(process: Process) -> None:
    assert process.play(step("A", "JudgeCrew"), budget_tokens=300).outcome is Outcome.HALTED_BUDGET
    assert process.book.spending("r1").calls == 0
