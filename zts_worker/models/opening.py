"""Decides, from the settings, which desk an attempt's crew sits at; nothing of it is made before it is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from pydantic import SecretStr

from zts_core.crew import Models
from zts_core.limits import pace_of
from zts_core.ports import CallBook, Pace
from zts_core.pricing.choice import check_models, model_of
from zts_core.pricing.prices import Prices
from zts_core.settings import Settings
from zts_worker.models.desk import Desk, Manners
from zts_worker.models.redaction import Redaction
from zts_worker.step_context import AttemptContext, ModelsFinder


def open_models(settings: Settings, book: Callable[[], CallBook]) -> ModelsFinder | None:
    """Gives each attempt its `Models`; None where no model is configured. SettingInvalid where one cannot be meant."""
    check_models(settings)
    if not (settings.model or settings.crew_models):
        return None
    prices = Prices(settings.prices)
    redaction = Redaction(_secrets(settings), most_bytes=settings.model_record_bytes)
    manners = Manners(settings.prompts, settings.model_repairs, settings.model_output, settings.model_answer_bytes)
    one_book = cache(book)

    def find(context: AttemptContext) -> Models | None:
        choice = model_of(settings, context.crew)
        if choice is None:
            return None
        from zts_worker.models.account import Terms

        pace = Pace(
            pace_of(settings.model_requests_per_minute, choice.provider),
            pace_of(settings.model_tokens_per_minute, choice.provider),
        )
        terms = Terms(choice, one_book(), prices, redaction, pace, settings.model_timeout, settings.model_max_tokens)
        return Desk(context, terms, manners)

    return find


def _secrets(settings: Settings) -> list[str]:
    """Every secret of the settings, by value."""
    values = (getattr(settings, name) for name in Settings.model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
