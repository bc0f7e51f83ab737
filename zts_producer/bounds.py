"""Decides what a submit says its run may cost at most, in money, tokens and time, before anything starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zts_core.ports import NewRun
from zts_core.settings import Settings
from zts_core.workflow.plan import Plan
from zts_producer.times import duration

if TYPE_CHECKING:
    from zts_core.pricing.choice import Choice
    from zts_core.pricing.prices import Prices


def bounds(settings: Settings, new: NewRun, plan: Plan) -> tuple[str, ...]:
    """One line, or none where no crew of the workflow asks a model, as far as the settings of this process know."""
    if not (settings.model or settings.crew_models):
        return ()
    from zts_core.pricing.choice import model_of

    chosen = [choice for crew in plan.crews if (choice := model_of(settings, crew, keyed=False))]
    if not chosen:
        return ()
    names = ", ".join(dict.fromkeys(choice.name for choice in chosen))
    crews = "; ".join(f"{crew} {budget}" for crew, budget in sorted(new.crew_budgets.items()))
    limits = [
        _money(settings, new, chosen),
        *([f"{new.budget_tokens:,} tokens"] if new.budget_tokens is not None else []),
        duration(new.deadline_s),
    ]
    return (f"{names} may use at most {', '.join(limits)}{f' (of which {crews})' if crews else ''}",)


def _money(settings: Settings, new: NewRun, chosen: Iterable[Choice]) -> str:
    from zts_core.pricing.prices import Prices

    prices = Prices(settings.prices)
    unknown = sorted({choice.name for choice in chosen if _usd(prices, choice, 1) is None})
    if new.budget_usd is not None:
        warning = f" (calls to {', '.join(unknown)} are refused: no price known here, see ZTS_PRICES)"
        return f"${new.budget_usd:g}{warning if unknown else ''}"
    if unknown or new.budget_tokens is None:
        return f"money without a limit (no price known here of {', '.join(unknown)}: set ZTS_PRICES and --budget-usd)"
    most = max(_usd(prices, choice, new.budget_tokens) or 0.0 for choice in chosen)
    return f"${most:,.2f} (all tokens at the dearest price; --budget-usd sets less)"


def _usd(prices: Prices, choice: Choice, tokens: int) -> float | None:
    """Dollars of so many tokens if every one were of the dearer kind, at the price for long prompts."""
    read = prices.usd(choice, input_tokens=tokens, output_tokens=0)
    both = prices.usd(choice, input_tokens=tokens, output_tokens=tokens)
    return None if read is None or both is None else max(read, both - read)
