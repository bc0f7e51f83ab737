"""Decides how agents present a product: a strategist positions it, a copywriter writes the posts and the e-mails."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.team import Filled, Line, Paragraph, Sentence, ask, readable, role


class Position(Filled):
    """What the strategist says."""

    positioning: Sentence
    value_proposition: Line
    audience: Annotated[list[Line], Field(min_length=1, max_length=4)]


class Said(Filled):
    """A post."""

    channel: Line
    text: Paragraph


class Letter(Filled):
    """An e-mail, sent `day` days after sign-up."""

    day: Literal[0, 1, 2, 3, 5, 7, 10, 14, 21, 30]
    subject: Line
    body: Paragraph


class Words(Filled):
    """What the copywriter says."""

    posts: Annotated[list[Said], Field(min_length=1, max_length=4)]
    emails: Annotated[list[Letter], Field(min_length=1, max_length=4)]


STRATEGIST = role("marketing/strategist", "says for whom it is and what it replaces", Position, reads=("validation",))
COPYWRITER = role("marketing/copywriter", "writes posts and e-mails from the strategist's positioning", Words)
TEAM = (STRATEGIST, COPYWRITER)


def by_team(models: Models, context: StepContext) -> tuple[Position, Words]:
    """The strategist's and then the copywriter's answer; e-mails in the order of their days."""
    position = ask(models, STRATEGIST, readable(context, STRATEGIST))
    context.check()
    given = {"Idea": context.idea, "Positioning": position.model_dump()}
    words = ask(models, COPYWRITER, given)
    words.emails.sort(key=lambda letter: letter.day)
    return position, words
