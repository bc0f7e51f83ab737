"""Decides the stable code and the severity of every complaint; docs/workflow-problems.md explains each.

0xx: reading a file · 1xx: names and the graph of workflows · 2xx: conditions and data · 3xx: structure · 4xx: limits.
A code is never given a second meaning, and a number that is no longer used stays unused.
"""

from __future__ import annotations

from dataclasses import dataclass

from zts_core.workflow.plain_text import one_line
from zts_core.workflow.problems import Problem, Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of problem: its number, whether it stops a submit, and its name on the documentation page."""

    number: str
    severity: Severity
    title: str

    def at(self, path: str, message: str, cure: str, *, file: str = "", line: int = 0) -> Problem:
        """A complaint of this kind."""
        told = (one_line(message), one_line(cure))
        return Problem(self.number, self.severity, *told, path=one_line(path), file=file, line=line)


CODES: dict[str, Code] = {}


def _code(number: str, severity: Severity, title: str) -> Code:
    CODES[number] = Code(number, severity, title)
    return CODES[number]


def _error(number: str, title: str) -> Code:
    return _code(number, Severity.ERROR, title)


def _warning(number: str, title: str) -> Code:
    return _code(number, Severity.WARNING, title)


UNREADABLE = _error("ZTS001", "The file cannot be read")
NOT_YAML = _error("ZTS002", "The file is not YAML")
TOO_MUCH = _error("ZTS003", "Too large, too deep or too much")
SELF_REFERENCE = _error("ZTS004", "A value contains itself")
DUPLICATE_KEY = _error("ZTS005", "A key is written twice")
ODD_TYPE = _error("ZTS006", "A type the language does not use")
NO_WORKFLOW = _error("ZTS007", "The file holds no workflow")
OTHER_NAME = _warning("ZTS008", "A workflow's two names differ")
ODD_NUMBER = _warning("ZTS009", "A value that YAML reads as another number")
UNKNOWN_KEY = _error("ZTS010", "An unknown key")
MISSING_KEY = _error("ZTS011", "A key is missing")
WRONG_TYPE = _error("ZTS012", "A value of the wrong type")
WRONG_VALUE = _error("ZTS013", "A value that is not allowed")
OVERRIDDEN = _warning("ZTS014", "A workflow replaces another of its name")
DEFINED_TWICE = _error("ZTS015", "Two files of one folder define the same workflow")

UNKNOWN_CREW = _error("ZTS101", "An unknown or unusable crew")
DUPLICATE_STATE = _error("ZTS102", "A state is used twice")
RESERVED_STATE = _error("ZTS103", "A state that only ends a run")
UNKNOWN_WORKFLOW = _error("ZTS104", "An unknown workflow")
ESCALATION_CYCLE = _error("ZTS105", "Escalations go round in a circle")
CALL_RECURSION = _error("ZTS106", "A workflow calls itself")
UNREACHABLE = _warning("ZTS107", "A node that is never reached")

NEVER_PRODUCED = _error("ZTS201", "A field that no earlier crew produces")
OPERATOR_MISFIT = _error("ZTS202", "An operator that does not fit the field")
VALUE_MISFIT = _error("ZTS203", "A value that does not fit the field or the operator")
NEVER_HOLDS = _error("ZTS204", "A condition that can never hold")
ALWAYS_HOLDS = _warning("ZTS205", "A condition that decides nothing")
BAD_PATTERN = _error("ZTS206", "A regular expression that cannot be used")
NOT_A_LIST = _error("ZTS207", "A foreach over something that is no list")
DANGLING_REFERENCE = _error("ZTS208", "A reference to something that is never produced")
ODD_REFERENCE = _warning("ZTS209", "Text that looks like a reference and is none")

UNUSED_ON_FAIL = _warning("ZTS301", "An on_fail that is never used")
UNUSED_THEN = _warning("ZTS302", "A then that is never used")
ENDLESS_LOOP = _warning("ZTS303", "A loop that nothing inside can break")
MERGE_CONFLICT = _error("ZTS304", "Parallel branches write the same namespace")
NEEDLESS_MERGE = _warning("ZTS305", "A merge without a conflict")
UNUSED_SETTING = _warning("ZTS306", "A setting of a loop that is never used")

OVER_STEP_CAP = _error("ZTS401", "The shortest path is longer than the step cap")
MAY_PASS_STEP_CAP = _warning("ZTS402", "The longest path is longer than the step cap")
OVER_DEADLINE = _warning("ZTS403", "The time-outs add up to more than the deadline")
ENDLESS_WAIT = _warning("ZTS404", "An approval that may wait for ever")
