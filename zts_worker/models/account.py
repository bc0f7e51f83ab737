"""Decides that no call is made without its money: reserve, call within the time-out, settle, write down."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from zts_core.crew import short_name
from zts_core.errors import BudgetExceeded, PermanentError, ServiceUnavailable, StepAbandoned, TransientError
from zts_core.ports import CallBook, Cost, Pace, Reservation, ReserveVerdict
from zts_core.pricing.choice import Choice
from zts_core.pricing.prices import Prices
from zts_core.prompts import Prompt
from zts_worker.models.failures import is_unpaid
from zts_worker.models.recording import read_answer, request_digest, written_answer
from zts_worker.models.redaction import Redaction
from zts_worker.patience import patiently
from zts_worker.spans import model_answered, model_call

BYTES_PER_TOKEN = 3
"""A cautious share: English text has about four bytes a token (help.openai.com, "What are tokens")."""
OVERHEAD_TOKENS = 64
LONGEST_WAIT_S = 120.0
"""How long a call waits in place for its provider's pace before the step backs off and frees its worker."""


class Asker(Protocol):
    """What an account needs to know of the attempt that asks."""

    run_id: str
    seq: int
    attempt: int
    crew: str

    @property
    def seconds_left(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What binds the calls of an attempt."""

    choice: Choice
    book: CallBook
    prices: Prices
    redaction: Redaction
    pace: Pace = field(default_factory=Pace)
    timeout_s: float = 120.0
    max_tokens: int = 4096


class AccountedModel(WrapperModel):
    """A model each of whose calls is paid from the run's budget; a repair is a call of its own."""

    def __init__(self, wrapped: Model, *, terms: Terms, asker: Asker, prompt: Prompt, names: Callable[[], str]) -> None:
        super().__init__(wrapped)
        self._terms = terms
        self._asker = asker
        self._prompt = prompt
        self._names = names
        self._given: list[str] = []

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        call = self._names()
        request = request_digest(self._terms.choice, messages, model_settings, model_request_parameters)
        if (known := self._recorded(call, request, messages)) is not None:
            return known
        most = self._most(messages, model_request_parameters)
        await self._reserve(call, most)
        started = time.monotonic()
        answer: ModelResponse | None = None
        failure: BaseException | None = None
        try:
            with model_call(self._terms.choice.name, self._prompt.name) as span:
                async with asyncio.timeout(min(self._terms.timeout_s, max(self._asker.seconds_left, 0.1))):
                    answer = await self.wrapped.request(messages, model_settings, model_request_parameters)
                model_answered(span, read=answer.usage.input_tokens, wrote=answer.usage.output_tokens)
            return answer
        except BaseException as error:
            failure = error
            raise
        finally:
            cost = self._cost(answer, failure, most)
            detail = self._detail(messages, answer, failure, cost, round(time.monotonic() - started, 3))
            kept = written_answer(answer) if answer else ""
            self._given += [request] if kept else []
            # The call is paid for: an outage of Redis is waited out, a lost bill cannot be written again.
            patiently(
                lambda: self._terms.book.settle(
                    self._asker.run_id,
                    self._asker.seq,
                    call=call,
                    cost=cost,
                    detail=detail,
                    request=request,
                    answer=kept,
                )
            )

    def forget(self) -> None:
        """Drop the answers of a talk that led nowhere: one that is tried again shall not lead there again."""
        with contextlib.suppress(ServiceUnavailable):
            self._terms.book.forget(self._given)

    def _recorded(self, call: str, request: str, messages: list[ModelMessage]) -> ModelResponse | None:
        """What was answered to the very same request before, written down as reused; None where it has to be asked."""
        asker, book = self._asker, self._terms.book
        text = book.recorded(asker.run_id, asker.seq, request=request, again=asker.attempt > 1)
        answer = read_answer(text) if text else None
        if answer is None:
            return None
        detail = self._detail(messages, answer, None, Cost(), 0.0) | {"reused": True}
        book.reuse(asker.run_id, asker.seq, call=call, detail=detail)
        self._given.append(request)
        return answer

    def _most(self, messages: list[ModelMessage], parameters: ModelRequestParameters) -> Cost:
        """An upper estimate of the call: what is sent by its bytes, and as much answer as is allowed."""
        schema = parameters.output_object.json_schema if parameters.output_object else {}
        tools = [tool.parameters_json_schema for tool in parameters.output_tools]
        sent = len(ModelMessagesTypeAdapter.dump_json(messages)) + len(str(schema)) + len(str(tools))
        read = sent // BYTES_PER_TOKEN + OVERHEAD_TOKENS
        return self._priced(read, self._terms.max_tokens)

    def _priced(self, read: int, wrote: int) -> Cost:
        usd = self._terms.prices.usd(self._terms.choice, input_tokens=read, output_tokens=wrote)
        if usd is None:
            if self._has_dollar_budget():
                name = self._terms.choice.name
                raise PermanentError(
                    f"the run has a budget in dollars and {name} has no known price; "
                    f'give it one in ZTS_PRICES ({{"{name}": {{"input": ..., "output": ...}}}}), or use --budget-tokens'
                )
            usd = 0.0
        return Cost(usd, read + wrote)

    def _has_dollar_budget(self) -> bool:
        run, crew = self._asker.run_id, short_name(self._asker.crew)
        budgets = [self._terms.book.spending(run).budget, self._terms.book.spending(run, crew=crew).budget]
        return any(budget.usd is not None for budget in budgets)

    async def _reserve(self, call: str, most: Cost) -> None:
        asker = self._asker
        until = time.monotonic() + min(LONGEST_WAIT_S, asker.seconds_left)
        while True:
            answer = self._terms.book.reserve(
                asker.run_id,
                asker.seq,
                attempt=asker.attempt,
                call=call,
                crew=short_name(asker.crew),
                most=most,
                provider=self._terms.choice.provider,
                pace=self._terms.pace,
            )
            if answer.verdict is ReserveVerdict.RESERVED:
                return
            self._refused(answer, most)
            if time.monotonic() + answer.wait_s > until:
                raise TransientError(
                    f"{self._terms.choice.provider} allows its next call in {answer.wait_s:.0f} s; "
                    "raise ZTS_MODEL_REQUESTS_PER_MINUTE or ZTS_MODEL_TOKENS_PER_MINUTE if it allows more",
                    retry_after=answer.wait_s,
                )
            await asyncio.sleep(answer.wait_s)

    def _refused(self, answer: Reservation, most: Cost) -> None:
        if answer.verdict is ReserveVerdict.FENCED:
            raise StepAbandoned(f"step {self._asker.seq} of run {self._asker.run_id} belongs to another attempt")
        if answer.verdict is ReserveVerdict.OVER_BUDGET:
            whose, cure = "the run", "--budget-usd or --budget-tokens"
            if answer.crew:
                whose, cure = f"the crew {answer.crew}", f"--crew-budget {answer.crew}=..."
            raise BudgetExceeded(
                f"the next call of {self._prompt.name} may take ${most.usd:.4f} and {most.tokens} tokens, and "
                f"{whose} has used {answer.used}; "
                f"`zts retry` with a higher {cure} goes on from here"
            )

    def _cost(self, answer: ModelResponse | None, failure: BaseException | None, most: Cost) -> Cost:
        """What is known of the bill; a call that was sent and not answered may have cost all that was set aside."""
        if answer is None:
            return Cost() if failure is not None and is_unpaid(failure) else most
        usage = answer.usage
        if not usage.input_tokens and not usage.output_tokens:
            return most
        return self._priced(usage.input_tokens, usage.output_tokens)

    def _detail(
        self,
        messages: list[ModelMessage],
        answer: ModelResponse | None,
        failure: BaseException | None,
        cost: Cost,
        took_s: float,
    ) -> dict[str, Any]:
        excerpt = self._terms.redaction.excerpt
        detail: dict[str, Any] = {
            "model": self._terms.choice.name,
            "prompt": self._prompt.name,
            "prompt_digest": self._prompt.digest,
            "attempt": self._asker.attempt,
            "crew": self._asker.crew,
            "tokens": cost.tokens,
            "read": answer.usage.input_tokens if answer else 0,
            "wrote": answer.usage.output_tokens if answer else 0,
            "usd": round(cost.usd, 6),
            "seconds": took_s,
            "asked": excerpt("\n\n".join(_texts(messages))),
            "answered": excerpt("\n".join(_texts([answer]))) if answer else "",
        }
        if failure is not None:
            status = f" {failure.status_code}" if isinstance(failure, ModelHTTPError) else ""
            detail["error"] = f"{type(failure).__name__.strip('_')}{status}"
        return detail


def _texts(messages: list[Any]) -> list[str]:
    """The texts of the last request, or of an answer; the call of a tool as `name(arguments)`."""
    parts = messages[-1].parts if messages else []
    return [text for part in parts if (text := _text(part))]


def _text(part: Any) -> str:
    if isinstance(part, ToolCallPart):
        return f"{part.tool_name}({part.args_as_json_str()})"
    content = getattr(part, "content", None)
    return str(content) if content else ""


def call_names(asker: Asker) -> Callable[[], str]:
    """Names for the calls of an attempt, none given twice."""
    numbers = itertools.count(1)
    return lambda: f"{asker.seq}:{asker.attempt}:{next(numbers)}"
