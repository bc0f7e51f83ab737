"""Decides what a finding is, how bad each kind is, and by which id it is known again in a later review."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "high", "medium", "low"]

_SEVERITIES: dict[str, Severity] = {
    "does_not_start": "critical",
    "failing_test": "high",
    "install_failed": "critical",
    "landing_page": "high",
    "lint": "low",
    "missing_entity": "high",
    "missing_file": "critical",
    "missing_plan": "high",
    "no_tests": "high",
    "nothing_built": "critical",
    "review": "medium",
    "secret": "critical",
    "syntax_error": "critical",
    "undefined_name": "high",
    "unsafe_call": "critical",
}
REVIEW = "review"
"""What a reviewing agent wishes: no examination can find it gone."""
SECURITY_KINDS = frozenset({"secret", "unsafe_call"})
BLOCKING: frozenset[Severity] = frozenset({"critical", "high", "medium"})


@dataclass(frozen=True)
class Finding:
    """Something wrong: its kind, the file ("" for the whole), a sentence, and what shows it.

    `key` tells it from others of its kind in its file, such as a test's id; it must not hold what changes from one
    examination to the next (times, addresses, line numbers).
    """

    kind: str
    path: str
    message: str
    evidence: str = ""
    key: str = ""
    line: int = 0

    @property
    def severity(self) -> Severity:
        """How bad its kind is."""
        return _SEVERITIES[self.kind]

    @property
    def id(self) -> str:
        """The same for the same trouble in every review."""
        told = "\0".join((self.kind, self.path, self.key))
        return f"{self.kind}-{hashlib.sha256(told.encode()).hexdigest()[:10]}"

    @property
    def blocks(self) -> bool:
        """Whether it must be gone before the work is approved."""
        return self.severity in BLOCKING


_WORST_FIRST: dict[Severity, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def sorted_by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, then by file; each id once."""
    unique = {finding.id: finding for finding in findings}
    return sorted(unique.values(), key=lambda finding: (_WORST_FIRST[finding.severity], finding.path, finding.id))
