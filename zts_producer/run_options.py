"""Decides what a submit may say of its run besides the idea and the workflow: one list for every door in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from zts_core.limits import Budget


class MoreBudgetOptions(TypedDict, total=False):
    """Keyword arguments of `Client.retry`: limits that replace the run's own, as in `RunOptions`."""

    budget_usd: float | None
    budget_tokens: int | None
    crew_budgets: Mapping[str, Budget]


class RunOptions(TypedDict, total=False):
    """Keyword arguments of `Client.submit` and its asynchronous twins; what is left out has its default.

    max_steps: most steps the run may start (default 50). key: the same key never starts a second run, it gives the
    first. priority: whether workers take its steps before (`high`) or after (`low`) those of other runs (default
    `normal`). values: JSON values that reach every step. out: folder its results shall go to (default `shipped`).
    deadline: seconds from now after which it ends as timed out. budget_usd, budget_tokens: most that its model calls
    may cost, in dollars, and tokens read and written together. crew_budgets: the same for one crew's calls, by its
    name (`builder`). reuse_answers: a model call whose very same request was answered before, in any run, takes that
    answer and costs nothing.
    """

    max_steps: int | None
    key: str
    priority: str | None
    values: Mapping[str, Any] | None
    out: Path | str
    deadline: float | None
    budget_usd: float | None
    budget_tokens: int | None
    crew_budgets: Mapping[str, Budget]
    reuse_answers: bool
