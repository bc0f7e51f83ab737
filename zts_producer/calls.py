"""Decides what is said of a run's model calls: each of them, and what they cost together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zts_core.crew import short_name
from zts_core.limits import Budget
from zts_core.ports import LedgerEntry, RunRecord

KIND = "model_call"
_UNSAID = {"reused": False, "error": "", "asked": "", "answered": ""}
"""What a call's line in the ledger leaves out where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A run's model calls in the order they ended: each one's detail, with its step (`seq`) and time (`at_ms`)."""

    calls: tuple[Mapping[str, Any], ...]

    @property
    def usd(self) -> float:
        """Dollars of all calls."""
        return sum(float(call["usd"]) for call in self.calls)

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return sum(int(call["tokens"]) for call in self.calls)

    @property
    def reused(self) -> int:
        """How many of them took a recorded answer and cost nothing."""
        return sum(bool(call.get("reused")) for call in self.calls)

    def of_crew(self, crew: str) -> Bill:
        """The part of one crew, by its short name."""
        return Bill(tuple(call for call in self.calls if short_name(str(call.get("crew", ""))) == crew))

    def __str__(self) -> str:
        paid = len(self.calls) - self.reused
        calls = "1 model call" if paid == 1 else f"{paid} model calls"
        reused = f", {self.reused} answered before" if self.reused else ""
        return f"${self.usd:.4f} for {self.tokens:,} tokens in {calls}{reused}"

    def against(self, record: RunRecord) -> str:
        """The bill beside the budgets of its run and of its crews; empty where there is neither."""
        if not (self.calls or record.crew_budgets or record.budget_usd is not None):
            return ""
        whole = Budget(record.budget_usd, record.budget_tokens)
        crews = [f"{name} {self.of_crew(name)}{_of(budget)}" for name, budget in sorted(record.crew_budgets.items())]
        return "; ".join([f"{self}{_of(whole)}", *crews])


def _of(budget: Budget) -> str:
    return f" (at most {budget})" if str(budget) else ""


def bill_of(ledger: Iterable[LedgerEntry]) -> Bill:
    """The bill as the ledger has it."""
    return Bill(tuple({**_UNSAID, "seq": e.seq, "at_ms": e.at_ms, **e.detail} for e in ledger if e.kind == KIND))
