"""Decides what a failed call means for its step: try again (and when), or never again."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_ai import exceptions as said

from zts_core.errors import AgentFailed, CrewError, PermanentError, TransientError
from zts_worker.models.reach import AnswerTooLarge

LONGEST_RETRY_AFTER_S = 3600.0
"""A provider that asks for more than this is taken by its word no further."""

_UNPAID = (
    said.ModelRateLimitError,
    said.ModelUnavailableError,
    said.ModelServerError,
    said.ModelQuotaExceededError,
    said.ModelRequestRejectedError,
)
"""Refused before a model worked on it."""

_TRY_AGAIN = (said.ModelRateLimitError, said.ModelUnavailableError, said.ModelServerError, said.ModelConnectionError)

_NOT_AS_ASKED = (400, 413, 422)
"""The question itself was not taken: too long for the model's context, or a schema that it cannot follow."""


def is_unpaid(error: BaseException) -> bool:
    """Whether the provider certainly charged nothing for this call."""
    never_sent = isinstance(error, said.ModelConnectionError) and error.phase in ("pool", "connect")
    return never_sent or isinstance(error, _UNPAID)


def crew_error(error: Exception, model: str) -> CrewError:
    """The error a crew raises for what the agent library raised; the texts are not redacted yet."""
    if isinstance(error, CrewError):
        return error
    large = next((cause for cause in _causes(error) if isinstance(cause, AnswerTooLarge)), None)
    if large:
        return AgentFailed(f"{model}: {large}; raise ZTS_MODEL_ANSWER_BYTES, or choose another model")
    if isinstance(error, TimeoutError):
        return TransientError(f"{model} did not answer in time; raise ZTS_MODEL_TIMEOUT if it is that slow")
    if isinstance(error, _TRY_AGAIN):
        wait = error.retry_after
        after = None if wait is None else min(wait, LONGEST_RETRY_AFTER_S)
        return TransientError(f"{model} is not available: {_short(error)}", retry_after=after)
    if isinstance(error, said.ModelHTTPError) and error.status_code in (408, 409, 425):
        return TransientError(f"{model} is not available: {_short(error)}", retry_after=error.retry_after)
    if isinstance(error, said.ContentFilterError):
        return AgentFailed(f"{model} refuses to answer: {_short(error)}; change the idea, or choose another model")
    if isinstance(error, said.ModelAuthenticationError):
        return PermanentError(f"{model} refuses the key: {_short(error)}; correct the key of this provider")
    if isinstance(error, said.ModelHTTPError) and error.status_code in _NOT_AS_ASKED:
        return AgentFailed(f"{model} refuses the request: {_short(error)}; choose a model that takes as much")
    if isinstance(error, said.ModelRequestRejectedError | said.ModelQuotaExceededError | said.ModelHTTPError):
        return PermanentError(f"{model} refuses the request: {_short(error)}; see its documentation")
    return AgentFailed(f"{model} gave no valid answer: {_short(error)}; choose a larger model")


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", "") or error).split())[:300]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
