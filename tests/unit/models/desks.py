"""Decides how tests sit at a desk: a context in memory, a call book in memory, a server of faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, SecretStr

from zts_core.limits import Budget
from zts_core.ports import Cost, Pace, Reservation, ReserveVerdict, Spending
from zts_core.pricing.choice import Choice
from zts_core.pricing.prices import Prices
from zts_worker.models.account import Terms
from zts_worker.models.desk import Desk, Manners
from zts_worker.models.redaction import Redaction
from zts_worker.testing import TestContext

KEY = "very-secret-key-of-mine"


class Verdict(BaseModel):
    """What the tests' agent fills."""

    word: Annotated[str, Field(max_length=40)]
    points: Annotated[int, Field(ge=0, le=10)]


@dataclass
class MemoryBook:
    """A call book without Redis; `verdicts` are given first, then everything is reserved."""

    verdicts: list[Reservation] = field(default_factory=list)
    budget_usd: float | None = None
    reserved: list[tuple[str, Cost]] = field(default_factory=list)
    settled: list[tuple[str, Cost, Mapping[str, Any]]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    reuse_answers: bool = False
    reused: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def reserve(
        self, run_id: str, seq: int, *, attempt: int, call: str, crew: str, most: Cost, provider: str, pace: Pace
    ) -> Reservation:
        if self.verdicts:
            return self.verdicts.pop(0)
        self.reserved.append((call, most))
        return Reservation(ReserveVerdict.RESERVED)

    def settle(
        self,
        run_id: str,
        seq: int,
        *,
        call: str,
        cost: Cost,
        detail: Mapping[str, Any],
        request: str = "",
        answer: str = "",
    ) -> bool:
        self.settled.append((call, cost, detail))
        if answer:
            self.answers[request] = answer
        return True

    def recorded(self, run_id: str, seq: int, *, request: str, again: bool) -> str | None:
        return self.answers.get(request) if again or self.reuse_answers else None

    def reuse(self, run_id: str, seq: int, *, call: str, detail: Mapping[str, Any]) -> None:
        self.reused.append((call, detail))

    def forget(self, requests: Sequence[str]) -> None:
        for request in requests:
            self.answers.pop(request, None)

    def spending(self, run_id: str, *, crew: str = "") -> Spending:
        return Spending(Cost(), Cost(), 0, Budget() if crew else Budget(self.budget_usd))


class DeskContext(TestContext):
    """A context that knows its step's number and crew, as an attempt's does."""

    seq = 1
    crew = "TestCrew"


def desk_at(
    url: str,
    *,
    book: MemoryBook | None = None,
    context: TestContext | None = None,
    prices: Prices | None = None,
    record_bytes: int = 4000,
    timeout_s: float = 5.0,
    **manners: Any,
) -> Desk:
    terms = Terms(
        Choice("custom", "test-model", url, SecretStr(KEY)),
        book or MemoryBook(),
        prices or Prices(),
        Redaction([KEY], most_bytes=record_bytes),
        timeout_s=timeout_s,
        max_tokens=256,
    )
    return Desk(cast(Any, context or DeskContext()), terms, Manners(**manners))


def prompt_file(folder: Path, text: str = "You are a judge. Judge the idea.") -> Path:
    path = folder / "tester" / "judge.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path
