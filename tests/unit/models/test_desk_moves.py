"""An agent with tools behind a real desk, and a server that answers badly: bounded, paid for, and a clear end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.models.desks import DeskContext, MemoryBook, desk_at
from tests.unit.models.fault_server import Behaviour, fails, floods, hangs, raw, says, serving
from tests.unit.workshop.scripted import DONE, move
from zts_core.errors import PermanentError, StepAbandoned, TransientError
from zts_worker.crews.builder_team import ENGINEER
from zts_worker.crews.workshop.improving import Improved, Proof, Site, Task, improve

FILES = {"app/a.py": b"one\n"}
WRITE = move("write", path="app/a.py", lines=["two"])
TOOL_CALL = {"id": "t1", "type": "function", "function": {"name": "rm_rf", "arguments": '{"path": "/"}'}}


def worked(url: str, book: MemoryBook, *, attempt: int = 1, **manners: Any) -> Improved:
    context = DeskContext(attempt=attempt)
    site = Site(
        ENGINEER, is_kept=lambda _: False, prove=lambda _: Proof(), test=lambda _: "0 of 0 tests hold", given={}
    )
    desk = desk_at(url, book=book, context=context, **manners)
    return improve(desk, context, site, FILES, [Task("Say two", "")])


def test_moves_come_through_the_desk_and_each_is_paid_for() -> None:
    book = MemoryBook()
    with serving(says(move("list")), says(WRITE), says(DONE)) as server:
        done = worked(server.url, book)
    assert (done.files, done.outcomes[0].kept) == ({"app/a.py": b"two\n"}, True)
    assert len(book.reserved) == len(book.settled) == 3
    assert {detail["prompt"] for _, _, detail in book.settled} == {"builder/engineer"}
    assert "app/a.py (4 bytes)" in json.dumps(server.asked[1]["messages"])


@pytest.mark.parametrize(
    "nonsense",
    [
        says("I would list the files."),
        says(move("rm", path="/")),
        says(move("write", path="x" * 500, lines=["x"])),
        says(move("write", path="app/a.py", lines=["x"] * 500)),
        says("", tool_calls=[TOOL_CALL], finish_reason="tool_calls"),
        raw(b"{}"),
        fails(400),
    ],
)
def test_nonsense_is_repaired_a_bounded_number_of_times_and_then_leaves_what_was_there(nonsense: Behaviour) -> None:
    book = MemoryBook()
    with serving(nonsense) as server:
        done = worked(server.url, book, repairs=2)
        assert len(server.asked) <= 3
    assert done.files == FILES
    assert "custom:test-model" in done.outcomes[0].reason
    assert len(book.reserved) == len(book.settled) == len(server.asked)


def test_one_nonsense_move_is_repaired_and_the_work_goes_on() -> None:
    with serving(says(WRITE), says("?"), says(DONE)) as server:
        assert worked(server.url, MemoryBook()).outcomes[0].kept
    assert len(server.asked) == 3


def test_a_tool_that_is_called_for_ever_is_called_as_often_as_is_allowed() -> None:
    book = MemoryBook()
    with serving(says(move("test"))) as server:
        done = worked(server.url, book)
    assert len(server.asked) == len(book.settled) == ENGINEER.most_calls
    assert done.files == FILES


def test_a_flood_is_cut_off_and_leaves_what_was_there() -> None:
    with serving(says(WRITE), says(DONE), floods) as server:
        done = worked(server.url, MemoryBook(), answer_bytes=100_000)
        assert done.files == {"app/a.py": b"two\n"}
    with serving(floods) as server:
        done = worked(server.url, MemoryBook(), answer_bytes=100_000)
    assert (done.files, "more than 100000 bytes" in done.outcomes[0].reason) == (FILES, True)


@pytest.mark.parametrize(
    ("behaviour", "timeout_s", "error", "said"),
    [
        (hangs, 0.3, TransientError, "in time"),
        (fails(429), 30.0, TransientError, "429"),
        (fails(401), 30.0, PermanentError, "key"),
    ],
)
def test_what_is_not_the_models_weakness_fails_the_step_clearly(
    behaviour: Behaviour, timeout_s: float, error: type[Exception], said: str
) -> None:
    with serving(says(WRITE), behaviour) as server, pytest.raises(error, match=said):
        worked(server.url, MemoryBook(), timeout_s=timeout_s)


def test_an_attempt_that_lost_its_step_moves_no_further() -> None:
    class Lost(MemoryBook):
        def reserve(self, *args: Any, **named: Any) -> Any:
            if self.reserved:
                raise StepAbandoned("lost")
            return super().reserve(*args, **named)

    with serving(says(move("list"))) as server, pytest.raises(StepAbandoned):
        worked(server.url, Lost())
    assert len(server.asked) == 1


def test_a_repeated_attempt_makes_the_same_moves_and_pays_only_for_what_is_new() -> None:
    book = MemoryBook()
    with serving(says(move("list")), says(WRITE), says(DONE)) as server:
        first = worked(server.url, book)
        again = worked(server.url, book, attempt=2)
    assert (first.files, len(server.asked)) == (again.files, 3)
    assert len(book.reserved) == 3
