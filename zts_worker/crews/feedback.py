"""Decides whether what was made may go out: it is examined for real, and what must change is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from zts_core.crew import StepContext
from zts_worker.crews.examining.review import (
    ChangeRequest,
    FailedTest,
    InstallCheck,
    Remark,
    Review,
    ScopeCheck,
    StartCheck,
    TestSummary,
)

if TYPE_CHECKING:
    from zts_worker.crews.examining.findings import Finding
    from zts_worker.crews.examining.project import Examination

NOT_JUDGED = (
    "Whether people like to use it: nobody was asked.",
    "Whether the idea's market is there: see the validation.",
)


class FeedbackCrew:
    """Installs, tests, starts, reads and compares; where no code was built, the pages and plans instead."""

    name: ClassVar[str] = "FeedbackCrew"
    namespace: ClassVar[str] = "feedback"
    team: ClassVar[str] = "zts_worker.crews.feedback_team:TEAM"
    Output: ClassVar[type[Review]] = Review

    def run(self, context: StepContext) -> Review:
        """Examine and judge; TransientError where the sandbox cannot be set up."""
        review = self.judged(context)
        context.say(review.summary)
        return review

    def judged(self, context: StepContext) -> Review:
        """The review, without a word to whoever watches."""
        from zts_worker.crews.examining.plans import examine_plans, page_troubles
        from zts_worker.crews.examining.project import examine_project

        build = context.earlier("build")
        if build is None:
            return _review(context, examine_plans(context))
        examination = examine_project(context, build)
        # Told, not asked for: the loop sends change requests to the builder, who does not make these pages.
        examination.comments += [f"{trouble.path}: {trouble.message}" for trouble in page_troubles(context)]
        review = _review(context, examination)
        if context.models is None:
            return review
        from zts_worker.crews.feedback_team import by_team

        return by_team(context.models, context, review)


HOLLOW = "the idea names nothing that could be kept or done, so nothing can be compared with it: a person has to look"


def names_something(idea: str) -> bool:
    """Whether the idea has a thing of its own; without one every build fits it."""
    from zts_worker.crews.reading import read_idea

    return bool(read_idea(idea).entities)


def _review(context: StepContext, seen: Examination) -> Review:
    from zts_worker.crews.examining.findings import SECURITY_KINDS, sorted_by_weight

    findings = sorted_by_weight(seen.findings)
    blocking = [finding for finding in findings if finding.blocks]
    security = [finding for finding in findings if finding.kind in SECURITY_KINDS]
    lint = [finding for finding in findings if finding.kind in ("lint", "undefined_name")]
    compliant, said = _compliance(context)
    hollow = not names_something(context.idea)
    approved = not (blocking or hollow)
    requests = [_request(finding) for finding in blocking]
    escalated = hollow or _came_back(context, requests)
    said = [*said, HOLLOW] if hollow else said
    return Review(
        mode="offline",
        approved=approved,
        rejected=not approved,
        escalated=escalated,
        quick_approval=seen.works and not security,
        security_approved=not security,
        compliance_approved=compliant,
        enterprise_approved=approved and compliant and not lint and not seen.scope_missing,
        examined=seen.examined,
        score=_score(seen, security=security, lint=lint),
        summary=_summary(seen, requests, escalated=escalated),
        comments=[*seen.comments, *said, *(f"{item.path}: {item.message}" for item in findings if not item.blocks)],
        change_requests=requests,
        tests=_tests(seen),
        install=_install(seen),
        starts=_starts(seen),
        lint=[_remark(finding) for finding in lint],
        lint_by=seen.lint_by,
        security=[_remark(finding) for finding in security],
        scope=ScopeCheck(covered=list(seen.scope_covered), missing=list(seen.scope_missing)),
        isolation=list(seen.isolation),
        not_judged=[*NOT_JUDGED, *seen.not_judged],
    )


def _request(finding: Finding) -> ChangeRequest:
    return ChangeRequest(
        id=finding.id,
        kind=finding.kind,
        path=finding.path,
        severity=finding.severity,
        message=finding.message,
        evidence=finding.evidence[-4000:],
    )


def _remark(finding: Finding) -> Remark:
    return Remark(
        kind=finding.kind,
        path=finding.path,
        line=finding.line,
        message=finding.message,
        severity=finding.severity,
    )


def _came_back(context: StepContext, requests: Sequence[ChangeRequest]) -> bool:
    """Whether the review before this one asked for exactly the same: another round would change nothing."""
    earlier = (context.earlier("feedback") or {}).get("change_requests") or ()
    before = {str(request.get("id")) for request in earlier if isinstance(request, Mapping)}
    return bool(requests) and before == {request.id for request in requests}


def _compliance(context: StepContext) -> tuple[bool, list[str]]:
    earlier = context.earlier("compliance")
    if earlier is not None:
        passed = earlier.get("passed") is True
        return passed, [] if passed else ["The compliance check did not pass: see the compliance report."]
    asked = context.metadata.get("compliance") or ()
    if asked:
        named = ", ".join(str(name) for name in asked)
        return False, [f"The workflow asks for {named}, and no compliance check was made before this review."]
    return True, []


def _tests(seen: Examination) -> TestSummary:
    if seen.tested is None:
        return TestSummary()
    failed = [record for record in seen.tested.tests if record.failed]
    skipped = sum(record.outcome == "skipped" for record in seen.tested.tests)
    return TestSummary(
        ran=len(seen.tested.tests),
        passed=len(seen.tested.tests) - len(failed) - skipped,
        failed=len(failed),
        skipped=skipped,
        seconds=seen.tested.seconds,
        failures=[FailedTest(id=item.id, outcome=item.outcome, message=item.message) for item in failed[:40]],
    )


def _install(seen: Examination) -> InstallCheck | None:
    found = seen.installed
    return InstallCheck(ok=found.ok, method=found.method, seconds=found.seconds) if found else None


def _starts(seen: Examination) -> StartCheck | None:
    found = seen.started
    if found is None:
        return None
    return StartCheck(ok=found.ok, url=found.url, status=found.status, seconds=found.seconds)


def _score(seen: Examination, *, security: Sequence[Finding], lint: Sequence[Finding]) -> float:
    """Tests 0.4, installing, starting and security 0.15 each, scope 0.1, lint 0.05; plans lose with each finding."""
    if seen.examined != "project":
        return round(1.0 / (1 + len(seen.findings)), 2) if seen.examined == "plans" else 0.0
    tests = _tests(seen)
    whole = len(seen.scope_covered) + len(seen.scope_missing)
    earned = [
        0.4 * (tests.passed / tests.ran if tests.ran else 0.0),
        0.15 * bool(seen.installed and seen.installed.ok),
        0.15 * bool(seen.started and seen.started.ok),
        0.15 * (not security),
        0.1 * (len(seen.scope_covered) / whole if whole else 1.0),
        0.05 * (not lint),
    ]
    return round(sum(earned), 2)


def _summary(seen: Examination, requests: Iterable[ChangeRequest], *, escalated: bool) -> str:
    kinds = [request.kind.replace("_", " ") for request in requests]
    if escalated:
        return f"The same {len(kinds)} change requests came back unchanged: a person has to look."
    if kinds:
        return f"{len(kinds)} change requests: {', '.join(sorted(set(kinds)))}."
    if seen.examined == "plans":
        return "No code was built; the pages and plans are sound."
    tests = _tests(seen)
    return f"It installs, starts, and its {tests.passed} tests pass."
