"""Decides how agents plan a launch: a planner the days, an operator the way back and the measures.

What is done already is no agent's to say: the checklist comes from the outputs of earlier steps.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.team import Filled, Line, Sentence, ask, readable, role


class Planned(Filled):
    """What happens on a day, counted from the launch."""

    day: Literal[-14, -10, -7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7, 10, 14]
    what: Line
    why: Line


class Days(Filled):
    """What the planner says."""

    timeline: Annotated[list[Planned], Field(min_length=1, max_length=10)]
    release_notes: Annotated[list[Line], Field(min_length=1, max_length=6)]


class Back(Filled):
    """A step of the way back."""

    step: Line
    detail: Sentence


class Measure(Filled):
    """What is counted, how, and from when on it is a success."""

    name: Line
    definition: Line
    target: Line


class Operation(Filled):
    """What the operator says."""

    rollback_plan: Annotated[list[Back], Field(min_length=1, max_length=6)]
    success_metrics: Annotated[list[Measure], Field(min_length=1, max_length=5)]


_READS = ("validation", "build", "marketing")
PLANNER = role("launch/planner", "plans the days around the launch and writes the release notes", Days, reads=_READS)
OPERATOR = role("launch/operator", "writes the way back and the measures of success", Operation, reads=_READS)
TEAM = (PLANNER, OPERATOR)


def by_team(models: Models, context: StepContext) -> tuple[Days, Operation]:
    """The planner's days in order, with the launch itself among them, and the operator's part."""
    days = ask(models, PLANNER, readable(context, PLANNER))
    if all(entry.day != 0 for entry in days.timeline):
        days.timeline.append(Planned(day=0, what="Launch.", why="Everything before leads here."))
    days.timeline.sort(key=lambda entry: entry.day)
    context.check()
    return days, ask(models, OPERATOR, readable(context, OPERATOR))
