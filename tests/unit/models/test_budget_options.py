"""Budgets from the command line to the run, and calls from the ledger to the eye."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zts_core.errors import BadInput
from zts_core.limits import Budget
from zts_core.ports import LedgerEntry, RunRecord
from zts_core.run import RunStatus
from zts_core.settings import Settings
from zts_producer.calls import bill_of
from zts_producer.narrate import Narrator
from zts_producer.submission import prepare

IDEA = "A log for bee hives. Bee keepers record each inspection with a date and notes."
CALL = {"model": "openai:m", "prompt": "validator/analyst", "tokens": 1200, "usd": 0.0125, "seconds": 1.5}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("ZTS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Settings(data_folder=tmp_path)


def prepared(settings: Settings, **budget: Any) -> Any:
    return prepare(settings, IDEA, "marketing_focus", **budget).new


def test_a_run_carries_its_budgets(settings: Settings) -> None:
    new = prepared(settings, budget_usd=2.5, budget_tokens=1000)
    assert (new.budget_usd, new.budget_tokens) == (2.5, 1000)


def test_without_options_the_settings_bound_a_run_and_tokens_are_always_bounded(settings: Settings) -> None:
    new = prepared(settings)
    assert (new.budget_usd, new.budget_tokens) == (None, 1_000_000)
    assert prepared(Settings(budget_usd=3.0, data_folder=settings.data_folder)).budget_usd == 3.0


@pytest.mark.parametrize(
    ("budget", "option"), [({"budget_usd": -1.0}, "--budget-usd"), ({"budget_tokens": -5}, "--budget-tokens")]
)
def test_a_budget_that_makes_no_sense_is_refused(settings: Settings, budget: Any, option: str) -> None:
    with pytest.raises(BadInput, match=option):
        prepared(settings, **budget)


def test_budgets_of_crews_come_from_the_option_over_the_settings(settings: Settings) -> None:
    general = Settings(crew_budgets="validator=1usd validator=500tokens builder=3usd", data_folder=settings.data_folder)
    assert prepared(general, crew_budgets={"validator": Budget(usd=2.0)}).crew_budgets == {
        "validator": Budget(2.0, 500)
    }


def test_a_budget_for_a_crew_that_the_workflow_has_not_is_refused(settings: Settings) -> None:
    with pytest.raises(BadInput, match=r"'bulider'.*launch, marketing, validator.*--crew-budget"):
        prepared(settings, crew_budgets={"bulider": Budget(usd=2.0)})


def bounds_said(settings: Settings, **more: Any) -> str:
    known = settings.model_copy(update={"model": "openai:gpt-4o-mini", "model_base_url": more.pop("url", None)})
    return "\n".join(prepare(known, IDEA, "marketing_focus", **more).bounds)


def test_what_a_run_may_cost_is_said_before_it_starts(settings: Settings) -> None:
    assert prepare(settings, IDEA, "marketing_focus").bounds == ()
    assert "openai:gpt-4o-mini may use at most $2, 1,000,000 tokens, 24 h 00 min" in bounds_said(settings, budget_usd=2)
    crews = bounds_said(settings, budget_usd=2, crew_budgets={"launch": Budget(usd=0.5)})
    assert "(of which launch $0.5)" in crews


def test_without_a_dollar_budget_the_tokens_at_the_dearest_price_bound_the_money(settings: Settings) -> None:
    # gpt-4o-mini: $0.60 for a million tokens written (openai.com/api/pricing).
    assert "at most $0.06 (all tokens at the dearest price" in bounds_said(settings, budget_tokens=100_000)


def test_a_model_without_a_known_price_is_pointed_out(settings: Settings) -> None:
    own = "http://127.0.0.1:1/v1"
    assert "money without a limit" in bounds_said(settings, url=own)
    assert "are refused: no price known here, see ZTS_PRICES" in bounds_said(settings, url=own, budget_usd=1)


def test_the_bill_stands_beside_the_budgets() -> None:
    bill = bill_of([LedgerEntry("1-0", 1, "model_call", 1, {**CALL, "crew": "LaunchCrew"})])
    record = record_of(budget_usd=2.0, crew_budgets={"launch": Budget(tokens=5000), "validator": Budget(usd=1)})
    assert bill.against(record) == (
        "$0.0125 for 1,200 tokens in 1 model call (at most $2); launch $0.0125 for 1,200 tokens in 1 model call "
        "(at most 5,000 tokens); validator $0.0000 for 0 tokens in 0 model calls (at most $1)"
    )
    assert bill_of([]).against(record_of(budget_tokens=1000)) == ""


def record_of(**budgets: Any) -> RunRecord:
    return RunRecord("r1", "t", "w", RunStatus.RUNNING, None, "", "d", 0, 0, 0, 50, 0, **budgets)


def test_the_bill_adds_up_the_calls_and_nothing_else() -> None:
    entries = [
        LedgerEntry("1-0", 1, "wave", 0, {}),
        LedgerEntry("2-0", 2, "model_call", 1, CALL),
        LedgerEntry("3-0", 3, "model_call", 2, {**CALL, "error": "ModelRateLimitError 429"}),
    ]
    bill = bill_of(entries)
    assert (bill.usd, bill.tokens, str(bill)) == (0.025, 2400, "$0.0250 for 2,400 tokens in 2 model calls")
    assert Narrator().tell(entries[2]).endswith("asked openai:m: 1200 tokens, $0.0125, ModelRateLimitError 429")
