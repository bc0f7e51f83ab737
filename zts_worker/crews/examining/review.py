"""Decides what a review says: verdicts, change requests, and the proofs they rest on."""

from __future__ import annotations

from pydantic import Field

from zts_worker.crews.output import Answer, CrewOutput


class ChangeRequest(Answer):
    """Something that must change; `id` is the same for the same trouble in every review."""

    id: str
    kind: str
    path: str = Field(description='File below the project, "" for the whole.')
    severity: str = Field(description="critical, high, medium or low.")
    message: str
    evidence: str = Field(description="What shows it, such as a traceback; at most 4,000 characters.")


class Remark(Answer):
    """Something seen in a file at a line (0: not at one line)."""

    kind: str
    path: str
    line: int
    message: str
    severity: str


class FailedTest(Answer):
    """A test that does not hold."""

    id: str
    outcome: str
    message: str


class TestSummary(Answer):
    """Numbers of tests."""

    ran: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list[FailedTest] = Field(default_factory=list)


class InstallCheck(Answer):
    """Whether it installs without a network; `method` says how that was tried."""

    ok: bool
    method: str
    seconds: float


class StartCheck(Answer):
    """Whether it answers at `url`; `status` 0 where there was no answer."""

    ok: bool
    url: str
    status: int
    seconds: float


class ScopeCheck(Answer):
    """Names of the idea's entities that are there, with module, table and addresses, and that are not."""

    covered: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)


class Review(CrewOutput):
    """What the review found."""

    approved: bool = Field(description="Nothing has to change.")
    rejected: bool = Field(description="Something has to change: see `change_requests`.")
    escalated: bool = Field(description="The same change requests came back unchanged: a person has to look.")
    quick_approval: bool = Field(description="It installs, starts, its tests pass and nothing in it is dangerous.")
    security_approved: bool = Field(description="No leaked secret and no unsafe call was found.")
    compliance_approved: bool = Field(description="The compliance check passed, or none was asked for.")
    enterprise_approved: bool = Field(description="Approved, secure, compliant, whole in scope and without lint.")
    examined: str = Field(description="`project`, `plans` or `nothing`.")
    score: float = Field(ge=0.0, le=1.0, description="Share of the examination that went well, weighted.")
    summary: str
    comments: list[str] = Field(default_factory=list)
    change_requests: list[ChangeRequest] = Field(default_factory=list)
    tests: TestSummary = TestSummary()
    install: InstallCheck | None = None
    starts: StartCheck | None = None
    lint: list[Remark] = Field(default_factory=list)
    lint_by: str = ""
    security: list[Remark] = Field(default_factory=list)
    scope: ScopeCheck = ScopeCheck()
    isolation: list[str] = Field(default_factory=list, description="What kept the examined code apart from the worker.")
