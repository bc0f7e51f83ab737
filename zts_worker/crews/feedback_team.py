"""Decides what a reviewing agent adds to an examination: comments. What is approved is measured, never said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.team import Filled, Sentence, ask, role

if TYPE_CHECKING:
    from zts_worker.crews.examining.review import Review

MOST_FILES = 6
LONGEST_FILE = 6000
_TELLING = ("README.md", "schema.py", "app.py", "web.py", "api.py", "forms.py")
_MEASURED = {"approved", "score", "summary", "tests", "scope", "change_requests", "comments"}


class Comments(Filled):
    """What the reviewer says."""

    comments: Annotated[list[Sentence], Field(max_length=6)]


REVIEWER = role("feedback/reviewer", "reads what was built and comments on what no measurement sees", Comments)
TEAM = (REVIEWER,)


def by_team(models: Models, context: StepContext, review: Review) -> Review:
    """The review with the reviewer's comments behind its own."""
    measured = review.model_dump(mode="json", include=_MEASURED)
    given = {"Idea": context.idea, "Measured": measured, **_files(context)}
    said = ask(models, REVIEWER, given).comments
    comments = [*review.comments, *(f"reviewer: {comment}" for comment in said)]
    return review.model_copy(update={"mode": "model", "comments": comments})


def _files(context: StepContext) -> dict[str, str]:
    """Files of the build that tell most, each cut."""
    paths = [path for path in context.earlier_artifacts.paths("build") if path.rpartition("/")[2] in _TELLING]
    read = context.earlier_artifacts.read_bytes
    return {
        f"File {path}": read("build", path).decode("utf-8", "replace")[:LONGEST_FILE] for path in paths[:MOST_FILES]
    }
