"""Decides which model a crew works with, from the settings alone: nothing is imported or called for it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from zts_core.crew import short_name
from zts_core.errors import SettingInvalid
from zts_core.limits import OWN_SERVER, PROVIDERS
from zts_core.settings import Settings

OLLAMA = "http://localhost:11434/v1"
"""Where Ollama serves by default (github.com/ollama/ollama, docs/openai.md)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider's model; `provider` is `custom` for a server named by its base URL."""

    provider: str
    model: str
    base_url: str | None = None
    key: SecretStr | None = None

    @property
    def name(self) -> str:
        """As it is configured: `openai:gpt-5`."""
        return f"{self.provider}:{self.model}"


def model_of(settings: Settings, crew: str, *, keyed: bool = True) -> Choice | None:
    """The model of a crew; None where it works offline. SettingInvalid where the name means none.

    Without `keyed` it may lack its key: who only asks for prices is no worker.
    """
    short = short_name(crew)
    named = settings.crew_models.get(short)
    variable = f"ZTS_MODEL_{short.upper()}" if named else "ZTS_MODEL"
    named = (named or settings.model or "").strip()
    if named.lower() in ("", "offline"):
        return None
    return _choice(settings, named, variable, keyed=keyed)


def check_models(settings: Settings) -> None:
    """Complain at the start about models that cannot be meant."""
    for crew in ("", *settings.crew_models):
        model_of(settings, crew)
    if settings.model_base_url and not (settings.model or settings.crew_models):
        raise SettingInvalid("ZTS_MODEL_BASE_URL is set and no model is; set ZTS_MODEL to the model's name")


def _choice(settings: Settings, named: str, variable: str, *, keyed: bool) -> Choice:
    provider, colon, model = named.partition(":")
    if settings.model_base_url:
        # Names of models may hold a colon themselves: only a provider that is known is taken off.
        name = model if colon and provider in PROVIDERS else named
        return Choice(OWN_SERVER, name, settings.model_base_url, settings.model_api_key)
    if provider not in PROVIDERS or not model:
        cure = f"name it provider:model with one of {', '.join(PROVIDERS)}, or set ZTS_MODEL_BASE_URL"
        raise SettingInvalid(f"{variable}={named!r} names no model; {cure}, or unset {variable} to work offline")
    if provider == "ollama":
        return Choice(provider, model, OLLAMA, settings.model_api_key)
    key = settings.model_api_key or getattr(settings, f"{provider}_api_key")
    if key is None and keyed:
        raise SettingInvalid(f"{variable}={named!r} needs a key; set ZTS_MODEL_API_KEY or {provider.upper()}_API_KEY")
    return Choice(provider, model, None, key)
