"""What of crewai the adapter relies on, in a few lines; the tests that use it also run with the real package.

crewai brings 140 packages and 1 GB (two minutes to install), and pins `openai` below what the model extra needs.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, PrivateAttr


class BaseLLM(BaseModel):
    model: str
    stop: list[str] = []
    _unused: Any = PrivateAttr(default=None)

    def _apply_stop_words(self, content: str) -> str:
        places = [content.find(word) for word in self.stop if word in content]
        return content[: min(places)].strip() if places else content


@dataclass
class Agent:
    role: str
    goal: str
    backstory: str
    llm: Any
    function_calling_llm: Any = None
    max_retry_limit: int = 2

    def execute(self, asked: str) -> str:
        messages = [
            {"role": "system", "content": f"You are {self.role}. {self.backstory}\nYour personal goal is: {self.goal}"},
            {"role": "user", "content": asked},
        ]
        for left in reversed(range(self.max_retry_limit + 1)):
            try:
                return str(self.llm.call(messages, from_agent=self)).rpartition("Final Answer:")[2].strip()
            except Exception:
                if not left:
                    raise
        raise AssertionError("never reached")


@dataclass
class Task:
    description: str
    expected_output: str
    agent: Agent
    output_pydantic: type[BaseModel] | None = None


@dataclass
class Result:
    raw: str
    pydantic: BaseModel | None = None
    json_dict: dict[str, Any] | None = None


@dataclass
class Crew:
    agents: list[Agent]
    tasks: list[Task]
    memory: bool = False
    planning: bool = False
    planning_llm: Any = None
    manager_llm: Any = None
    manager_agent: Any = None
    chat_llm: Any = None
    verbose: bool = False
    done: list[str] = field(default_factory=list)

    def kickoff(self, inputs: dict[str, Any]) -> Result:
        said = list(self._said(inputs))[-1]
        wanted = self.tasks[-1].output_pydantic
        return Result(said, wanted.model_validate_json(said) if wanted else None)

    def _said(self, inputs: dict[str, Any]) -> Iterator[str]:
        before = ""
        for task in self.tasks:
            asked = f"{task.description.format(**inputs)}\nContext: {before}\nExpected: {task.expected_output}"
            before = task.agent.execute(asked)
            yield before


def module() -> types.ModuleType:
    """A module that stands in for `crewai`."""
    made = types.ModuleType("crewai")
    for part in (BaseLLM, Agent, Task, Crew):
        setattr(made, part.__name__, part)
    return made
