"""Decides how a provider is reached: with our own HTTP client, so that no answer is larger than allowed.

The agent library is imported here and beside the call, when a model is used for the first time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import httpx2

from zts_core.errors import PermanentError
from zts_core.pricing.choice import Choice

if TYPE_CHECKING:
    from pydantic_ai.models import Model

CONNECT_S = 10.0


class AnswerTooLarge(Exception):
    """More bytes came than an answer may have; the connection was closed."""


class _Counted(httpx2.AsyncByteStream):
    """A body that ends with AnswerTooLarge where it passes `most` bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > self._most:
                raise AnswerTooLarge(f"the answer has more than {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def http_client(*, timeout_s: float, most_bytes: int) -> httpx2.AsyncClient:
    """A client that asks for plain bodies and reads `most_bytes` of them at most; proxies are honoured."""

    async def count(response: httpx2.Response) -> None:
        coding = response.headers.get("content-encoding", "identity")
        if coding != "identity":
            # A small packed body may unpack to any size.
            raise AnswerTooLarge(f"the answer is packed ({coding}) although a plain one was asked for")
        response.stream = _Counted(cast(httpx2.AsyncByteStream, response.stream), most_bytes)

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [count]},
    )


def reach(choice: Choice, client: httpx2.AsyncClient) -> Model:
    """The agent library's model; PermanentError where its provider's package is not installed."""
    try:
        return cast("Model", _MAKERS[choice.provider](choice, client))
    except ImportError:
        package = {"custom": "openai", "ollama": "openai"}.get(choice.provider, choice.provider)
        cure = f"pip install 'pydantic-ai-slim[{package}]'"
        raise PermanentError(f"{choice.name} cannot be used: its package is missing on this worker; {cure}") from None


def _key(choice: Choice) -> str:
    # Servers of one's own often want no key; the library wants a text.
    return choice.key.get_secret_value() if choice.key else "none"


def _openai(choice: Choice, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(choice.model, provider=OpenAIProvider(api_key=_key(choice), http_client=client))


def _custom(choice: Choice, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    provider = OpenAICompatibleProvider(
        choice.provider, base_url=choice.base_url or "", api_key=_key(choice), http_client=client
    )
    profile = OpenAIModelProfile(supports_json_schema_output=True, openai_supports_strict_tool_definition=False)
    return OpenAIChatModel(choice.model, provider=provider, profile=profile)


def _ollama(choice: Choice, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.providers.ollama import OllamaProvider

    provider = OllamaProvider(base_url=choice.base_url or "", api_key=_key(choice), http_client=client)
    return OllamaModel(choice.model, provider=provider)


def _anthropic(choice: Choice, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    return AnthropicModel(choice.model, provider=AnthropicProvider(api_key=_key(choice), http_client=client))


def _google(choice: Choice, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(choice.model, provider=GoogleProvider(api_key=_key(choice), http_client=client))


_MAKERS: dict[str, Any] = {
    "openai": _openai,
    "custom": _custom,
    "ollama": _ollama,
    "anthropic": _anthropic,
    "google": _google,
}
