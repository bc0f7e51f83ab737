"""A crew written with crewai, run as one of ours: with a stand-in everywhere, with the real package where it is there.

To run both: python -m venv v && v/bin/pip install -e '.[crewai]' pytest pytest-timeout pytest-xdist &&
v/bin/pip install 'pydantic-ai-slim[openai]' && v/bin/pytest tests/unit/crewai_crews
"""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, Field

from tests.unit.crewai_crews import stand_in
from tests.unit.models.desks import DeskContext, MemoryBook, desk_at
from tests.unit.models.fault_server import Behaviour, fails, hangs, says, serving
from zts_core.errors import AgentFailed, BudgetExceeded, PermanentError, StepAbandoned, TransientError
from zts_core.ports import Reservation, ReserveVerdict
from zts_worker.crews import crewai_adapter
from zts_worker.crews.crewai_adapter import CrewAICrew, output_of, plain
from zts_worker.testing import run_crew

REAL = importlib.util.find_spec("crewai") is not None
FOUND = "Thought: I now can give a great answer\nFinal Answer: Bakers pay 5 euros."
PRICE = 'Thought: I now can give a great answer\nFinal Answer: {"monthly_eur": 5, "reason": "bakers"}'


class Price(BaseModel):
    monthly_eur: Annotated[float, Field(ge=0)]
    reason: str


class PricingCrew(CrewAICrew):
    """Two agents of crewai that find a price."""

    name: ClassVar[str] = "PricingCrew"
    namespace: ClassVar[str] = "pricing"
    Output = Price

    def crew(self, llm: Any, context: Any) -> Any:
        from crewai import Agent, Crew, Task

        scout = Agent(role="Scout", goal="Know who pays", backstory="You ask people.", llm=llm)
        clerk = Agent(role="Clerk", goal="Name a price", backstory="You are careful.", llm=llm)
        look = Task(description="Who pays for: {idea}", expected_output="A sentence.", agent=scout)
        name = Task(description="Name a price.", expected_output="JSON.", agent=clerk, output_pydantic=Price)
        return Crew(agents=[scout, clerk], tasks=[look, name], verbose=False)


ITS_OWN = (pytest.mark.crewai, pytest.mark.filterwarnings("default"))


@pytest.fixture(params=["stand-in", *([pytest.param("real", marks=ITS_OWN)] if REAL else [])], autouse=True)
def crewai(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_TRACING_ENABLED", "CREWAI_DISABLE_VERSION_CHECK"):
        monkeypatch.setenv(name, "")
    crewai_adapter._llm_class.cache_clear()
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "crewai", stand_in.module())


def priced(
    *behaviours: Behaviour, crew: type[CrewAICrew] = PricingCrew, book: MemoryBook | None = None, **more: Any
) -> Any:
    context = DeskContext(idea="A log for bakers.", timeout=60)
    try:
        with serving(*behaviours) as server:
            context.models = desk_at(server.url, book=book or MemoryBook(), context=context, **more)
            return run_crew(crew, context), server
    finally:
        context.close()


def test_its_agents_ask_through_the_desk_and_its_last_task_fills_the_output() -> None:
    book = MemoryBook()
    output, server = priced(says(FOUND, read=40, wrote=9), says(PRICE, read=50, wrote=9), book=book)
    assert output == Price(monthly_eur=5, reason="bakers")
    assert [detail["prompt"] for _, _, detail in book.settled] == ["PricingCrew/Scout", "PricingCrew/Clerk"]
    assert [cost.tokens for _, cost, _ in book.settled] == [49, 59]
    assert len(book.reserved) == 2
    assert "Who pays for: A log for bakers." in str(server.asked[0])
    assert "Bakers pay 5 euros." in str(server.asked[1])
    assert server.asked[0]["messages"][0]["role"] == "system"


def test_nothing_is_told_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    connect = socket.socket.connect

    def noted(own: socket.socket, address: Any) -> None:
        called.append(address)
        connect(own, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    priced(says(FOUND), says(PRICE))
    assert {str(address[0]) for address in called if isinstance(address, tuple)} <= {"127.0.0.1"}
    assert os.environ["CREWAI_DISABLE_TELEMETRY"] == "true"
    assert os.environ["CREWAI_TRACING_ENABLED"] == "false"


def test_a_call_that_would_pass_the_budget_is_not_made_and_ends_the_crew() -> None:
    book = MemoryBook(verdicts=[Reservation(ReserveVerdict.OVER_BUDGET, used="$0.9 of $1")])
    with pytest.raises(BudgetExceeded, match="--budget-usd"):
        priced(says(FOUND), book=book)
    assert book.settled == []


@pytest.mark.parametrize(
    ("behaviour", "error", "said"),
    [
        (fails(429, retry_after="7"), TransientError, "429"),
        (fails(401), PermanentError, "key"),
        (hangs, TransientError, "in time"),
        (says(""), AgentFailed, "without words"),
    ],
)
def test_what_fails_at_the_desk_fails_the_step_with_the_same_error(
    behaviour: Behaviour, error: type[Exception], said: str
) -> None:
    book = MemoryBook()
    with pytest.raises(error, match=said):
        priced(behaviour, book=book, timeout_s=0.5)
    assert len(book.reserved) == 1, "crewai's own retries ask nobody"


def test_a_cancel_ends_it_between_two_calls() -> None:
    class Cancelled(PricingCrew):
        def crew(self, llm: Any, context: Any) -> Any:
            context.cancelled = True
            return super().crew(llm, context)

    with pytest.raises(StepAbandoned):
        priced(says(FOUND), crew=Cancelled)


def test_agents_that_ask_for_ever_are_stopped() -> None:
    class Chatty(PricingCrew):
        most_calls: ClassVar[int] = 1

    book = MemoryBook()
    with pytest.raises(AgentFailed, match="asked its model 1 times"):
        priced(says(FOUND), says(PRICE), crew=Chatty, book=book)
    assert len(book.reserved) == 1


def test_a_model_of_its_own_and_memory_are_no_way_around_the_budget() -> None:
    class Own(PricingCrew):
        def crew(self, llm: Any, context: Any) -> Any:
            made = super().crew(llm, context)
            for agent in made.agents:
                agent.function_calling_llm = type(llm)(model="own")
                agent.llm = type(llm)(model="own")
            return made

    assert priced(says(FOUND), says(PRICE), crew=Own)[0].monthly_eur == 5

    class Remembering(PricingCrew):
        def crew(self, llm: Any, context: Any) -> Any:
            made = super().crew(llm, context)
            made.memory = True
            return made

    with pytest.raises(PermanentError, match="memory"):
        priced(says(FOUND), crew=Remembering)


def test_without_a_model_it_says_what_it_needs() -> None:
    with pytest.raises(PermanentError, match="set ZTS_MODEL"):
        run_crew(PricingCrew)


def test_without_crewai_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crewai", None)
    with pytest.raises(PermanentError, match=r"pip install 'zerotoship\[crewai\]'"):
        priced(says(FOUND))


@pytest.mark.parametrize(
    ("result", "price"),
    [
        (stand_in.Result("x", Price(monthly_eur=1, reason="r")), 1),
        (stand_in.Result("x", None, {"monthly_eur": 2, "reason": "r"}), 2),
        (stand_in.Result('Here: {"monthly_eur": 3, "reason": "r"} done'), 3),
    ],
)
def test_an_output_is_found_as_model_json_or_text(result: Any, price: int) -> None:
    assert output_of(result, Price, name="PricingCrew").model_dump()["monthly_eur"] == price


@pytest.mark.parametrize("raw", ["five euros", '{"monthly_eur": -1, "reason": "r"}', ""])
def test_an_output_that_is_none_fails_with_the_cure(raw: str) -> None:
    with pytest.raises(AgentFailed, match="output_pydantic=Price"):
        output_of(stand_in.Result(raw), Price, name="PricingCrew")


def test_messages_of_all_shapes_become_plain_ones() -> None:
    said = [{"role": "tool", "content": None}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}]
    assert plain("hello") == [{"role": "user", "content": "hello"}]
    assert plain(said) == [{"role": "user", "content": ""}, {"role": "assistant", "content": "a"}]
