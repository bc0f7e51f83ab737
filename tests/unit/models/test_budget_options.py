"""Budgets from the command line to the run, and calls from the ledger to the eye."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zts_core.errors import BadInput
from zts_core.ports import LedgerEntry
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


def test_the_bill_adds_up_the_calls_and_nothing_else() -> None:
    entries = [
        LedgerEntry("1-0", 1, "wave", 0, {}),
        LedgerEntry("2-0", 2, "model_call", 1, CALL),
        LedgerEntry("3-0", 3, "model_call", 2, {**CALL, "error": "ModelRateLimitError 429"}),
    ]
    bill = bill_of(entries)
    assert (bill.usd, bill.tokens, str(bill)) == (0.025, 2400, "$0.0250 for 2,400 tokens in 2 model calls")
    assert Narrator().tell(entries[2]).endswith("asked openai:m: 1200 tokens, $0.0125, ModelRateLimitError 429")
