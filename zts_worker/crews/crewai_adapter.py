"""Decides how a crew written with `crewai` works as one of ours: its agents ask through our desk, it fills our model.

Every call of its agents is made by the model that is configured for the crew, so budget, pace, time-outs, a cancel and
the ledger hold for it as for every other crew; models that the agents brought along are not used. Needs the extra
`zerotoship[crewai]`; its telemetry, tracing and update checks are off.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, PrivateAttr, ValidationError

from zts_core.crew import Message, Models, StepContext
from zts_core.errors import AgentFailed, PermanentError, StepTimedOut, ZtsError

_OFF = {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "CREWAI_DISABLE_VERSION_CHECK": "true"}
_LOOK_EVERY_S = 0.25
_ROLES: dict[str, Literal["system", "assistant"]] = {"system": "system", "assistant": "assistant"}
_SEATS = ("llm", "function_calling_llm", "manager_llm", "planning_llm", "chat_llm")


class CrewAICrew(ABC):
    """Base of a crew written with `crewai`: give `name`, `namespace`, `Output`, and make the crew in `crew`."""

    name: ClassVar[str]
    namespace: ClassVar[str]
    Output: ClassVar[type[BaseModel]]
    most_calls: ClassVar[int] = 60
    """Calls of a model in one attempt; the next one fails the step."""

    @abstractmethod
    def crew(self, llm: Any, context: StepContext) -> Any:
        """The `crewai.Crew` of this attempt, its agents made with `llm=llm`; import `crewai` here, not above."""

    def inputs(self, context: StepContext) -> dict[str, Any]:
        """What `kickoff` fills into the tasks: the idea and the step's `with` values."""
        return {"idea": context.idea, **context.values}

    def offline(self, _context: StepContext) -> BaseModel:
        """The output without a model; a crew that has none fails."""
        raise PermanentError(f"{self.name} is written with crewai and needs a model; set ZTS_MODEL")

    def run(self, context: StepContext) -> BaseModel:
        """Kick the crew off, and fill `Output` from what its last task gives."""
        if context.models is None:
            return self.offline(context)
        line = Line(context.models, context, name=self.name, most_calls=self.most_calls)
        llm = _llm_class()(line)
        crew = self.crew(llm, context)
        _seat(crew, llm)
        try:
            result = crew.kickoff(inputs=self.inputs(context))
        except ZtsError:
            raise
        except Exception as error:
            raise line.failure or _failed(self.name, error) from error
        if line.failure:  # crewai goes on after errors that have to end the step
            raise line.failure
        context.check()
        return output_of(result, self.Output, name=self.name)


class Line:
    """The way from crewai's agents to the desk; the first failure on it is the last thing that happens."""

    def __init__(self, models: Models, context: StepContext, *, name: str, most_calls: int) -> None:
        self._models = models
        self._context = context
        self._name = name
        self._left = self._most = most_calls
        self.failure: ZtsError | None = None

    def call(self, messages: list[Message], *, speaker: str) -> str:
        """The model's answer; raises what the desk raises, and from then on the same again."""
        if self.failure is None:
            try:
                self._check()
                return _apart(lambda: self._models.talk(f"{self._name}/{speaker}", messages))
            except ZtsError as failure:
                self.failure = failure
        raise self.failure

    def _check(self) -> None:
        self._context.check()
        if self._context.seconds_left <= 0:
            raise StepTimedOut(f"{self._name} did not end in time; raise the step's `timeout`")
        if self._left <= 0:
            raise AgentFailed(
                f"{self._name} asked its model {self._most} times and came to no end; raise its most_calls"
            )
        self._left -= 1


def _apart(call: Callable[[], str]) -> str:
    """`call` in a thread of its own: crewai may ask from inside of an event loop, in which ours cannot run."""
    came: list[str] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            came.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():  # waking up lets a time-out's interrupt through
        thread.join(_LOOK_EVERY_S)
    if failed:
        raise failed[0]
    return came[0]


class _Over(Exception):
    """The step ends; said so plainly that crewai takes it for no rate limit that is worth waiting for."""


@cache
def _llm_class() -> Callable[[Line], Any]:
    """A language model for crewai's agents that asks through a line."""
    _switch_off()
    try:
        from crewai import BaseLLM
    except ImportError as error:
        cure = "pip install 'zerotoship[crewai]' on this worker"
        raise PermanentError(f"crewai cannot be imported ({error}); {cure}") from None

    class DeskLLM(BaseLLM):  # type: ignore[misc]
        """Text in, text out: tools are called by crewai itself, from what the model writes."""

        _line: Any = PrivateAttr(default=None)

        def call(self, messages: Any, *_args: Any, from_agent: Any = None, **_named: Any) -> str:
            speaker = str(getattr(from_agent, "role", None) or "agent").strip()
            try:
                return str(self._apply_stop_words(self._line.call(plain(messages), speaker=speaker)))
            except ZtsError:
                raise _Over("the step ends") from None

        async def acall(self, messages: Any, *args: Any, **named: Any) -> str:
            return self.call(messages, *args, **named)

        def supports_function_calling(self) -> bool:
            return False

    def made(line: Line) -> Any:
        llm = DeskLLM(model="zerotoship")
        llm._line = line
        return llm

    return made


def plain(messages: Any) -> list[Message]:
    """What crewai says as plain messages; what is neither a system's nor an assistant's is a user's."""
    listed = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    return [
        Message(role=_ROLES.get(str(item.get("role")), "user"), content=_text(item.get("content"))) for item in listed
    ]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _switch_off() -> None:
    """Before crewai is imported: nothing of a run is told to anybody, and its data goes where the process ends it."""
    os.environ.update(_OFF)
    if "CREWAI_STORAGE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="zts-crewai-")
        os.environ["CREWAI_STORAGE_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _seat(crew: Any, llm: Any) -> None:
    """Every agent asks through the desk; PermanentError for what would call a model beside it."""
    if getattr(crew, "memory", None):
        raise PermanentError("a crew with memory=True calls models beside the run's budget; leave memory out")
    if getattr(crew, "planning", None):
        crew.planning_llm = llm
    for one in [crew, *crew.agents, *_manager(crew)]:
        for seat in _SEATS:
            if getattr(one, seat, None) is not None and getattr(one, seat) is not llm:
                setattr(one, seat, llm)


def _manager(crew: Any) -> Iterator[Any]:
    if getattr(crew, "manager_agent", None) is not None:
        yield crew.manager_agent


def output_of(result: Any, output: type[BaseModel], *, name: str) -> BaseModel:
    """What the last task gave as `output`: its pydantic model, its JSON, or its text as JSON; AgentFailed otherwise."""
    found = getattr(result, "pydantic", None)
    if isinstance(found, output):
        return found
    said = found.model_dump() if isinstance(found, BaseModel) else getattr(result, "json_dict", None)
    raw = str(getattr(result, "raw", result))
    try:
        if said is not None:
            return output.model_validate(said)
        return output.model_validate_json(raw[raw.find("{") : raw.rfind("}") + 1])
    except ValidationError as error:
        cure = f"give its last task output_pydantic={output.__name__}"
        raise AgentFailed(f"{name} ended without a valid {output.__name__} ({_first(error)}); {cure}") from None


def _first(error: ValidationError) -> str:
    return " ".join(str(error.errors()[0]["msg"]).split())[:200]


def _failed(name: str, error: Exception) -> ZtsError:
    told = " ".join(f"{type(error).__name__}: {error}".split())[:400]
    return PermanentError(f"{name} ended with an error of crewai ({told})")
