"""Crews by name: announced ones, dotted paths, and everything that can be wrong with either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from zts_core.catalogue import SHAPES, CrewInvalid, find_crew, find_shape, list_crews, shapes_as_they_are
from zts_core.errors import BadInput

HERE = __name__


class PricingOutput(BaseModel):
    price: float


class PricingCrew:
    name = "PricingCrew"
    namespace = "pricing"
    Output = PricingOutput

    def run(self, context: object) -> PricingOutput:
        return PricingOutput(price=1)


class HalfACrew:
    name = "HalfACrew"
    namespace = "Pricing"


NOT_A_CLASS = 7


def test_the_ten_crews_are_announced() -> None:
    assert len(list_crews()) == 10
    assert list(list_crews()) == sorted(list_crews())


def test_a_crew_is_found_by_its_dotted_path() -> None:
    assert find_crew(f"{HERE}:PricingCrew") is PricingCrew
    shape = find_shape(f"{HERE}:PricingCrew")
    assert shape.namespace == "pricing"
    assert shape.names() == ["price"]


def test_what_is_kept_of_our_own_crews_is_what_they_say() -> None:
    kept = json.loads(SHAPES.read_text("utf-8"))
    assert kept == shapes_as_they_are(), "make it anew: python -m zts_core.catalogue"
    assert sorted(kept) == list(list_crews())


def test_a_crew_is_found_by_its_announced_name() -> None:
    assert find_crew("ValidatorCrew").namespace == "validation"
    assert find_shape("ValidatorCrew").field("confidence") is not None


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("ValidaterCrew", ["no crew is called ValidaterCrew", "did you mean ValidatorCrew"]),
        ("zzz", ["package.module:Class"]),
        ("nowhere.at_all:Crew", ["ModuleNotFoundError", "install its package"]),
        (f"{HERE}:Nothing", ["AttributeError", "Nothing"]),
        (f"{HERE}:", ["package.module:Class"]),
        ("../evil:Crew", ["package.module:Class"]),
        (f"{HERE}:NOT_A_CLASS", ["is 7", "name a class"]),
        (f"{HERE}:HalfACrew", ["a `namespace`", "an `Output`", "a method `run(context)`"]),
        (f"{HERE}:PricingOutput", ["a `name`"]),
    ],
)
def test_what_is_no_crew_is_told(name: str, fragments: list[str]) -> None:
    with pytest.raises(CrewInvalid) as raised:
        find_crew(name)
    assert isinstance(raised.value, BadInput)
    for fragment in fragments:
        assert fragment in str(raised.value)


def test_a_module_that_fails_while_it_is_imported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zts_falling_over.py").write_text("raise RuntimeError('not today')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CrewInvalid, match="RuntimeError: not today"):
        find_crew("zts_falling_over:Crew")
