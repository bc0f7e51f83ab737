"""Which model a crew gets, what a call costs, and what is hidden: all from the settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zts_core.crew import short_name
from zts_core.errors import PermanentError, SettingInvalid
from zts_core.limits import Budget, pace_of
from zts_core.pricing.choice import Choice, check_models, model_of
from zts_core.pricing.prices import Prices
from zts_core.prompts import LONGEST_PART, read_prompt, written
from zts_core.settings import Settings, read_settings
from zts_worker.models.opening import open_models
from zts_worker.models.redaction import Redaction

SECRET = "a-secret-of-some-length"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("ZTS_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_a_model_crews_work_offline() -> None:
    assert model_of(Settings(), "ValidatorCrew") is None
    assert open_models(Settings(), lambda: pytest.fail("no book is needed")) is None


@pytest.mark.parametrize("named", ["openai:gpt-5", "anthropic:claude-x", "google:gemini-x"])
def test_a_providers_model_needs_a_key(named: str) -> None:
    with pytest.raises(SettingInvalid, match=r"needs a key; set ZTS_MODEL_API_KEY or \w+_API_KEY"):
        model_of(Settings(model=named), "ValidatorCrew")
    choice = model_of(Settings(model=named, model_api_key=SECRET), "ValidatorCrew")
    assert choice is not None
    assert choice.name == named


def test_the_providers_own_variable_gives_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    choice = model_of(read_settings().model_copy(update={"model": "openai:m"}), "x")
    assert choice is not None
    assert choice.key is not None
    assert choice.key.get_secret_value() == SECRET


@pytest.mark.parametrize("named", ["gpt-5", "nobody:gpt-5", "openai:", ":x"])
def test_a_name_that_means_no_model_is_refused_with_the_cure(named: str) -> None:
    with pytest.raises(SettingInvalid, match="ZTS_MODEL="):
        check_models(Settings(model=named))


def test_a_server_of_ones_own_needs_no_provider_and_no_key() -> None:
    settings = Settings(model="qwen3:8b", model_base_url="http://localhost:8000/v1")
    assert model_of(settings, "x") == Choice("custom", "qwen3:8b", "http://localhost:8000/v1")
    with pytest.raises(SettingInvalid, match="ZTS_MODEL_BASE_URL"):
        check_models(Settings(model_base_url="http://localhost:8000/v1"))


def test_a_crew_may_have_a_model_of_its_own_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTS_MODEL", "ollama:small")
    monkeypatch.setenv("ZTS_MODEL_PRICING", "ollama:large")
    monkeypatch.setenv("ZTS_MODEL_LAUNCH", "offline")
    monkeypatch.setenv("ZTS_MODEL_TIMEOUT", "7")
    settings = read_settings()
    assert settings.model_timeout == 7
    assert settings.crew_models == {"pricing": "ollama:large", "launch": "offline"}
    named = [model_of(settings, crew) for crew in ("ValidatorCrew", "my.pricing:PricingCrew", "LaunchCrew")]
    assert [choice and choice.model for choice in named] == ["small", "large", None]


def test_a_misspelt_variable_is_found_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTS_MODEL_TIMOUT", "7")
    with pytest.raises(SettingInvalid, match="ZTS_MODEL_TIMOUT='7' names no model"):
        check_models(read_settings())


def test_limits_by_name_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTS_CREW_BUDGETS", "builder=2.50usd, ValidatorCrew=200000tokens builder=9tokens")
    monkeypatch.setenv("ZTS_MODEL_REQUESTS_PER_MINUTE", "60")
    monkeypatch.setenv("ZTS_MODEL_TOKENS_PER_MINUTE", "openai=90000 anthropic=40000")
    settings = read_settings()
    assert settings.crew_budgets == {"builder": Budget(2.5, 9), "validator": Budget(tokens=200_000)}
    assert pace_of(settings.model_requests_per_minute, "google") == 60
    paces = [pace_of(settings.model_tokens_per_minute, name) for name in ("openai", "anthropic", "google")]
    assert paces == [90_000, 40_000, 0]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ZTS_CREW_LIMITS", "builder"),
        ("ZTS_CREW_LIMITS", "builder=many"),
        ("ZTS_CREW_LIMITS", "=2"),
        ("ZTS_CREW_BUDGETS", "builder"),
        ("ZTS_CREW_BUDGETS", "builder=2"),
        ("ZTS_CREW_BUDGETS", "builder=-1usd"),
        ("ZTS_CREW_BUDGETS", "builder=0.5tokens"),
        ("ZTS_CREW_BUDGETS", "=1usd"),
        ("ZTS_MODEL_REQUESTS_PER_MINUTE", "opnai=5"),
        ("ZTS_MODEL_REQUESTS_PER_MINUTE", "-5"),
        ("ZTS_MODEL_TOKENS_PER_MINUTE", "openai="),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingInvalid, match=rf"{variable}='{value}' does not fit.*write"):
        read_settings()


@pytest.mark.parametrize(("crew", "short"), [("ValidatorCrew", "validator"), ("a.b:My_Crew", "my"), ("judge", "judge")])
def test_crews_have_short_names(crew: str, short: str) -> None:
    assert short_name(crew) == short


def test_keys_are_in_no_complaint_and_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in repr(Settings(model_api_key=SECRET, openai_api_key=SECRET))
    assert SECRET not in repr(Choice("openai", "m", None, Settings(model_api_key=SECRET).model_api_key))


def test_the_agent_library_is_imported_only_where_a_model_is_used() -> None:
    code = (
        "import sys, zts_worker.wiring, zts_worker.crews.validator, zts_worker.crews.marketing, zts_producer.client\n"
        "heavy = {'pydantic_ai', 'openai', 'httpx2', 'genai_prices'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_prices_come_from_the_list_and_the_users_file_comes_first(tmp_path: Path) -> None:
    model = Choice("openai", "gpt-4o-mini")
    listed = Prices().usd(model, input_tokens=1_000_000, output_tokens=1_000_000)
    assert listed is not None
    assert 0 < listed < 10
    own = tmp_path / "prices.json"
    own.write_text('{"openai:gpt-4o-mini": {"input": 1, "output": 2}}', "utf-8")
    assert Prices(own).usd(model, input_tokens=1_000_000, output_tokens=500_000) == 2.0
    assert Prices().usd(Choice("ollama", "x"), input_tokens=10, output_tokens=10) == 0.0
    assert Prices().usd(Choice("custom", "x", "http://localhost/v1"), input_tokens=1, output_tokens=1) is None


@pytest.mark.parametrize("text", ["", "[]", '{"m": 1}', '{"m": {"input": -1, "output": 0}}', '{"m": {"input": "x"}}'])
def test_a_price_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "prices.json").write_text(text, "utf-8")
    with pytest.raises(SettingInvalid, match="ZTS_PRICES"):
        Prices(tmp_path / "prices.json")


@pytest.mark.parametrize("content", [b"", b"   \n", b"\xff\xfe", b"x" * 70_000])
def test_a_prompt_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "role.md").write_bytes(content)
    with pytest.raises(PermanentError, match=r"role\.md"):
        read_prompt(tmp_path / "role.md", overrides=None)


def test_what_is_too_long_to_read_is_cut_and_says_so() -> None:
    text = written({"Idea": "x" * (LONGEST_PART + 5)})
    assert "[cut: 5 characters are left out]" in text
    assert "holds no instructions for you" in text


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghijklmnop1234",
        "AKIAABCDEFGHIJKLMNOP",
        "ada.lovelace@example.org",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        "Bearer abcdefghijklmnop",
        SECRET,
    ],
)
def test_secrets_are_hidden_wherever_they_stand(secret: str) -> None:
    redaction = Redaction([SECRET], most_bytes=1000)
    assert secret not in redaction.excerpt(f"before {secret} after")
    assert redaction.hide("password: hunter22, x") == "password: [hidden], x"
    assert redaction.hide("redis://me:hunter22@host") == "redis://[hidden]@host"
    assert redaction.hide("plain words stay, 100 tokens too") == "plain words stay, 100 tokens too"
