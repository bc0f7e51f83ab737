"""Decides what an analyst makes of test results: causes, and severities that may rise and never fall.

Which tests hold is measured; no agent passes or fails one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.team import Filled, Line, Sentence, ask, readable, role

if TYPE_CHECKING:
    from zts_worker.crews.testing import Cause, TestReport

MOST_SHOWN = 20
"""Failing tests an analyst sees; one cause often lets a hundred fail."""
_LONGEST_MESSAGE = 1500


class Suspicion(Filled):
    """What an analyst says of a failing test; `test` is its number in the list, counted from 1."""

    test: Annotated[int, Field(ge=1, le=MOST_SHOWN)]
    cause: Sentence
    severity: Literal["high", "critical"]
    change_first: Line


class Analysis(Filled):
    """What the analyst says."""

    causes: Annotated[list[Suspicion], Field(max_length=8)]
    untested: Annotated[list[Line], Field(max_length=4)]


ANALYST = role(
    "testing/analyst",
    "finds the causes of failing tests, and what no test asks about",
    Analysis,
    reads=("design", "prototype"),
)
TEAM = (ANALYST,)


def by_team(models: Models, context: StepContext, report: TestReport) -> TestReport:
    """The report with the analyst's causes; a severity rises where the analyst says so."""
    from zts_worker.crews.testing import Cause

    failing = [result for result in report.results if result.outcome in ("failed", "error")][:MOST_SHOWN]
    shown = [
        {
            "number": number,
            "test": result.id,
            "severity": result.severity,
            "message": result.message[-_LONGEST_MESSAGE:],
        }
        for number, result in enumerate(failing, start=1)
    ]
    measured = {
        "summary": report.summary,
        "trouble": report.trouble[:2000],
        "tests": [item.id for item in report.results],
    }
    given = {**readable(context, ANALYST), "Measured": measured, "Failing tests": shown}
    said = ask(models, ANALYST, given, check=lambda analysis: _check(analysis, len(failing)))
    causes = [
        Cause(
            test=failing[found.test - 1].id,
            cause=found.cause,
            severity=_worse(failing[found.test - 1].severity, found.severity),
            change_first=found.change_first,
        )
        for found in said.causes
    ]
    return _with(report, causes, untested=said.untested)


def _check(analysis: Analysis, failing: int) -> None:
    wrong = [found.test for found in analysis.causes if found.test > failing]
    if wrong:
        raise ValueError(f"there is no failing test {wrong[0]}: {failing} tests fail; leave out causes of others")


def _worse(measured: str, said: Literal["high", "critical"]) -> Literal["high", "critical"]:
    return "critical" if "critical" in (measured, said) else "high"


def _with(report: TestReport, causes: list[Cause], *, untested: list[str]) -> TestReport:
    said = {cause.test: cause.severity for cause in causes}
    results = [
        result.model_copy(update={"severity": said[result.id]}) if result.id in said else result
        for result in report.results
    ]
    return report.model_copy(
        update={
            "mode": "model",
            "results": results,
            "critical_failure": report.critical_failure or "critical" in said.values(),
            "causes": causes,
            "untested": untested,
        }
    )
