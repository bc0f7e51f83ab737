"""Decides what a complaint about a workflow consists of: code, place, value and cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a problem stops a submit."""

    ERROR = "error"
    """The workflow cannot be run."""
    WARNING = "warning"
    """It can be run, and probably does not do what its author wants."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint.

    `file` and `line` (1-based; 0 where unknown) say where it was read, `path` the node
    (`my_flow/sequence[2]/loop/sequence[0]`), `code` is stable (`ZTS104`, see docs/workflow-problems.md).
    """

    code: str
    severity: Severity
    message: str
    cure: str
    path: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        node = f"{self.path}: " if self.path else ""
        return f"{place}{self.severity.value} {self.code}: {node}{self.message}; {self.cure}"
