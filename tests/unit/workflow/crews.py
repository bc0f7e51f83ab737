"""The shapes of the ten crews as the workflows read them, and a shelf on which the checks find them by name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from zts_core.workflow.shapes import CrewShape, shape_of

Share = Annotated[float, Field(ge=0, le=1)]
Recommendation = Literal["go", "no_go", "pivot", "research"]


class Risk(BaseModel):
    name: str
    weight: int


class Validation(BaseModel):
    confidence: Share
    passed: bool
    is_technically_feasible: bool
    compliance_ready: bool
    security_approved: bool
    recommendation: Recommendation
    market: str | None = None
    score: Annotated[float, Field(gt=0)] | None = None
    risks: list[Risk] = []


class Task(BaseModel):
    id: str
    hours: float
    needs: list[str] = []


class Graph(BaseModel):
    status: Literal["generated", "failed"]
    tasks: list[Task]
    few: Annotated[list[str], Field(max_length=3)] = []
    by_name: dict[str, Task] = {}


class Build(BaseModel):
    status: Literal["completed", "failed"]
    files: list[str] = []


class Ready(BaseModel):
    ready: bool


class Feedback(BaseModel):
    approved: bool
    escalated: bool
    quick_approval: bool
    rejected: bool
    enterprise_approved: bool
    security_approved: bool
    compliance_approved: bool


class Passed(BaseModel):
    passed: bool


class Design(BaseModel):
    approved: bool


class Testing(BaseModel):
    passed: bool
    critical_failure: bool


_OUTPUTS: dict[str, tuple[str, type[BaseModel]]] = {
    "ValidatorCrew": ("validation", Validation),
    "GraphCrew": ("graph", Graph),
    "BuilderCrew": ("build", Build),
    "MarketingCrew": ("marketing", Ready),
    "LaunchCrew": ("launch", Ready),
    "FeedbackCrew": ("feedback", Feedback),
    "ComplianceCrew": ("compliance", Passed),
    "HardwareCrew": ("design", Design),
    "PrototypeCrew": ("prototype", Ready),
    "TestingCrew": ("testing", Testing),
}

SHAPES = {name: shape_of(name, namespace, output) for name, (namespace, output) in _OUTPUTS.items()}


def shapes(name: str) -> CrewShape | None:
    """The shape of a crew of this shelf."""
    return SHAPES.get(name)
