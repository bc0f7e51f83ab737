"""Decides whether an idea and a workflow make a run, before anything is started or recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar, Unpack

from zts_core.crew import short_name
from zts_core.errors import BadInput, OutputFolderTaken
from zts_core.limits import Budget, MoreBudget
from zts_core.ports import NewRun, RunRecord
from zts_core.run import Priority
from zts_core.settings import Settings
from zts_core.workflow.plan import Plan
from zts_core.workflow.problems import Problem
from zts_producer.bounds import bounds
from zts_producer.idea import check_idea
from zts_producer.library import checked_plan
from zts_producer.naming import new_run_id, title_of
from zts_producer.run_options import MoreBudgetOptions, RunOptions

DEFAULT_OUT = "shipped"
LONGEST_KEY = 200
LARGEST_BUDGET = 1_000_000_000
Amount = TypeVar("Amount", float | None, int | None)
LONGEST_NAME = 255
"""Bytes of a file's name, NAME_MAX of Linux and macOS; told only when the folder is made, hours later."""
VALUE_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Submission:
    """A run that can be recorded: what is new about it, its compiled workflow, and what is odd about that."""

    new: NewRun
    plan: Plan
    warnings: tuple[Problem, ...] = ()
    bounds: tuple[str, ...] = ()
    """What it may cost at most, said before it starts."""


def prepare(
    settings: Settings,
    idea: str,
    workflow: str,
    **options: Unpack[RunOptions],
) -> Submission:
    """Check all of it. Raises IdeaInvalid, OutputFolderTaken, WorkflowInvalid or BadInput; leaves nothing behind."""
    text = check_idea(idea.encode(errors="surrogatepass"), name="the idea", limit=settings.idea_bytes)
    cap = checked_max_steps(settings, options.get("max_steps"))
    folder = check_out(options.get("out", ""))
    deadline_s = _checked_deadline(settings, options.get("deadline"))
    plan, warnings = checked_plan(settings, workflow, max_steps=cap, deadline_s=deadline_s)
    new = NewRun(
        run_id=new_run_id(),
        idea=text,
        title=title_of(text),
        workflow=plan.root,
        max_steps=cap,
        deadline_s=deadline_s,
        key=_checked_key(options.get("key", "")),
        values=_checked_values(options.get("values") or {}),
        out=str(folder),
        budget_usd=_checked_budget(options.get("budget_usd"), settings.budget_usd, "--budget-usd"),
        budget_tokens=_checked_budget(options.get("budget_tokens"), settings.budget_tokens, "--budget-tokens"),
        crew_budgets=_crew_budgets(plan, settings.crew_budgets, options.get("crew_budgets", {})),
        priority=_checked_priority(options.get("priority")),
        reuse_answers=options.get("reuse_answers", False),
    )
    return Submission(new, plan, tuple(warnings), bounds(settings, new, plan))


def prepare_many(
    settings: Settings,
    ideas: Iterable[str],
    workflow: str,
    *,
    keys: Iterable[str] | None = None,
    **options: Unpack[RunOptions],
) -> tuple[Plan, list[NewRun]]:
    """Check all ideas, and the workflow and the options once. Raises what `prepare` does, naming the idea's place."""
    texts = [
        check_idea(idea.encode(errors="surrogatepass"), name=f"idea {number}", limit=settings.idea_bytes)
        for number, idea in enumerate(ideas, 1)
    ]
    named = [_checked_key(key) for key in keys] if keys is not None else [""] * len(texts)
    if len(named) != len(texts):
        raise BadInput(f"{len(named)} keys for {len(texts)} ideas; give one key for each idea, or none")
    if not texts:
        raise BadInput("no ideas were given; give at least one")
    one = prepare(settings, texts[0], workflow, **options)
    news = [
        replace(one.new, run_id=new_run_id(), idea=text, title=title_of(text), key=key)
        for text, key in zip(texts, named, strict=True)
    ]
    return one.plan, news


def once_more(old: RunRecord, *, idea: str, reuse_answers: bool = False) -> NewRun:
    """A new run as an old one was submitted. It may spend what that might: it is not charged for what it reuses."""
    return NewRun(
        run_id=new_run_id(),
        idea=idea,
        title=old.title,
        workflow=old.workflow,
        max_steps=old.max_steps,
        deadline_s=(old.deadline_ms - old.created_ms) / 1000,
        values=old.values,
        out=old.out,
        budget_usd=old.budget_usd,
        budget_tokens=old.budget_tokens,
        crew_budgets=old.crew_budgets,
        reuse_answers=reuse_answers,
        seen_before=old.seen_before,
        priority=old.priority,
    )


def check_out(out: Path | str = "") -> Path:
    """The absolute folder for results; OutputFolderTaken where nothing could be written there."""
    folder = Path(out or DEFAULT_OUT).expanduser().absolute()
    if reason := _no_name(folder):
        raise OutputFolderTaken(f"{str(folder)!r} is no folder's name ({reason}); choose another folder with --out DIR")
    if folder.exists() and not folder.is_dir():
        raise OutputFolderTaken(f"{folder} is a file, not a folder; choose another folder with --out DIR")
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    if not standing.is_dir():
        raise OutputFolderTaken(f"{folder} cannot be made, {standing} is a file; choose another with --out DIR")
    try:
        Path(mkdtemp(prefix=".zts-", dir=standing)).rmdir()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputFolderTaken(
            f"{standing} cannot be written in ({reason}); choose another folder with --out DIR"
        ) from None
    return folder


def _no_name(folder: Path) -> str:
    """Why no file can have this name, or no run can keep it; "" where all is well."""
    try:
        longest = max(len(part.encode()) for part in folder.parts)
        folder.exists()
    except UnicodeEncodeError:
        return "not UTF-8"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if "\0" in str(folder):
        return "a zero character"
    return "file name too long" if longest > LONGEST_NAME else ""


def checked_max_steps(settings: Settings, max_steps: int | None) -> int:
    """The step cap of a run: the default where none is given, never above the ceiling."""
    cap = min(settings.default_max_steps, settings.max_steps) if max_steps is None else max_steps
    if not 1 <= cap <= settings.max_steps:
        raise BadInput(
            f"a step cap of {cap} is not between 1 and {settings.max_steps}; "
            "correct --max-steps, or raise ZTS_MAX_STEPS"
        )
    return cap


def more_budget(plan: Plan, **limits: Unpack[MoreBudgetOptions]) -> MoreBudget:
    """New limits of a run, checked as those of a submit are."""
    return MoreBudget(
        _checked_budget(limits.get("budget_usd"), None, "--budget-usd"),
        _checked_budget(limits.get("budget_tokens"), None, "--budget-tokens"),
        _crew_budgets(plan, {}, limits.get("crew_budgets", {})),
    )


def _checked_budget(asked: Amount, default: Amount, option: str) -> Amount:
    budget = default if asked is None else asked
    if budget is not None and not 0 <= budget <= LARGEST_BUDGET:
        raise BadInput(f"a budget of {budget} is not between 0 and {LARGEST_BUDGET:,}; correct {option}")
    return budget


def _crew_budgets(plan: Plan, general: Mapping[str, Budget], own: Mapping[str, Budget]) -> dict[str, Budget]:
    """Budgets of the plan's crews: what this run names, over what the settings give to all runs."""
    known = {short_name(crew) for crew in plan.crews}
    for name, budget in own.items():
        if name not in known:
            raise BadInput(
                f"no crew of this workflow is called {name!r}; name one of {', '.join(sorted(known))} in --crew-budget"
            )
        _checked_budget(budget.usd, None, f"--crew-budget {name}")
        _checked_budget(budget.tokens, None, f"--crew-budget {name}")
    given = {name: budget for name, budget in general.items() if name in known}
    return {**given, **{name: _over(given.get(name, Budget()), budget) for name, budget in own.items()}}


def _over(general: Budget, own: Budget) -> Budget:
    return Budget(general.usd if own.usd is None else own.usd, general.tokens if own.tokens is None else own.tokens)


def _checked_priority(name: str | None) -> Priority:
    try:
        return Priority(Priority.NORMAL if name is None else name)
    except ValueError:
        raise BadInput(f"{name!r} is no priority; choose {', '.join(Priority)} with --priority") from None


def _checked_deadline(settings: Settings, deadline: float | None) -> float:
    seconds = settings.run_deadline if deadline is None else deadline
    if not 0 < seconds <= 30 * 24 * 3600:
        raise BadInput(f"a deadline of {seconds} s is not between 0 and 30 days; correct --deadline")
    return seconds


def _checked_key(key: str) -> str:
    if len(key) > LONGEST_KEY or any(not letter.isprintable() for letter in key):
        raise BadInput(f"the key {key[:40]!r} is no printable text of at most {LONGEST_KEY} characters; correct --key")
    return key


def _checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    for name in values:
        if not VALUE_NAME.fullmatch(name):
            raise BadInput(
                f"{name!r} is no name of a value; use small letters, digits and _, as in --set audience=bakers"
            )
        try:
            json.dumps(values[name], ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise BadInput(f"the value of {name} is no JSON (RFC 8259) or no UTF-8; correct --set {name}=...") from None
    return dict(values)
