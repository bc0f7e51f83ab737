"""Decides how limits by name are spelled: a crew's budget, a provider's pace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from zts_core.crew import short_name

LARGEST = 1_000_000_000
MOST_SLOTS = 100_000
"""The largest limit of a crew's steps at work; more is no limit."""
PROVIDERS = ("openai", "anthropic", "google", "ollama")
OWN_SERVER = "custom"
"""What the provider behind `ZTS_MODEL_BASE_URL` is called."""
EVERYBODY = ""
"""Stands for every provider that is not named."""

_AMOUNT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(usd|tokens)")
_BETWEEN = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Budget:
    """Most that model calls may cost, in dollars and in tokens (read and written together); None for no limit."""

    usd: float | None = None
    tokens: int | None = None

    def __str__(self) -> str:
        parts = [
            *([f"${self.usd:g}"] if self.usd is not None else []),
            *([f"{self.tokens:,} tokens"] if self.tokens is not None else []),
        ]
        return " and ".join(parts)


@dataclass(frozen=True)
class SizeLimits:
    """Most bytes of an output as JSON, of one file, and of all outputs and files of a run."""

    output: int = 16 * 2**20
    file: int = 256 * 2**20
    run: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class MoreBudget:
    """Limits that replace a run's own, for the run as a whole and by a crew's short name; None keeps what is."""

    usd: float | None = None
    tokens: int | None = None
    crews: Mapping[str, Budget] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.usd is not None or self.tokens is not None or bool(self.crews)


def crew_budgets(texts: Iterable[str]) -> dict[str, Budget]:
    """`builder=2.50usd` and `builder=200000tokens` as budgets by a crew's short name; ValueError says what is wrong."""
    found: dict[str, Budget] = {}
    for text in texts:
        crew, sign, amount = text.partition("=")
        match = _AMOUNT.fullmatch(amount.strip().lower())
        name = short_name(crew.strip())
        if not (sign and name and match):
            raise ValueError(f"{text!r} is no crew's budget; write crew=2.50usd or crew=200000tokens")
        number = float(match[1])
        if not 0 <= number <= LARGEST or (match[2] == "tokens" and number % 1):
            raise ValueError(
                f"{amount!r} in {text!r} is too large, or a part of a token; write crew=2.50usd or crew=200000tokens"
            )
        change = {"usd": number} if match[2] == "usd" else {"tokens": int(number)}
        found[name] = replace(found.get(name, Budget()), **change)
    return found


def crew_limits(text: str) -> dict[str, int]:
    """`builder=2 pricing=1` as a number by a crew's short name, 0 for no limit; ValueError says what is wrong."""
    found: dict[str, int] = {}
    for part in words(text):
        crew, _, number = part.rpartition("=")
        name = short_name(crew)
        if not name or not number.isdecimal() or int(number) > MOST_SLOTS:
            raise ValueError(
                f"{part!r} is no crew's limit; write crew=2, or crew=0 for no limit (at most {MOST_SLOTS})"
            )
        found[name] = int(number)
    return found


def per_provider(text: str) -> dict[str, int]:
    """`60`, or `openai=500 anthropic=50`, as a number by provider; ValueError says what is wrong."""
    found: dict[str, int] = {}
    for part in words(text):
        name, sign, number = part.rpartition("=")
        if not number.isdecimal() or int(number) > LARGEST or (sign and name not in (*PROVIDERS, OWN_SERVER)):
            raise ValueError(
                f"{part!r} is no limit; write a number, or provider=number with one of "
                f"{', '.join((*PROVIDERS, OWN_SERVER))}"
            )
        found[name] = int(number)
    return found


def words(text: str) -> list[str]:
    """The parts of a list that is written with spaces or commas."""
    return [part for part in _BETWEEN.split(text.strip()) if part]


def pace_of(limits: Mapping[str, int], provider: str) -> int:
    """The limit of a provider: its own, else everybody's, else 0 for none."""
    return limits.get(provider, limits.get(EVERYBODY, 0))
