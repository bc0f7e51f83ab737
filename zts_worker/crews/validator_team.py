"""Decides how agents judge an idea: an analyst reads it, a judge scores it, a sceptic looks for what goes wrong.

The judge gives points, the rubric's weights and the gates make the verdict of them: no agent can wave through what is
unlawful or promises nothing about the data it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field, create_model

from zts_core.crew import Models, StepContext
from zts_worker.crews.team import NOT_CHECKED, Filled, Line, Points, Sentence, ask, readable, role
from zts_worker.crews.validator_rubric import RUBRIC

if TYPE_CHECKING:
    from zts_worker.crews.validator import ValidatorCrew

Advice = Literal["go", "no_go", "pivot", "research"]


class Analysis(Filled):
    """What the analyst reads out of the idea."""

    problem: Sentence
    audience: Annotated[list[Line], Field(max_length=4)]
    alternatives: Annotated[list[Line], Field(max_length=4)]


class Score(Filled):
    """Points for one question, and why."""

    reason: Line
    points: Points


class Threat(Filled):
    """Something that may go wrong."""

    name: Line
    severity: Literal["low", "medium", "high"]
    reason: Line
    mitigation: Line


class Doubts(Filled):
    """What the sceptic says."""

    recommendation: Advice
    reason: Sentence
    risks: Annotated[list[Threat], Field(max_length=4)]


_FIELDS: dict[str, Any] = {
    name: (Score, Field(description=(judge.__doc__ or name).strip())) for name, _, judge in RUBRIC
}
Scores: type[Filled] = create_model("Scores", __base__=Filled, **_FIELDS)
"""One score for each point of the rubric, by its name."""


ANALYST = role("validator/analyst", "reads problem, audience and alternatives out of the idea", Analysis)
JUDGE = role("validator/judge", "gives points for each question of the rubric, with reasons", Scores)
SCEPTIC = role("validator/sceptic", "names the risks and recommends", Doubts)
TEAM = (ANALYST, JUDGE, SCEPTIC)


def by_team(models: Models, context: StepContext, rules: ValidatorCrew.Output) -> dict[str, Any]:
    """What the agents change of the rules' output, as its fields; `points` and `advice` for the crew to weigh."""
    found = rules.model_dump(include={"title", "kind", "problem", "audience", "alternatives", "unlawful"})
    analysis = ask(models, ANALYST, readable(context, ANALYST, rules=found))
    shown = {"Idea": context.idea, "Analysis": analysis.model_dump()}
    scores = ask(models, JUDGE, shown)
    context.check()
    doubts = ask(models, SCEPTIC, {**shown, "Scores": scores.model_dump()})
    return {
        "problem": analysis.problem,
        "audience": analysis.audience,
        "alternatives": analysis.alternatives,
        "risks": [threat.model_dump() for threat in doubts.risks],
        "points": {name: cast(Score, getattr(scores, name)) for name, _, _ in RUBRIC},
        "advice": (doubts.recommendation, doubts.reason),
        "not_judged": [*rules.not_judged, NOT_CHECKED],
    }
