"""Decides what a crew is: the contract between the engine and whoever does a step's work.

A crew is a class with a `name`, a `namespace`, an `Output` pydantic model and `run(context) -> Output`
(`async def run` works too). It raises `TransientError` where trying again may help, `PermanentError` where it
cannot. Keep its module light to import: the producer imports it to type-check workflows.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypedDict, TypeVar, runtime_checkable

from pydantic import BaseModel

from zts_core.likeness import SeenBefore

Result = TypeVar("Result", bound=BaseModel)


class ArtifactWriter(Protocol):
    """Where an attempt leaves files; they become visible only when the step's commit wins."""

    def write_text(self, path: str, text: str) -> None:
        """Keep `text` (UTF-8) under the relative POSIX `path`, replacing what this attempt wrote there."""

    def write_bytes(self, path: str, content: bytes) -> None:
        """Keep `content` under the relative POSIX `path`, replacing what this attempt wrote there."""

    def add_folder(self, folder: Path, prefix: str) -> None:
        """Keep every file below `folder` under `prefix/`."""


class EarlierArtifacts(Protocol):
    """Files that earlier steps committed, by namespace; a later step of a namespace replaces its files."""

    def paths(self, namespace: str) -> tuple[str, ...]:
        """Relative POSIX paths of the files the newest step of `namespace` left, sorted."""

    def read_bytes(self, namespace: str, path: str) -> bytes:
        """Content of one file; KeyError where `namespace` left no such file."""

    def extract(self, namespace: str, folder: Path) -> None:
        """Write all files of `namespace` below `folder`."""


@dataclass(frozen=True, slots=True)
class Assignment(Generic[Result]):
    """What one agent of a crew's team has to do.

    `prompt` is a file with the role and the task; `given` is all the agent may read, by heading: text, or plain JSON
    data. The agent fills `answer`; every text and list in that model needs a length limit. `check` raises ValueError
    with what has to be corrected; the agent is told, a bounded number of times.
    """

    prompt: Path
    answer: type[Result]
    given: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[Result], object] | None = None


@dataclass(frozen=True, slots=True)
class Role(Generic[Result]):
    """One agent of a crew's team.

    `prompt` is a file `crew/role.md`, which users can replace; `task` says in a line what the agent is for; `answer` is
    what it fills; `reads` are the namespaces of earlier outputs it may read, beside the idea and what its colleagues
    say. One that works with `tools` is asked at most `most_calls` times, each time for its next move.
    """

    prompt: Path
    task: str
    answer: type[Result]
    reads: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    most_calls: int = 1

    @property
    def name(self) -> str:
        """`crew/role`, as the ledger names its calls."""
        return f"{self.prompt.parent.name}/{self.prompt.stem}"

    def assignment(
        self, given: Mapping[str, Any], *, check: Callable[[Result], object] | None = None
    ) -> Assignment[Result]:
        """Its task on what it is given to read."""
        return Assignment(self.prompt, self.answer, given, check)


class Message(TypedDict):
    """Something said in a talk."""

    role: Literal["system", "user", "assistant"]
    content: str


class Models(Protocol):
    """Asks a language model, on this run's budget."""

    def ask(self, assignment: Assignment[Result]) -> Result:
        """The agent's answer, valid and checked.

        Raises TransientError (overload, connection, time-out), PermanentError (refusal, no valid answer in the end)
        and BudgetExceeded; let all of them through.
        """

    def talk(self, speaker: str, messages: Sequence[Message]) -> str:
        """The model's next words in a talk, for crews that are written with another library of agents.

        `speaker` is the name in the ledger, such as `pricing/Researcher`. Raises what `ask` raises.
        """


@runtime_checkable
class StepContext(Protocol):
    """All that a crew may know and touch while it runs one attempt of one step."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def state(self) -> str:
        """The step's state, such as `FEEDBACK_ITERATION_2.FEEDBACK_REVIEW`."""

    @property
    def idea(self) -> str:
        """The whole text of the idea file."""

    @property
    def seen_before(self) -> Sequence[SeenBefore]:
        """Earlier runs with a like idea, the most alike first, as they stood when this run was submitted."""

    @property
    def workflow(self) -> str:
        """Name of the workflow the step belongs to."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The workflow's `metadata`, such as its `compliance` list."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The step's `with` values, references resolved; in a foreach also the item under its `as` name."""

    @property
    def attempt(self) -> int:
        """1 for the first try of this step."""

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step: hand it to services that charge money."""

    @property
    def artifacts(self) -> ArtifactWriter:
        """Where this attempt leaves its files."""

    @property
    def earlier_artifacts(self) -> EarlierArtifacts:
        """Files of earlier steps."""

    @property
    def models(self) -> Models | None:
        """The language model of this crew; None where none is configured: then work offline."""

    @property
    def work_folder(self) -> Path:
        """An empty folder of this attempt's own, removed when it ends."""

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that knows run, state and attempt."""

    def earlier(self, namespace: str) -> Mapping[str, Any] | None:
        """What the newest visible step of `namespace` gave, as plain JSON data; None where there is none."""

    def earlier_as(self, namespace: str, model: type[Result]) -> Result | None:
        """The same, validated as `model`."""

    def say(self, line: str) -> None:
        """Tell the person who watches what happens now, in one short line."""

    def check(self) -> None:
        """Raise `StepAbandoned` where the run was cancelled or the lease lost: call it between pieces of work."""

    @property
    def seconds_left(self) -> float:
        """Seconds until this attempt's time-out."""


class Crew(Protocol):
    """Does the work of a step.

    A crew that may be at work on a few steps at once only, in all runs together (a licence, a machine), says so with
    `max_concurrent: ClassVar[int] = 2`; `ZTS_CREW_LIMITS` stands above it.

    A crew that asks a model may have a `team` for `zts crews show`: its `Role`s as a tuple, or where they are found,
    as `"package.module:TEAM"`.
    """

    name: ClassVar[str]
    namespace: ClassVar[str]
    Output: ClassVar[type[BaseModel]]

    def run(self, context: StepContext) -> BaseModel | Awaitable[BaseModel]:
        """Do the step's work and return an instance of `Output`."""


def short_name(crew: str) -> str:
    """`ValidatorCrew` and `pricing:PricingCrew` as they stand in variables and options: `validator`, `pricing`."""
    return re.sub(r"_?crew$", "", crew.rpartition(":")[2].rpartition(".")[2].lower())
