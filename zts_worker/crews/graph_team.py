"""Decides how agents decompose the work: a planner names the tasks; order, critical path and sums are computed."""

from __future__ import annotations

from graphlib import CycleError
from typing import Annotated, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.graph_tasks import FIRST_VERSION, FOUNDATION, LAUNCH, WHOLE, Draft
from zts_worker.crews.team import Filled, Line, Sentence, ask, readable, role

Stage = Literal["foundation", "first_version", "whole", "launch"]
_STAGES = {"foundation": FOUNDATION, "first_version": FIRST_VERSION, "whole": WHOLE, "launch": LAUNCH}
Effort = Literal[1, 2, 4, 8, 16, 24, 40]
"""Hours: estimates finer than these steps would only look exact."""


class Planned(Filled):
    """A task; `after` holds numbers of tasks in this list, counted from 1, that have to be done before."""

    title: Line
    description: Sentence
    stage: Stage
    hours: Effort
    after: Annotated[list[Annotated[int, Field(ge=1, le=20)]], Field(max_length=4)]


class Plan(Filled):
    """What the planner says."""

    tasks: Annotated[list[Planned], Field(min_length=1, max_length=20)]


PLANNER = role("graph/planner", "breaks the work into tasks and says which wait for which", Plan, reads=("validation",))
TEAM = (PLANNER,)


def by_team(models: Models, context: StepContext, rules: list[Draft]) -> list[Draft]:
    """The planner's tasks as drafts; circles and tasks that are not there are sent back to the planner."""
    found = {"tasks": [f"{draft.title} ({draft.hours:g} h)" for draft in rules]}
    given = readable(context, PLANNER, rules=found)
    return _drafts(ask(models, PLANNER, given, check=_check))


def _drafts(plan: Plan) -> list[Draft]:
    return [
        Draft(
            key=str(number),
            title=task.title,
            description=task.description,
            hours=float(task.hours),
            milestone=_STAGES[task.stage],
            after=[str(before) for before in task.after],
        )
        for number, task in enumerate(plan.tasks, start=1)
    ]


def _check(plan: Plan) -> None:
    from zts_worker.crews.graph import numbered

    for number, task in enumerate(plan.tasks, start=1):
        missing = [before for before in task.after if before > len(plan.tasks) or before == number]
        if missing:
            raise ValueError(f"task {number} cannot wait for {missing}: there are {len(plan.tasks)} tasks")
    try:
        numbered(_drafts(plan))
    except CycleError as circle:
        raise ValueError(f"these tasks wait for each other: {', '.join(circle.args[1])}; break the circle") from None
