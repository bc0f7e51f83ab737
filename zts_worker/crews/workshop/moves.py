"""Decides which moves an agent can make, as the answer it fills each time it is asked: one move, with its reason.

A move is an answer and not a provider's tool call: so it works with any model that can fill a schema, every move is
paid for, checked and repaired like every other answer, and a repeated attempt goes through the same moves unpaid.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zts_worker.crews.team import Filled, Line

Path = Annotated[str, Field(min_length=1, max_length=120)]
CodeLine = Annotated[str, Field(max_length=200)]
"""Code comes line by line: an indent is seen, and a model that enforces a schema can bound it."""


class List(Filled):
    """Show all files."""

    tool: Literal["list"]


class Read(Filled):
    """Show a file from a line on."""

    tool: Literal["read"]
    path: Path
    first_line: Annotated[int, Field(ge=1, le=100_000)]


class Write(Filled):
    """Make a file, or replace all of it."""

    tool: Literal["write"]
    path: Path
    lines: Annotated[list[CodeLine], Field(max_length=240)]


class Replace(Filled):
    """Put lines in the place of lines that are in the file once."""

    tool: Literal["replace"]
    path: Path
    find: Annotated[list[CodeLine], Field(min_length=1, max_length=40)]
    lines: Annotated[list[CodeLine], Field(max_length=120)]


class Test(Filled):
    """Run all tests."""

    __test__ = False
    tool: Literal["test"]


class Done(Filled):
    """End: the task is carried out, or cannot be."""

    tool: Literal["done"]
    summary: Line


class Move(Filled):
    """The next move."""

    why: Line
    move: List | Read | Write | Replace | Test | Done


class Look(Filled):
    """The next move of one who only looks."""

    why: Line
    move: List | Read | Done


BUILDING = ("list", "read", "write", "replace", "test", "done")
LOOKING = ("list", "read", "done")
