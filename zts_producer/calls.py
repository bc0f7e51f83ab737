"""Decides what is said of a run's model calls: each of them, and what they cost together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zts_core.ports import LedgerEntry

KIND = "model_call"


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

    def __str__(self) -> str:
        calls = "1 model call" if len(self.calls) == 1 else f"{len(self.calls)} model calls"
        return f"${self.usd:.4f} for {self.tokens:,} tokens in {calls}"


def bill_of(ledger: Iterable[LedgerEntry]) -> Bill:
    """The bill as the ledger has it."""
    return Bill(tuple({"seq": e.seq, "at_ms": e.at_ms, **e.detail} for e in ledger if e.kind == KIND))
