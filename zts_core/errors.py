"""Decides how every failure is named and with which exit code a command ends on it.

    ZtsError                      1  something unexpected, still said in one line
    ├── BadInput                  2  a value the user can correct
    │   ├── IdeaInvalid              the idea file
    │   ├── SettingInvalid           an environment variable or .env entry
    │   │   └── KeyMissing           what was asked for is encrypted with a key that is not set here
    │   ├── WorkflowInvalid          a workflow definition, with all its problems at once
    │   ├── UnknownRun               no such run in the store
    │   ├── OutputFolderTaken        the output folder cannot be used
    │   └── GraphRefused             a query, or a value, that the graph does not take
    ├── ServiceUnavailable        8  Redis (or what stands in for it) cannot be reached
    ├── NewerFormat               1  a newer version submitted the run; this one leaves it alone
    ├── Unreadable                1  an encrypted value was changed, or moved from where it belongs
    ├── CrewError                    raised by crews, recorded by the step runner
    │   ├── TransientError           trying again may help: time-outs, connections, overload
    │   │   └── StepTimedOut         the attempt passed its time-out
    │   └── PermanentError           trying again cannot help
    │       └── BudgetExceeded       the next call would have passed the run's budget
    └── StepAbandoned                the attempt lost its lease or its run was cancelled

Every message names the value that was wrong and the cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zts_core.workflow.problems import Problem


class ZtsError(Exception):
    """Root of every error this project raises on purpose."""

    exit_code = 1


class BadInput(ZtsError):
    """A value the user can correct."""

    exit_code = 2


class IdeaInvalid(BadInput):
    """The idea file is missing, empty, binary, not UTF-8 or too large."""


class SettingInvalid(BadInput):
    """A configuration value does not fit."""


class KeyMissing(SettingInvalid):
    """What was asked for is encrypted with a key that this process does not have; another one may."""

    def __init__(self, message: str, key_id: str) -> None:
        super().__init__(message)
        self.key_id = key_id


class WorkflowInvalid(BadInput):
    """A workflow definition has errors; `problems` holds all of them, `str()` one line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UnknownRun(BadInput):
    """No run with this id is in the store."""


class OutputFolderTaken(BadInput):
    """The output folder exists, is a file, or cannot be written."""


class GraphRefused(BadInput):
    """The graph does not take a query or a value."""


class ServiceUnavailable(ZtsError):
    """A server this command needs does not answer."""

    exit_code = 8


class NewerFormat(ZtsError):
    """A newer version submitted the run; this one would misread it."""


class Unreadable(ZtsError):
    """An encrypted value does not open, though its key is there: it was changed, or moved from where it belongs."""


class CrewError(ZtsError):
    """A crew could not do its job."""


class TransientError(CrewError):
    """Trying again may help; `retry_after` (seconds) is honoured when the peer named one."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StepTimedOut(TransientError):
    """The attempt did not end within the step's time-out."""


class PermanentError(CrewError):
    """Trying again cannot help."""


class AgentFailed(PermanentError):
    """A model answered nothing of use: nonsense after its repairs, a refusal, too much; or the question is too long.

    A crew that has something without the model may go on with that; a wrong key is no AgentFailed.
    """


class BudgetExceeded(PermanentError):
    """The next call would have passed the run's budget; it was not made, and the run halts."""


class StepAbandoned(ZtsError):
    """The attempt may not go on: its lease was lost or its run was cancelled."""
