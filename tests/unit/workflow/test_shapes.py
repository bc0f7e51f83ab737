"""Shapes: what a crew's output model says about each of its fields, however the model writes it."""

from __future__ import annotations

from datetime import date
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, computed_field

from zts_core.workflow.shapes import ALL_KINDS, FieldShape, gathered, shape_of


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Leafy(BaseModel):
    name: str
    inside: Leafy | None = None


class Output(BaseModel):
    number: float
    share: Annotated[float, Field(ge=0, le=1)]
    above: Annotated[int, Field(gt=0)]
    bounds: Annotated[float, Field(gt=-1, lt=1)] | Annotated[int, Field(ge=5, le=9)]
    half_bounded: Annotated[float, Field(ge=0)] | Annotated[int, Field(le=9)]
    flag: bool
    text: str
    maybe: str | None
    either: int | str
    word: Literal["a", "b"]
    maybe_word: Literal["a"] | None
    colour: Colour
    level: Level
    when: date
    leaf: Leafy
    leaves: list[Leafy]
    pair: tuple[int, str]
    few: Annotated[list[int], Field(max_length=3)]
    table: dict[str, Leafy]
    free: dict[str, Any]
    anything: Any

    @computed_field
    def total(self) -> int:
        return 0


SHAPE = shape_of("Crew", "out", Output)


def kinds(*names: str) -> FieldShape:
    return FieldShape(frozenset(names))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("number", kinds("number")),
        ("share", FieldShape(frozenset({"number"}), low=0, high=1)),
        ("above", FieldShape(frozenset({"number"}), low=0, low_open=True)),
        ("bounds", FieldShape(frozenset({"number"}), low=-1, low_open=True, high=9)),
        ("half_bounded", kinds("number")),
        ("flag", kinds("bool")),
        ("text", kinds("text")),
        ("maybe", kinds("text", "null")),
        ("either", kinds("number", "text")),
        ("word", FieldShape(frozenset({"text"}), choices=("a", "b"))),
        ("maybe_word", FieldShape(frozenset({"text", "null"}), choices=("a", None))),
        ("colour", FieldShape(frozenset({"text"}), choices=("red", "blue"))),
        ("level", FieldShape(frozenset({"number"}), choices=(1, 2))),
        ("when", kinds("text")),
        ("leaf", kinds("mapping")),
        ("leaf.name", kinds("text")),
        ("leaf.inside", kinds("mapping", "null")),
        ("leaf.inside.inside.name", kinds("text")),
        ("leaf.colour", None),
        ("leaves", kinds("list")),
        ("leaves.0.name", kinds("text")),
        ("leaves.name", None),
        ("pair.0", kinds("number")),
        ("pair.1", kinds("text")),
        ("few", FieldShape(frozenset({"list"}), most_items=3)),
        ("table", kinds("mapping")),
        ("table.any.name", kinds("text")),
        ("table.any.colour", None),
        ("free.what.ever", FieldShape(ALL_KINDS)),
        ("anything", FieldShape(ALL_KINDS)),
        ("anything.at.all", FieldShape(ALL_KINDS)),
        ("total", kinds("number")),
        ("text.length", None),
        ("nothing", None),
    ],
)
def test_a_field_s_shape_is_read_from_the_model(path: str, expected: FieldShape | None) -> None:
    assert SHAPE.field(path) == expected


def test_names_at_a_path_are_listed_for_suggestions() -> None:
    assert SHAPE.names("leaf") == ["inside", "name"]
    assert SHAPE.names("leaves.0") == ["inside", "name"]
    assert "total" in SHAPE.names()


def test_the_items_of_a_list_have_a_shape_of_their_own() -> None:
    items = SHAPE.items("leaves")
    assert items is not None
    assert items.field("inside.name") == kinds("text")
    assert SHAPE.items("text") is None


def test_a_foreach_s_list_holds_the_outputs_and_their_counts() -> None:
    listed = gathered(SHAPE)
    assert listed.names() == ["count", "failed", "items", "skipped"]
    assert listed.field("items") == kinds("list")
    assert listed.field("items.3.leaf.inside.name") == kinds("text")
    assert listed.field("count") == FieldShape(frozenset({"number"}), low=0)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("share", "a number, 0 ≤ x ≤ 1"),
        ("above", "a number, 0 < x"),
        ("word", "one of 'a', 'b'"),
        ("maybe", "a null or text"),
        ("anything", "anything"),
    ],
)
def test_a_shape_is_put_into_words(path: str, said: str) -> None:
    assert str(SHAPE.field(path)) == said
