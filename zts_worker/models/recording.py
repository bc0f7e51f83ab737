"""Decides when two requests are the same, so that the answer to one serves for the other, and how answers are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from zts_core.pricing.choice import Choice

_ANSWER_PARTS = ("content", "tool_name", "args")
_REQUEST_PARTS = ("content", "tool_name", "part_kind", "outcome")
_NOT_ASKED = ("timeout", "max_retries")
"""Settings that say how to call, and not what is asked."""


def request_digest(
    choice: Choice, messages: list[ModelMessage], settings: ModelSettings | None, parameters: ModelRequestParameters
) -> str:
    """SHA-256 of all that an answer depends on: model and server, the words of both sides, settings, schema, tools.

    Times and ids are left out: they differ each time and mean nothing to a model.
    """
    asked = {
        "model": [choice.name, choice.base_url],
        "said": [_said(message) for message in ModelMessagesTypeAdapter.dump_python(messages, mode="json")],
        "settings": {name: value for name, value in (settings or {}).items() if name not in _NOT_ASKED},
        "form": _plain(parameters),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=_in_order).encode("utf-8", "replace")).hexdigest()


def written_answer(answer: ModelResponse) -> str:
    """An answer as it is kept; empty for one that cannot be written down."""
    try:
        return ModelMessagesTypeAdapter.dump_json([answer]).decode()
    except ValueError:
        return ""


def read_answer(text: str) -> ModelResponse | None:
    """What `written_answer` wrote; None where another version of the agent library did, or nothing stands there."""
    try:
        (answer,) = ModelMessagesTypeAdapter.validate_json(text)
    except ValueError:
        return None
    return answer if isinstance(answer, ModelResponse) else None


def _said(message: Mapping[str, Any]) -> Any:
    names = _ANSWER_PARTS if message["kind"] == "response" else _REQUEST_PARTS
    parts = [{name: part.get(name) for name in names} for part in message["parts"]]
    return [message["kind"], message.get("instructions"), parts]


def _in_order(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def _plain(value: Any) -> Any:
    """Data of dataclasses and mappings; what is neither counts by its words."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
