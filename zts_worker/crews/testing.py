"""Decides whether the tests of what was made hold, one by one, and whether a failure is one that must stop the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews.output import Answer, CrewOutput

if TYPE_CHECKING:
    from zts_worker.crews.examining.running import CaseRecord, Tested

SOURCES = (("prototype", "prototype"), ("build", "project"))
"""Namespaces whose tests are run, the first that is there; each with the folder its files are in."""
LIMIT_S = 300.0
_VITAL = re.compile(r"safe|fail_?safe|emergency|overheat|overcurrent|never_on_longer|security|injection", re.I)
NOT_JUDGED = ("What no test asks about.", "Behaviour on the real device or under real load.")

Outcome = Literal["passed", "failed", "error", "skipped"]
Severity = Literal["none", "low", "high", "critical"]


class CaseResult(Answer):
    """One test; `severity` is none where it held, low where it was skipped, critical where safety depends on it."""

    id: str
    outcome: Outcome
    severity: Severity
    message: str
    seconds: float


class Cause(Answer):
    """What an analyst takes for the cause of a failing test, and what to change first."""

    test: str
    cause: str
    severity: Severity
    change_first: str


class TestReport(CrewOutput):
    """What the tests say."""

    passed: bool = Field(description="There are tests, all ran, and none failed.")
    critical_failure: bool = Field(description="Safety does not hold, or the tests cannot be run at all.")
    examined: str = Field(description="`prototype`, `build` or `nothing`.")
    summary: str
    ran: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    results: list[CaseResult] = Field(default_factory=list)
    trouble: str = Field(default="", description="Why there is no complete result, empty where there is.")
    isolation: list[str] = Field(default_factory=list)
    causes: list[Cause] = Field(default_factory=list, description="An analyst's, with a model.")
    untested: list[str] = Field(default_factory=list, description="What no test asks about, says an analyst.")


class TestingCrew:
    """Runs the prototype's tests, or the project's."""

    __test__: ClassVar[bool] = False
    name: ClassVar[str] = "TestingCrew"
    namespace: ClassVar[str] = "testing"
    team: ClassVar[str] = "zts_worker.crews.testing_team:TEAM"
    Output: ClassVar[type[TestReport]] = TestReport

    def run(self, context: StepContext) -> TestReport:
        """Run the tests in the sandbox; TransientError where that cannot be set up."""
        from zts_worker.crews.examining.running import run_tests

        source = next((source for source in SOURCES if context.earlier_artifacts.paths(source[0])), None)
        if source is None:
            return _nothing()
        namespace, prefix = source
        folder = context.work_folder / "made"
        folder.mkdir(parents=True, exist_ok=True)
        context.earlier_artifacts.extract(namespace, folder)
        context.check()
        context.say(f"running the tests of the {prefix}")
        tested = run_tests(
            _inside(folder, prefix),
            context.work_folder / "room",
            timeout_s=max(1.0, min(LIMIT_S, context.seconds_left - 10.0)),
        )
        report = _report(namespace, tested)
        context.say(report.summary)
        if context.models is None:
            return report
        from zts_worker.crews.testing_team import by_team

        return by_team(context.models, context, report)


def _inside(folder: Path, prefix: str) -> Path:
    return folder / prefix if (folder / prefix).is_dir() else folder


def _report(examined: str, tested: Tested) -> TestReport:
    results = [_result(record) for record in tested.tests]
    failed = [result for result in results if result.outcome in ("failed", "error")]
    skipped = sum(result.outcome == "skipped" for result in results)
    passed = bool(results) and not failed and not tested.trouble
    critical = bool(tested.trouble) or not results or any(result.severity == "critical" for result in failed)
    return TestReport(
        mode="offline",
        not_judged=list(NOT_JUDGED),
        passed=passed,
        critical_failure=critical,
        examined=examined,
        summary=_summary(len(results), len(failed), skipped=skipped, trouble=tested.trouble),
        ran=len(results),
        failed=len(failed),
        skipped=skipped,
        seconds=tested.seconds,
        results=results,
        trouble=tested.trouble,
        isolation=list(tested.isolation),
    )


def _result(record: CaseRecord) -> CaseResult:
    outcome: Outcome = record.outcome if record.outcome in ("passed", "failed", "skipped") else "error"  # type: ignore[assignment]
    return CaseResult(
        id=record.id,
        outcome=outcome,
        severity=_severity(record.id, outcome),
        message=record.message,
        seconds=record.seconds,
    )


def _severity(test_id: str, outcome: Outcome) -> Severity:
    if outcome == "passed":
        return "none"
    if outcome == "skipped":
        return "low"
    # A module that cannot be imported hides all its tests, those of safety too.
    return "critical" if _VITAL.search(test_id) or "_FailedTest" in test_id else "high"


def _summary(ran: int, failed: int, *, skipped: int, trouble: str) -> str:
    if trouble:
        return f"The tests did not end well: {trouble.splitlines()[0][:200]}"
    if not ran:
        return "There are no tests."
    return f"{ran} tests: {ran - failed - skipped} passed, {failed} failed, {skipped} skipped."


def _nothing() -> TestReport:
    return TestReport(
        mode="offline",
        not_judged=list(NOT_JUDGED),
        passed=False,
        critical_failure=True,
        examined="nothing",
        summary="Neither a prototype nor a project was made before: there is nothing to test.",
        trouble="nothing to test",
    )
