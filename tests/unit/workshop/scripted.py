"""Agents that say what a test has written down for them, role by role, in order; the last answer is said for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.crew import Assignment

Result = TypeVar("Result", bound=BaseModel)


class Script:
    """`Models` from lists of answers; an exception in a list is raised."""

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        self._answers = {role: list(said) for role, said in answers.items()}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def ask(self, assignment: Assignment[Result]) -> Result:
        role = f"{assignment.prompt.parent.name}/{assignment.prompt.stem}"
        self.asked.append((role, assignment.given))
        said = self._answers[role]
        answer = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(answer, BaseException):
            raise answer
        return assignment.answer.model_validate(answer)

    def given(self, role: str) -> list[Mapping[str, Any]]:
        """What a role was given to read, each time."""
        return [given for asked, given in self.asked if asked == role]


def move(tool: str, **fields: Any) -> dict[str, Any]:
    """A move as an agent answers it."""
    return {"why": "because", "move": {"tool": tool, **fields}}


DONE = move("done", summary="It is done.")
