"""Limits of a provider and budgets of a crew, kept by real worker processes together; the provider counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from played_runs import Runs
from servers import RedisServer, Worker, wait_until

from tests.unit.models.desks import prompt_file
from tests.unit.models.fault_server import FaultServer, says, serving
from zts_core.limits import Budget
from zts_core.redis_store.keys import pace_key
from zts_core.run import Outcome

pytestmark = [pytest.mark.redis, pytest.mark.worker]
ALLOWED = 5
STEPS = 12
CREW = "asking_crews:AskingCrew"


@pytest.fixture(scope="module")
def provider() -> Iterator[FaultServer]:
    with serving(says({"word": "fine"}, read=100, wrote=50)) as server:
        yield server


@pytest.fixture(scope="module")
def runs(provider: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "prices.json").write_text('{"custom:test": {"input": 1000, "output": 1000}}', "utf-8")
    environment = {
        "ZTS_MODEL": "test",
        "ZTS_MODEL_BASE_URL": provider.url,
        "ZTS_MODEL_MAX_TOKENS": "64",
        "ZTS_MODEL_REQUESTS_PER_MINUTE": f"openai=1000 custom={ALLOWED}",
        "ZTS_PRICES": str(folder / "prices.json"),
        "ZTS_TICK": "0.2",
        "PROMETHEUS_PORT": "0",
    }
    server = RedisServer()
    workers = [Worker(server.url, folder, concurrency=2, environment=environment) for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_ready()
        yield Runs(server.url, folder / "record")
    finally:
        for worker in workers:
            worker.stop()
        server.close()


def asks(state: str, prompt: Path) -> dict[str, Any]:
    return {"state": state, "crew": CREW, "timeout": 40, "retry_attempts": 5, "with": {"prompt": str(prompt)}}


def test_a_crews_budget_is_kept_by_two_workers_together(runs: Runs, provider: FaultServer, tmp_path: Path) -> None:
    prompt = prompt_file(tmp_path)
    ended = runs.play(
        [{"parallel": [asks(f"S{number}", prompt) for number in range(STEPS)]}],
        budget_usd=100.0,
        crew_budgets={"asking": Budget(usd=1.0)},
    )
    assert ended.outcome is Outcome.HALTED_BUDGET, runs.story(ended.run_id)
    assert "the crew asking has used" in ended.reason
    booked = [e.detail["usd"] for e in runs.store.ledger(ended.run_id) if e.kind == "model_call"]
    # The halt may break all of them off before one was sent: what is booked counts, and nothing is asked unbooked.
    assert 1 <= len(booked) < STEPS
    assert len(provider.asked) <= len(booked)
    assert sum(booked) <= 1.0


def test_two_workers_together_ask_no_more_in_a_minute_than_the_provider_allows(
    runs: Runs, provider: FaultServer, tmp_path: Path
) -> None:
    redis.Redis.from_url(runs.redis_url).delete(pace_key("custom"))
    provider.asked.clear()
    prompt = prompt_file(tmp_path)
    run_id = runs.start([{"parallel": [asks(f"S{number}", prompt) for number in range(STEPS)]}])

    def waiting() -> bool:
        told = [e.detail["error"] for e in runs.store.ledger(run_id) if e.kind == "attempt_failed"]
        assert all("custom allows its next call in" in error for error in told)
        return len(told) >= STEPS - ALLOWED

    wait_until(waiting, what="every step beyond the limit was told to wait")
    assert len(provider.asked) == ALLOWED
    took_part = {step.worker for step in runs.store.steps(run_id) if step.worker}
    assert len(took_part) >= 2
