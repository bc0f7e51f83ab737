"""Every path of the seven shipped workflows, as a table: what the crews give, and what must come of it.

A path is written as its waves, states that start at once joined by `+`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zts_core.run import Outcome

Fields = Mapping[str, Any]

GO = {"validation.confidence": 0.95, "validation.passed": True, "validation.is_technically_feasible": True}
PLANNED = {**GO, "graph.status": "generated"}
BUILT = {**PLANNED, "build.status": "completed"}
CAREFUL = {**BUILT, "validation.compliance_ready": True, "validation.security_approved": True}
DESIGNED = {"validation.passed": True, "design.approved": True}

CLEARED = {
    "feedback.enterprise_approved": True,
    "feedback.security_approved": True,
    "feedback.compliance_approved": True,
}
TURNED_DOWN = {"feedback.approved": False, "feedback.rejected": True, "feedback.escalated": False}
AWAY = ("default_software_build", "validation_and_launch")
FURTHER = (*AWAY, "rapid_prototype")

TO_REVIEW = "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION MARKETING_PREPARATION+LAUNCH_PREPARATION"
REVIEWS = "FEEDBACK_ITERATION_{0}.REWORK FEEDBACK_ITERATION_{0}.FEEDBACK_REVIEW"
FIRST, SECOND, THIRD = "FEEDBACK_ITERATION_1.FEEDBACK_REVIEW", REVIEWS.format(2), REVIEWS.format(3)
TO_ENTERPRISE_REVIEW = (
    "IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION MARKETING_PREPARATION+LAUNCH_PREPARATION+COMPLIANCE_CHECK"
)
TO_HARDWARE_TEST = "IDEA_VALIDATION HARDWARE_DESIGN PROTOTYPE_BUILD"
DONE = "all its steps are done"
UNAPPROVED = "not approved, a person has to look at the change requests that are left"
APPROVED = {"feedback.approved": True}


@dataclass(frozen=True)
class Path:
    """One way through one workflow."""

    workflow: str
    what: str
    given: Fields
    waves: str
    outcome: Outcome
    reason: str = DONE
    route: tuple[str, ...] = ()
    failing: tuple[str, ...] = field(default=())

    @property
    def workflows(self) -> tuple[str, ...]:
        """All workflows the run goes through."""
        return self.route or (self.workflow,)


def at(state: str, given: Fields) -> dict[str, Any]:
    """These fields, from one state only."""
    return {f"{state}:{name}": value for name, value in given.items()}


def lines(prefix: str, count: int) -> str:
    """The states of a loop of one step."""
    return " ".join(f"{prefix}_{number}" for number in range(1, count + 1))


DEFAULT = "default_software_build"
_DEFAULT = (
    Path(DEFAULT, "approved at once", {**BUILT, "feedback.approved": True}, f"{TO_REVIEW} {FIRST}", Outcome.COMPLETED),
    Path(
        DEFAULT,
        "approved after rework",
        {**BUILT, **TURNED_DOWN, **at("FEEDBACK_ITERATION_2.FEEDBACK_REVIEW", {"feedback.approved": True})},
        f"{TO_REVIEW} {FIRST} {SECOND}",
        Outcome.COMPLETED,
    ),
    Path(
        DEFAULT,
        "neither approved nor rejected: reviewed again without rework",
        {**BUILT, "feedback.approved": False, "feedback.rejected": False},
        f"{TO_REVIEW} {FIRST} FEEDBACK_ITERATION_2.FEEDBACK_REVIEW FEEDBACK_ITERATION_3.FEEDBACK_REVIEW",
        Outcome.EXHAUSTED,
        "FEEDBACK_ITERATION used all its 3 iterations",
    ),
    Path(
        DEFAULT,
        "never approved",
        {**BUILT, **TURNED_DOWN},
        f"{TO_REVIEW} {FIRST} {SECOND} {THIRD}",
        Outcome.EXHAUSTED,
        "FEEDBACK_ITERATION used all its 3 iterations",
    ),
    Path(
        DEFAULT,
        "the plan failed",
        {**GO, "graph.status": "failed"},
        "IDEA_VALIDATION GRAPH_GENERATION",
        Outcome.REJECTED,
        'TASK_EXECUTION: graph.status = "failed" is not == "generated"',
    ),
    Path(
        DEFAULT,
        "the build failed: neither marketed nor launched, but reviewed",
        {**PLANNED, "build.status": "failed", **TURNED_DOWN},
        f"IDEA_VALIDATION GRAPH_GENERATION TASK_EXECUTION {FIRST} {SECOND} {THIRD}",
        Outcome.EXHAUSTED,
        "FEEDBACK_ITERATION used all its 3 iterations",
    ),
    Path(
        DEFAULT,
        "0.8 is not above 0.8: announced, not built",
        {**GO, **APPROVED, "validation.confidence": 0.8},
        "IDEA_VALIDATION IDEA_VALIDATION MARKETING_PREPARATION+LAUNCH_PREPARATION FEEDBACK_COLLECTION",
        Outcome.COMPLETED,
        route=AWAY,
    ),
    Path(
        DEFAULT,
        "infeasible, and turned down twice more",
        {**GO, "validation.is_technically_feasible": False, "validation.passed": False, "validation.confidence": 0.4},
        "IDEA_VALIDATION IDEA_VALIDATION IDEA_VALIDATION",
        Outcome.REJECTED,
        "TASK_EXECUTION: validation.confidence = 0.4 is not > 0.6",
        FURTHER,
    ),
    Path(
        DEFAULT,
        "a doubtful idea ends as a prototype",
        {"validation.confidence": 0.65, "validation.passed": True, "feedback.quick_approval": True},
        "IDEA_VALIDATION IDEA_VALIDATION IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        Outcome.COMPLETED,
        route=FURTHER,
    ),
)

LAUNCHES = "validation_and_launch"
_LAUNCHES = (
    Path(
        LAUNCHES,
        "announced",
        {"validation.confidence": 0.71, "validation.passed": True, **APPROVED},
        "IDEA_VALIDATION MARKETING_PREPARATION+LAUNCH_PREPARATION FEEDBACK_COLLECTION",
        Outcome.COMPLETED,
    ),
    Path(
        LAUNCHES,
        "announced, and the review asks for changes",
        {"validation.confidence": 0.71, "validation.passed": True, **TURNED_DOWN},
        "IDEA_VALIDATION MARKETING_PREPARATION+LAUNCH_PREPARATION FEEDBACK_COLLECTION",
        Outcome.COMPLETED,
        UNAPPROVED,
    ),
    Path(
        LAUNCHES,
        "0.7 is not above 0.7: a prototype first",
        {"validation.confidence": 0.7, "validation.passed": True, "feedback.quick_approval": True},
        "IDEA_VALIDATION IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        Outcome.COMPLETED,
        route=FURTHER[1:],
    ),
    Path(
        LAUNCHES,
        "not passed: a prototype first",
        {"validation.confidence": 0.9, "validation.passed": False, "feedback.rejected": True},
        "IDEA_VALIDATION IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        Outcome.REJECTED,
        "QUICK_FEEDBACK_1: feedback.rejected = true is == true",
        FURTHER[1:],
    ),
    Path(
        LAUNCHES,
        "not even a prototype",
        {"validation.confidence": 0.6, "validation.passed": False},
        "IDEA_VALIDATION IDEA_VALIDATION",
        Outcome.REJECTED,
        "TASK_EXECUTION: validation.confidence = 0.6 is not > 0.6",
        FURTHER[1:],
    ),
)

BUILD = "just_the_build"
_BUILD = (
    Path(BUILD, "built and approved", APPROVED, "TASK_EXECUTION FEEDBACK_COLLECTION", Outcome.COMPLETED),
    Path(
        BUILD,
        "built, and the review asks for changes",
        TURNED_DOWN,
        "TASK_EXECUTION FEEDBACK_COLLECTION",
        Outcome.COMPLETED,
        UNAPPROVED,
    ),
)

MARKETING = "marketing_focus"
_MARKETING = (
    Path(
        MARKETING,
        "all of it",
        {"validation.passed": True, "marketing.ready": True},
        "IDEA_VALIDATION MARKETING_PREPARATION LAUNCH_PREPARATION",
        Outcome.COMPLETED,
    ),
    Path(
        MARKETING,
        "not passed",
        {"validation.passed": False},
        "IDEA_VALIDATION",
        Outcome.REJECTED,
        "MARKETING_PREPARATION: validation.passed = false is not == true",
    ),
    Path(
        MARKETING,
        "marketing not ready",
        {"validation.passed": True, "marketing.ready": False},
        "IDEA_VALIDATION MARKETING_PREPARATION",
        Outcome.REJECTED,
        "LAUNCH_PREPARATION: marketing.ready = false is not == true",
    ),
)

RAPID = "rapid_prototype"
_RAPID = (
    Path(
        RAPID,
        "approved at the second look",
        {"validation.confidence": 0.61, **at("QUICK_FEEDBACK_2", {"feedback.quick_approval": True})},
        "IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1 QUICK_FEEDBACK_2",
        Outcome.COMPLETED,
    ),
    Path(
        RAPID,
        "approval is read before rejection",
        {"validation.confidence": 0.61, "feedback.quick_approval": True, "feedback.rejected": True},
        "IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        Outcome.COMPLETED,
    ),
    Path(
        RAPID,
        "rejected",
        {"validation.confidence": 0.61, "feedback.rejected": True},
        "IDEA_VALIDATION TASK_EXECUTION QUICK_FEEDBACK_1",
        Outcome.REJECTED,
        "QUICK_FEEDBACK_1: feedback.rejected = true is == true",
    ),
    Path(
        RAPID,
        "neither, twice",
        {"validation.confidence": 0.61, "feedback.quick_approval": False, "feedback.rejected": False},
        f"IDEA_VALIDATION TASK_EXECUTION {lines('QUICK_FEEDBACK', 2)}",
        Outcome.EXHAUSTED,
        "QUICK_FEEDBACK used all its 2 iterations",
    ),
    Path(
        RAPID,
        "not promising",
        {"validation.confidence": 0.6},
        "IDEA_VALIDATION",
        Outcome.REJECTED,
        "TASK_EXECUTION: validation.confidence = 0.6 is not > 0.6",
    ),
)

ENTERPRISE = "enterprise_workflow"


def _at_the_gate(what: str, changed: Fields, reason: str) -> Path:
    given = {**CAREFUL, **changed}
    return Path(ENTERPRISE, what, given, "IDEA_VALIDATION", Outcome.REJECTED, f"GRAPH_GENERATION: {reason}")


def _never_cleared(what: str, lacks: str) -> Path:
    waves = f"{TO_ENTERPRISE_REVIEW} {lines('ENTERPRISE_FEEDBACK', 5)}"
    given = {**CAREFUL, **CLEARED, lacks: False}
    return Path(ENTERPRISE, what, given, waves, Outcome.EXHAUSTED, "ENTERPRISE_FEEDBACK used all its 5 iterations")


_ENTERPRISE = (
    Path(
        ENTERPRISE,
        "cleared at once",
        {**CAREFUL, **CLEARED},
        f"{TO_ENTERPRISE_REVIEW} ENTERPRISE_FEEDBACK_1",
        Outcome.COMPLETED,
    ),
    Path(
        ENTERPRISE,
        "cleared at the fifth look",
        {**CAREFUL, **at("ENTERPRISE_FEEDBACK_5", CLEARED)},
        f"{TO_ENTERPRISE_REVIEW} {lines('ENTERPRISE_FEEDBACK', 5)}",
        Outcome.COMPLETED,
    ),
    _never_cleared("no enterprise approval", "feedback.enterprise_approved"),
    _never_cleared("no security approval", "feedback.security_approved"),
    _never_cleared("no compliance approval", "feedback.compliance_approved"),
    _at_the_gate("0.9 is not above 0.9", {"validation.confidence": 0.9}, "validation.confidence = 0.9 is not > 0.9"),
    _at_the_gate(
        "not ready for compliance",
        {"validation.compliance_ready": False},
        "validation.compliance_ready = false is not == true",
    ),
    _at_the_gate(
        "not secure", {"validation.security_approved": False}, "validation.security_approved = false is not == true"
    ),
    Path(
        ENTERPRISE,
        "the plan failed",
        {**CAREFUL, "graph.status": "failed"},
        "IDEA_VALIDATION GRAPH_GENERATION",
        Outcome.REJECTED,
        'TASK_EXECUTION: graph.status = "failed" is not == "generated"',
    ),
)

HARDWARE = "hardware_prototype"
_HARDWARE = (
    Path(
        HARDWARE,
        "its tests pass",
        {**DESIGNED, "testing.passed": True},
        f"{TO_HARDWARE_TEST} HARDWARE_TESTING_1",
        Outcome.COMPLETED,
    ),
    Path(
        HARDWARE,
        "its tests pass the third time",
        {**DESIGNED, "testing.passed": False, **at("HARDWARE_TESTING_3", {"testing.passed": True})},
        f"{TO_HARDWARE_TEST} {lines('HARDWARE_TESTING', 3)}",
        Outcome.COMPLETED,
    ),
    Path(
        HARDWARE,
        "a critical failure",
        {**DESIGNED, "testing.passed": False, "testing.critical_failure": True},
        f"{TO_HARDWARE_TEST} HARDWARE_TESTING_1",
        Outcome.FAILED,
        "HARDWARE_TESTING_1: testing.critical_failure = true is == true",
    ),
    Path(
        HARDWARE,
        "small failures that stay",
        {**DESIGNED, "testing.passed": False, "testing.critical_failure": False},
        f"{TO_HARDWARE_TEST} {lines('HARDWARE_TESTING', 3)}",
        Outcome.EXHAUSTED,
        "HARDWARE_TESTING used all its 3 iterations",
    ),
    Path(
        HARDWARE,
        "not passed",
        {"validation.passed": False},
        "IDEA_VALIDATION",
        Outcome.REJECTED,
        "HARDWARE_DESIGN: validation.passed = false is not == true",
    ),
    Path(
        HARDWARE,
        "no design, as for an idea that is no device",
        {"validation.passed": True, "design.approved": False},
        "IDEA_VALIDATION HARDWARE_DESIGN",
        Outcome.REJECTED,
        "PROTOTYPE_BUILD: design.approved = false is not == true",
    ),
)

ESCALATED = Path(
    DEFAULT,
    "escalated: a person has to look",
    {**BUILT, "feedback.rejected": True, **at("FEEDBACK_ITERATION_2.FEEDBACK_REVIEW", {"feedback.escalated": True})},
    f"{TO_REVIEW} {FIRST} {SECOND}",
    Outcome.COMPLETED,
    UNAPPROVED,
)

PATHS = (*_DEFAULT, ESCALATED, *_LAUNCHES, *_BUILD, *_MARKETING, *_RAPID, *_ENTERPRISE, *_HARDWARE)
