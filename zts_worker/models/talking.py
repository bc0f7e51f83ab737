"""Decides how a talk of plain messages reaches a model, and which words of its answer count."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.exceptions import ContentFilterError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    UserPromptPart,
)

from zts_core.crew import Message


def history(messages: Sequence[Message]) -> list[ModelMessage]:
    """The messages as the agent library sends them: what comes before an answer of the model is one request."""
    found: list[ModelMessage] = []
    parts: list[ModelRequestPart] = []
    for message in messages:
        if message["role"] == "assistant":
            if parts:
                found.append(ModelRequest(parts=parts))
                parts = []
            found.append(ModelResponse(parts=[TextPart(message["content"])]))
        else:
            kind = SystemPromptPart if message["role"] == "system" else UserPromptPart
            parts.append(kind(message["content"]))
    # A talk always ends with something to answer.
    found.append(ModelRequest(parts=parts or [UserPromptPart("Go on.")]))
    return found


def words_of(answer: ModelResponse) -> str:
    """The answer's text; raises as the agent library does where there is none."""
    if answer.finish_reason == "content_filter":
        raise ContentFilterError("the provider's filter held the answer back")
    if not answer.text:
        raise UnexpectedModelBehavior("an answer without words")
    return answer.text
