"""A fan-out's list is read once per process, and no crew can change it for the next."""

from __future__ import annotations

from typing import Any

from zts_core.workflow.conditions import MISSING
from zts_worker.step_context import FanOutLists


class Source:
    def __init__(self, found: Any) -> None:
        self.found = found
        self.reads = 0

    def __call__(self) -> Any:
        self.reads += 1
        return self.found


def test_a_list_is_read_once_for_all_its_items() -> None:
    lists, source = FanOutLists(), Source([{"n": number} for number in range(5)])
    assert [lists.item("r", "1 tasks", index, read=source) for index in range(5)] == source.found
    assert source.reads == 1


def test_what_a_crew_does_to_its_item_stays_its_own() -> None:
    lists, source = FanOutLists(), Source([{"n": []}])
    lists.item("r", "1 tasks", 0, read=source)["n"].append("changed")
    assert lists.item("r", "1 tasks", 0, read=source) == {"n": []}


def test_other_runs_and_other_places_have_lists_of_their_own() -> None:
    lists = FanOutLists()
    found = [lists.item(run, place, 0, read=Source([run + place])) for run in "ab" for place in "xy"]
    assert found == ["ax", "ay", "bx", "by"]


def test_only_the_last_few_are_kept() -> None:
    lists, first = FanOutLists(most=2), Source(["first"])
    lists.item("r", "1", 0, read=first)
    for place in "23":
        lists.item("r", place, 0, read=Source([place]))
    assert lists.item("r", "1", 0, read=first) == "first"
    assert first.reads == 2


def test_an_item_or_a_list_that_is_not_there_is_missing() -> None:
    assert FanOutLists().item("r", "1", 7, read=Source([1])) is MISSING
    assert FanOutLists().item("r", "1", 0, read=Source(MISSING)) is MISSING
