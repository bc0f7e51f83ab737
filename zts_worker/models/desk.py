"""Decides how an agent is asked: once per assignment, and repaired a bounded number of times."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from zts_core.crew import Assignment, Message
from zts_core.errors import PermanentError, TransientError, ZtsError
from zts_core.prompts import Prompt, read_prompt, told_prompt, written

if TYPE_CHECKING:
    from zts_worker.models.account import Terms
    from zts_worker.step_context import AttemptContext

Result = TypeVar("Result", bound=BaseModel)
Answer = TypeVar("Answer")
LOOK_EVERY_S = 0.25
"""How often a call under way looks whether its run was cancelled."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How agents are asked."""

    prompts: Path | None = None
    repairs: int = 2
    output: Literal["auto", "native", "tool", "prompted"] = "auto"
    answer_bytes: int = 2_000_000


class Desk:
    """The `Models` of one attempt."""

    def __init__(self, context: AttemptContext, terms: Terms, manners: Manners) -> None:
        self._context = context
        self._terms = terms
        self._manners = manners

    def ask(self, assignment: Assignment[Result]) -> Result:
        prompt = read_prompt(assignment.prompt, overrides=self._manners.prompts)
        message = written(assignment.given)
        self._context.check()
        self._context.say(f"{prompt.name} asks {self._terms.choice.name}")
        return self._answered(self._converse(assignment, prompt, message))

    def talk(self, speaker: str, messages: Sequence[Message]) -> str:
        self._context.check()
        self._context.say(f"{speaker} asks {self._terms.choice.name}")
        return self._answered(self._spoken(speaker, messages))

    def _answered(self, talk: Coroutine[Any, Any, Answer]) -> Answer:
        from zts_worker.models.failures import crew_error

        try:
            return asyncio.run(self._watched(talk))
        except ZtsError:
            raise
        except Exception as error:
            found = crew_error(error, self._terms.choice.name)
            text = self._terms.redaction.hide(str(found))
            if isinstance(found, TransientError):
                raise TransientError(text, retry_after=found.retry_after) from None
            raise type(found)(text) from None

    async def _watched(self, talk: Coroutine[Any, Any, Answer]) -> Answer:
        """`talk`, ended at once where the run is cancelled; waking up also lets a time-out's interrupt through."""
        task = asyncio.create_task(talk)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
                self._context.check()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=2.0)

    async def _converse(self, assignment: Assignment[Result], prompt: Prompt, message: str) -> Result:
        from pydantic_ai import Agent, ModelRetry
        from pydantic_ai.settings import ModelSettings

        from zts_worker.models.account import AccountedModel
        from zts_worker.models.failures import crew_error
        from zts_worker.models.reach import http_client, reach

        terms = self._terms
        async with http_client(timeout_s=terms.timeout_s, most_bytes=self._manners.answer_bytes) as client:
            reached = reach(terms.choice, client)
            model = AccountedModel(reached, terms=terms, asker=self._context, prompt=prompt, names=self._call_names)
            agent: Agent[object, Result] = Agent(
                model,
                output_type=self._output_type(assignment.answer, reached),
                instructions=prompt.text,
                retries={"output": self._manners.repairs, "tools": self._manners.repairs},
                # A retry inside the provider's package would be a call that nobody has paid for.
                model_settings=ModelSettings(max_tokens=terms.max_tokens, max_retries=0, timeout=terms.timeout_s),
            )

            @agent.output_validator
            def checked(answer: Result) -> Result:
                if assignment.check:
                    try:
                        assignment.check(answer)
                    except ValidationError:
                        raise
                    except ValueError as error:
                        raise ModelRetry(str(error)) from None
                return answer

            try:
                return (await agent.run(message)).output
            except ZtsError:
                raise
            except Exception as error:
                if isinstance(crew_error(error, terms.choice.name), PermanentError):
                    model.forget()
                raise

    async def _spoken(self, speaker: str, messages: Sequence[Message]) -> str:
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings

        from zts_worker.models.account import AccountedModel
        from zts_worker.models.reach import http_client, reach
        from zts_worker.models.talking import history, words_of

        terms = self._terms
        prompt = told_prompt(speaker, messages)
        async with http_client(timeout_s=terms.timeout_s, most_bytes=self._manners.answer_bytes) as client:
            reached = reach(terms.choice, client)
            model = AccountedModel(reached, terms=terms, asker=self._context, prompt=prompt, names=self._call_names)
            settings = ModelSettings(max_tokens=terms.max_tokens, max_retries=0, timeout=terms.timeout_s)
            return words_of(await model.request(history(messages), settings, ModelRequestParameters()))

    @cached_property
    def _call_names(self) -> Any:
        from zts_worker.models.account import call_names

        return call_names(self._context)

    def _output_type(self, answer: type[Result], model: Any) -> Any:
        from pydantic_ai import NativeOutput, PromptedOutput, ToolOutput

        how = self._manners.output
        if how == "auto":
            how = "native" if model.profile.get("supports_json_schema_output") else "tool"
        return {"native": NativeOutput, "tool": ToolOutput, "prompted": PromptedOutput}[how](answer)
