"""Decides what a call costs: from a file of the user's, else from the maintained list of `genai-prices`.

The file (JSON, `ZTS_PRICES`) gives dollars per million tokens by model:
`{"openai:gpt-5": {"input": 1.25, "output": 10}, "custom:my-model": {"input": 0, "output": 0}}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zts_core.errors import SettingInvalid
from zts_core.pricing.choice import Choice

MILLION = 1_000_000


class Prices:
    """Prices by model; `path` is the user's file. SettingInvalid where it cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        self._own = _read(path) if path else {}

    def usd(self, choice: Choice, *, input_tokens: int, output_tokens: int) -> float | None:
        """Dollars of a call; None where nobody knows the price."""
        own = self._own.get(choice.name)
        if own is not None:
            return (input_tokens * own[0] + output_tokens * own[1]) / MILLION
        if choice.provider == "ollama":
            return 0.0
        return _listed(choice, input_tokens, output_tokens)


def _listed(choice: Choice, input_tokens: int, output_tokens: int) -> float | None:
    try:
        from genai_prices import Usage, calc_price
    except ImportError:  # a producer host need not have what asks models
        return None
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    try:
        if choice.base_url:
            found = calc_price(usage, choice.model, provider_api_url=choice.base_url)
        else:
            found = calc_price(usage, choice.model, provider_id=choice.provider)
    except LookupError:
        return None
    return float(found.total_price)


def _read(path: Path) -> dict[str, tuple[float, float]]:
    try:
        raw: Any = json.loads(path.read_text("utf-8"))
        prices = {str(name): (float(price["input"]), float(price["output"])) for name, price in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        cure = 'write {"provider:model": {"input": dollars, "output": dollars}} per million tokens'
        raise SettingInvalid(f"ZTS_PRICES={str(path)!r} cannot be used ({error!r}); {cure}") from None
    if any(not 0 <= price < MILLION for both in prices.values() for price in both):
        raise SettingInvalid(f"ZTS_PRICES={str(path)!r} holds a price below 0 or above all reason; correct it")
    return prices
