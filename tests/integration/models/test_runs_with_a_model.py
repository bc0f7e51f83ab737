"""Runs with a model: they are bounded by their budget, pay each answer once, and leave every call in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.models.runs_in_process import JudgeCrew, Process
from tests.unit.heart.playing import parallel, step
from tests.unit.models.desks import KEY, prompt_file
from tests.unit.models.fault_server import FaultServer, fails, says, serving
from zts_core.errors import BadInput
from zts_core.limits import Budget, MoreBudget
from zts_core.reviving import Reviver
from zts_core.run import Outcome, StepStatus
from zts_core.settings import Settings
from zts_producer.calls import bill_of

pytestmark = pytest.mark.redis
GOOD = {"word": "fine"}


@pytest.fixture
def url(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    redis.Redis.from_url(redis_url).flushall()
    monkeypatch.setattr(JudgeCrew, "prompt", prompt_file(tmp_path), raising=False)
    return redis_url


def process(url: str, folder: Path, server: FaultServer, **more: Any) -> Process:
    prices = folder / "prices.json"
    prices.write_text('{"custom:test": {"input": 1000, "output": 1000}}', "utf-8")
    settings = Settings(
        model="test", model_base_url=server.url, model_api_key=KEY, prices=prices, model_max_tokens=100, **more
    )
    return Process(url, folder, settings)


def judge(state: str, **fields: Any) -> Any:
    return step(state, "JudgeCrew", **fields)


def test_a_run_within_its_budget_completes_and_its_calls_are_in_the_ledger(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=40, wrote=10)) as server:
        at = process(url, tmp_path, server)
        run = at.play(judge("A"), judge("B"), budget_usd=5.0, budget_tokens=10_000)
    assert run.outcome is Outcome.COMPLETED
    spending = at.book.spending("r1")
    assert (spending.calls, spending.spent.tokens, spending.held.tokens) == (2, 100, 0)
    assert spending.spent.usd == pytest.approx(0.1)
    calls = [entry for entry in at.store.ledger("r1") if entry.kind == "model_call"]
    assert [(call.seq, call.detail["model"], call.detail["tokens"]) for call in calls] == [
        (1, "custom:test", 50),
        (2, "custom:test", 50),
    ]


def test_the_call_that_would_pass_the_budget_is_not_made_and_the_run_halts(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=400, wrote=100)) as server:
        at = process(url, tmp_path, server)
        run = at.play(judge("A"), judge("B"), judge("C"), budget_usd=0.6)
    assert run.outcome is Outcome.HALTED_BUDGET
    assert "--budget-usd" in run.reason
    assert len(server.asked) == 1
    assert at.book.spending("r1").spent.usd <= 0.6
    assert [record.status for record in at.store.steps("r1")] == [StepStatus.DONE, StepStatus.CANCELLED]


def test_a_run_that_was_halted_by_its_budget_goes_on_with_more_and_pays_nothing_twice(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=400, wrote=100)) as server:
        at = process(url, tmp_path, server)
        assert at.play(judge("A"), judge("B"), judge("C"), budget_usd=0.6).outcome is Outcome.HALTED_BUDGET
        reviver = Reviver(at.dispatcher)
        with pytest.raises(BadInput, match="--budget-usd"):
            reviver.retry_run("r1")
        assert reviver.retry_run("r1", more=MoreBudget(usd=5.0))
        run = at.work_off("r1")
    assert (run.outcome, run.budget_usd) == (Outcome.COMPLETED, 5.0)
    assert len(server.asked) == 3
    assert [record.attempt for record in at.store.steps("r1")] == [1, 2, 1]
    assert at.book.spending("r1").spent.usd == pytest.approx(1.5)


def test_a_branch_that_passes_the_budget_halts_its_siblings_too(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=400, wrote=100)) as server:
        at = process(url, tmp_path, server)
        run = at.play(parallel(judge("A"), judge("B"), judge("C")), judge("D"), budget_tokens=800)
    assert run.outcome is Outcome.HALTED_BUDGET
    assert len(server.asked) < 3


def test_a_crew_that_would_pass_its_own_budget_halts_the_run_and_is_named(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=400, wrote=100)) as server:
        at = process(url, tmp_path, server)
        run = at.play(judge("A"), judge("B"), budget_usd=50.0, crew_budgets={"judge": Budget(usd=0.6)})
    assert run.outcome is Outcome.HALTED_BUDGET
    assert "the crew judge has used $0.5000 of $0.6" in run.reason
    assert "--crew-budget judge=" in run.reason
    assert len(server.asked) == 1
    assert run.crew_budgets == {"judge": Budget(usd=0.6)}


def test_a_run_that_reuses_answers_repeats_another_without_paying(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD, read=400, wrote=100)) as server:
        first = process(url, tmp_path, server).play(judge("A"), judge("B"), budget_usd=5.0)
        at = process(url, tmp_path, server)
        again = at.play(judge("A"), judge("B"), run_id="r2", budget_usd=0.0, reuse_answers=True)
        fresh = process(url, tmp_path, server).play(judge("A"), run_id="r3", budget_usd=5.0)
    assert [run.outcome for run in (first, again, fresh)] == [Outcome.COMPLETED] * 3
    assert len(server.asked) == 3
    bill = bill_of(at.store.ledger("r2"))
    assert (bill.usd, bill.reused, at.book.spending("r2").calls) == (0.0, 2, 0)
    assert str(bill) == "$0.0000 for 0 tokens in 0 model calls, 2 answered before"


def test_a_budget_of_nothing_makes_no_call(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD)) as server:
        assert process(url, tmp_path, server).play(judge("A"), budget_usd=0.0).outcome is Outcome.HALTED_BUDGET
    assert server.asked == []


def test_overload_is_tried_again_within_the_steps_retries_and_not_without_end(url: str, tmp_path: Path) -> None:
    with serving(fails(503), fails(429), says(GOOD)) as server:
        assert process(url, tmp_path, server).play(judge("A", retry_attempts=2)).outcome is Outcome.COMPLETED
    assert len(server.asked) == 3
    redis.Redis.from_url(url).flushall()
    with serving(fails(503)) as server:
        run = process(url, tmp_path, server).play(judge("A", retry_attempts=2))
    assert (run.outcome, len(server.asked)) == (Outcome.FAILED, 3)


def test_the_key_is_nowhere_in_redis(url: str, tmp_path: Path) -> None:
    with serving(says({"word": KEY}), fails(500)) as server:
        process(url, tmp_path, server).play(judge("A"), judge("B"))
    client = redis.Redis.from_url(url, decode_responses=True)
    ledger = str(client.xrange("zts:run:r1:ledger"))
    assert "model_call" in ledger
    assert KEY not in ledger


def test_a_crew_can_be_told_to_work_offline(url: str, tmp_path: Path) -> None:
    with serving(says(GOOD)) as server:
        at = process(url, tmp_path, server, crew_models={"judge": "offline"})
        assert at.play(judge("A")).outcome is Outcome.COMPLETED
    assert server.asked == []
