"""Decides what the teams of the shipped crews have in common: bounded answers, their prompts, and what they may read.

Every text and list an agent fills has a length limit: providers that enforce a schema need it, and no answer is long
for nothing. Scores are choices, because bounds on numbers are not enforced while a model writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from zts_core.crew import Models, Role, StepContext

PROMPTS = Path(__file__).parent / "prompts"
Line = Annotated[str, Field(min_length=1, max_length=160)]
Sentence = Annotated[str, Field(min_length=1, max_length=320)]
Paragraph = Annotated[str, Field(min_length=1, max_length=900)]
Points = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
NOT_CHECKED = "Written by a language model: facts about the world outside the idea were not checked."


class Filled(BaseModel):
    """What an agent fills."""

    model_config = ConfigDict(extra="forbid")


Result = TypeVar("Result", bound=BaseModel)


def role(
    name: str,
    task: str,
    answer: type[Result],
    *,
    reads: tuple[str, ...] = (),
    tools: tuple[str, ...] = (),
    most_calls: int = 1,
) -> Role[Result]:
    """A role of a shipped crew; `name`, such as `validator/analyst`, is its prompt's place too."""
    return Role(PROMPTS / f"{name}.md", task, answer, reads, tools, most_calls)


def ask(
    models: Models,
    role: Role[Result],
    given: Mapping[str, Any],
    *,
    check: Callable[[Result], object] | None = None,
) -> Result:
    """The answer of one role on what it is given to read."""
    return models.ask(role.assignment(given, check=check))


def readable(context: StepContext, role: Role[Any], *, rules: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a role may read: the idea, what the rules found in it, and the earlier outputs it is allowed."""
    given: dict[str, Any] = {"Idea": context.idea}
    if rules:
        given["What the rules found"] = rules
    for namespace in role.reads:
        if (output := context.earlier(namespace)) is not None:
            given[f"Earlier: {namespace}"] = {name: value for name, value in output.items() if name != "files"}
    return given
