"""Decides what a scripted model says in tests of crews: what the author wrote down, role by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.crew import Assignment, Message
from zts_core.errors import AgentFailed

Result = TypeVar("Result", bound=BaseModel)


class ScriptedModels:
    """`Models` in memory: `answers` by role (`slogan/writer`), one for every time, or a list gone through in order.

    The last answer of a list is given for ever; an exception is raised. An answer that the crew's `check` refuses is
    followed by the next one, as a real model would repair it; `refused` holds the complaints. `asked` holds all
    assignments, `roles` their roles.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = {role: list(said) if isinstance(said, list) else [said] for role, said in answers.items()}
        self.asked: list[Assignment[Any]] = []
        self.refused: list[str] = []

    def ask(self, assignment: Assignment[Result]) -> Result:
        """The next answer of the role that passes its check; AgentFailed where none is left that does."""
        self.asked.append(assignment)
        while True:
            last = len(self._said(_role(assignment))) == 1
            answer = assignment.answer.model_validate(self._next(_role(assignment)))
            try:
                if assignment.check:
                    assignment.check(answer)
            except ValueError as complaint:
                self.refused.append(str(complaint))
                if last:
                    raise AgentFailed(f"{_role(assignment)} gave no valid answer: {complaint}") from None
            else:
                return answer

    def talk(self, speaker: str, _messages: Sequence[Message]) -> str:
        """The next words of a speaker."""
        return str(self._next(speaker))

    @property
    def roles(self) -> list[str]:
        """Who was asked, in order."""
        return [_role(assignment) for assignment in self.asked]

    def given(self, role: str) -> list[Mapping[str, Any]]:
        """What a role was given to read, each time."""
        return [assignment.given for assignment in self.asked if _role(assignment) == role]

    def _said(self, role: str) -> list[Any]:
        if role not in self._answers:
            raise AssertionError(f"nothing is written down for {role}; give ScriptedModels an answer for it")
        return self._answers[role]

    def _next(self, role: str) -> Any:
        said = self._said(role)
        answer = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _role(assignment: Assignment[Any]) -> str:
    return f"{assignment.prompt.parent.name}/{assignment.prompt.stem}"
