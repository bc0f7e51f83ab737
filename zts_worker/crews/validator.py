"""Decides whether an idea is worth building: a rubric over its text, the gates, the risks and a recommendation."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews import validator_advice as advice
from zts_worker.crews.output import Answer, CrewOutput
from zts_worker.crews.reading import IdeaReading, read_idea
from zts_worker.crews.safeguards import Care, care_of, missing_for_compliance, missing_for_security
from zts_worker.crews.validator_rubric import RUBRIC

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Recommendation = Literal["go", "no_go", "pivot", "research"]

LEAST_TO_PASS = 0.5
"""Below half of the points an idea is a topic, not yet an idea."""
MOST_WHEN_UNREAD = 0.55
"""Cap for texts whose language is not read in full: below every gate of the shipped workflows."""
MOST_WHEN_UNLAWFUL = 0.1
MOST_WHEN_INFEASIBLE = 0.4


class RubricPoint(Answer):
    """One judged question: its share of the total, what it earned and the sentence that rests on ("" for none)."""

    name: str
    weight: Share
    score: Share
    reason: str
    sentence: str


class Market(Answer):
    """What the text says of demand; the offline form looks nothing up."""

    monetisation: list[str] = Field(description="Sentences on price or savings.")
    evidence: list[str] = Field(description="Sentences with figures.")
    demand: Literal["shown", "claimed", "unknown"] = Field(description="Asked or counted; only claimed; not said.")


class Risk(Answer):
    """Something that may go wrong, how bad, and what to do about it first."""

    name: str
    severity: Literal["low", "medium", "high"]
    reason: str
    mitigation: str


class Scope(Answer):
    """What a first version does and what it leaves for later."""

    included: list[str]
    left_out: list[str]


class ValidatorCrew:
    """Judges the idea's text."""

    name: ClassVar[str] = "ValidatorCrew"
    namespace: ClassVar[str] = "validation"
    team: ClassVar[str] = "zts_worker.crews.validator_team:TEAM"

    class Output(CrewOutput):
        """The verdict, and everything it rests on."""

        confidence: Share = Field(description="Weighted sum of the rubric, capped where a gate failed.")
        passed: bool = Field(description="Lawful, feasible, readable, and at least half of the points.")
        is_technically_feasible: bool = Field(description="Nothing asked for is beyond physics or a small team.")
        compliance_ready: bool = Field(description="No personal data, or the text promises its lawful handling.")
        security_approved: bool = Field(description="What needs protection is protected by a promise in the text.")
        recommendation: Recommendation
        reason: str = Field(description="The recommendation in one sentence.")
        title: str
        kind: str = Field(description="web, mobile, hardware, data, marketplace, internal_tool, game or api.")
        language: str = Field(description="ISO 639-1 code; `und` where none could be told.")
        problem: str = Field(description="The sentence that names the pain; empty where none does.")
        audience: list[str]
        alternatives: list[str]
        seen_before: list[str] = Field(description="Earlier runs with a like idea; judged anew all the same.")
        market: Market
        feasibility: list[str] = Field(description="Sentences on what building it takes.")
        missing_for_compliance: list[str]
        missing_for_security: list[str]
        unlawful: list[str] = Field(description="Sentences that describe something illegal.")
        risks: list[Risk]
        mvp_scope: Scope
        rubric: list[RubricPoint]

    def run(self, context: StepContext) -> ValidatorCrew.Output:
        """Read the idea, judge every point, and say what follows."""
        reading = read_idea(context.idea)
        care = care_of(reading)
        context.check()
        rubric = judged(reading, care)
        output = _verdict(reading, care, rubric).model_copy(
            update={"seen_before": [f"{seen}"[:1].upper() + f"{seen}"[1:] for seen in context.seen_before]}
        )
        if context.models is not None:
            output = _by_team(context.models, context, reading, output)
        context.say(f"{output.recommendation} at {output.confidence:.2f}: {output.reason}")
        return output


def judged(reading: IdeaReading, care: Care) -> list[RubricPoint]:
    """Every point of the rubric for this reading, in the rubric's order."""
    points = []
    for name, weight, judge in RUBRIC:
        point = judge(reading, care)
        score = round(min(1.0, point.score), 3)
        points.append(RubricPoint(name=name, weight=weight, score=score, reason=point.reason, sentence=point.sentence))
    return points


def confidence_of(reading: IdeaReading, rubric: list[RubricPoint], *, read_in_full: bool | None = None) -> float:
    """Weighted sum of the rubric (0..1, three decimals), capped by what rules the idea out.

    `read_in_full` says whether whoever scored knows the idea's language; the rules know English.
    """
    total = sum(point.weight * point.score for point in rubric)
    caps = [total]
    if not (reading.language == "en" if read_in_full is None else read_in_full):
        caps.append(MOST_WHEN_UNREAD)
    if not _is_feasible(rubric):
        caps.append(MOST_WHEN_INFEASIBLE)
    if reading.unlawful:
        caps.append(MOST_WHEN_UNLAWFUL)
    return round(min(caps), 3)


def _is_feasible(rubric: list[RubricPoint]) -> bool:
    return next(point.score for point in rubric if point.name == "feasibility") >= 0.5


def _verdict(reading: IdeaReading, care: Care, rubric: list[RubricPoint]) -> ValidatorCrew.Output:
    confidence = confidence_of(reading, rubric)
    feasible = _is_feasible(rubric)
    readable = reading.language == "en" and bool(reading.entities)
    compliance = missing_for_compliance(care)
    security = missing_for_security(care)
    recommendation, reason = advice.recommend(reading, confidence, _scores(rubric))
    return ValidatorCrew.Output(
        mode="offline",
        not_judged=[*reading.not_judged, *advice.NOT_JUDGED],
        confidence=confidence,
        passed=feasible and readable and not reading.unlawful and confidence >= LEAST_TO_PASS,
        is_technically_feasible=feasible,
        compliance_ready=readable and not compliance and not reading.unlawful,
        security_approved=readable and not security and not reading.unlawful,
        recommendation=recommendation,
        reason=reason,
        title=reading.title,
        kind=reading.kind,
        language=reading.language,
        problem=reading.problem,
        audience=list(reading.audience),
        alternatives=list(reading.alternatives),
        seen_before=[],
        market=_market(reading, _scores(rubric)),
        feasibility=advice.building(reading),
        missing_for_compliance=compliance,
        missing_for_security=security,
        unlawful=list(reading.unlawful),
        risks=[
            Risk(name=n, severity=s, reason=r, mitigation=m)
            for n, s, r, m in advice.risks(reading, care, _scores(rubric))
        ],
        mvp_scope=Scope(included=advice.included(reading), left_out=advice.left_out(reading)),
        rubric=rubric,
    )


def _by_team(
    models: Models, context: StepContext, reading: IdeaReading, rules: ValidatorCrew.Output
) -> ValidatorCrew.Output:
    """The rules' output with the agents' judgement; gates, weights and promises stay as they are."""
    from zts_worker.crews.validator_team import by_team

    said = by_team(models, context, rules)
    points, (recommendation, reason) = said.pop("points"), said.pop("advice")
    rubric = [_scored(point, points[point.name].points, points[point.name].reason) for point in rules.rubric]
    confidence = confidence_of(reading, rubric, read_in_full=True)
    feasible = _is_feasible(rubric)
    passed = feasible and not reading.unlawful and confidence >= LEAST_TO_PASS
    if reading.unlawful:
        recommendation, reason = "no_go", rules.reason
    elif recommendation == "go" and not passed:
        recommendation, reason = "research", f"The points do not carry a go: {reason}"
    decided = {"confidence": confidence, "passed": passed, "is_technically_feasible": feasible, "rubric": rubric}
    advice = {"recommendation": recommendation, "reason": reason, "mode": "model"}
    return ValidatorCrew.Output.model_validate({**rules.model_dump(), **said, **decided, **advice})


def _scored(point: RubricPoint, points: int, reason: str) -> RubricPoint:
    impossible = point.name == "feasibility" and point.score == 0.0
    return point if impossible else point.model_copy(update={"score": points / 10, "reason": reason})


def _scores(rubric: list[RubricPoint]) -> dict[str, float]:
    return {point.name: point.score for point in rubric}


def _market(reading: IdeaReading, scores: dict[str, float]) -> Market:
    demand: Literal["shown", "claimed", "unknown"] = "unknown"
    if scores["evidence"] > 0.8:
        demand = "shown"
    elif scores["evidence"] > 0.0:
        demand = "claimed"
    return Market(monetisation=list(reading.monetisation), evidence=list(reading.numbers), demand=demand)
