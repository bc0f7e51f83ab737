"""Decides what an architect may ask of an engineer: a few changes, each a task of its own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from zts_core.crew import Models, Role
from zts_worker.crews.output import ModelChange
from zts_worker.crews.team import Filled, Line, Paragraph, ask
from zts_worker.crews.workshop.improving import MOST_TASKS, Outcome, Task


class Change(Filled):
    """Something to add or change."""

    title: Line
    detail: Paragraph


class Changes(Filled):
    """What the architect says."""

    changes: Annotated[list[Change], Field(max_length=MOST_TASKS)]


def planned(models: Models, role: Role[Changes], given: dict[str, Any]) -> list[Task]:
    """The architect's changes as tasks."""
    return [Task(change.title, change.detail) for change in ask(models, role, given).changes]


def told(outcomes: list[Outcome]) -> list[ModelChange]:
    """What became of the tasks, for the crew's output."""
    return [
        ModelChange(title=item.task.title, kept=item.kept, files=list(item.files), reason=item.reason)
        for item in outcomes
    ]
