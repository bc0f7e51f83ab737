"""Decides how a project's tests are run inside the sandbox: all that unittest discovers, one record each.

Argument: the file for the result, `{"tests": [{"id", "outcome", "message", "seconds"}]}`; outcome is passed, failed,
error or skipped.
"""

from __future__ import annotations

import json
import sys
import time
import unittest
from pathlib import Path
from types import TracebackType
from typing import Any

_LONGEST = 4000
_Trouble = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Recorder(unittest.TestResult):
    """Keeps one record for each test, sub-tests with the test they belong to."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Any]] = {}
        self.started = 0.0

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Start the clock of a test."""
        super().startTest(test)
        self.started = time.monotonic()
        self.note(test.id(), "passed", "")

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Stop the clock of a test."""
        super().stopTest(test)
        self.records[test.id()]["seconds"] = round(time.monotonic() - self.started, 3)

    def note(self, test_id: str, outcome: str, message: str) -> None:
        """Keep an outcome; the first that is not `passed` stays."""
        known = self.records.setdefault(test_id, {"id": test_id, "outcome": "passed", "message": "", "seconds": 0.0})
        if known["outcome"] == "passed":
            known.update(outcome=outcome, message=message[-_LONGEST:])

    def told(self, trouble: _Trouble, test: unittest.TestCase) -> str:
        """The traceback as text."""
        return str(self._exc_info_to_string(trouble, test))  # type: ignore[attr-defined]

    def addFailure(self, test: unittest.TestCase, err: _Trouble) -> None:  # noqa: N802 - unittest's name
        """A claim that does not hold."""
        super().addFailure(test, err)
        self.note(test.id(), "failed", self.told(err, test))

    def addError(self, test: unittest.TestCase, err: _Trouble) -> None:  # noqa: N802 - unittest's name
        """A test that broke; also a module that cannot be imported and a class that cannot be set up."""
        super().addError(test, err)
        self.note(test.id(), "error", self.told(err, test))

    def addSubTest(  # noqa: N802 - unittest's name
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: _Trouble | None
    ) -> None:
        """A part of a test."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test.id(), "failed", f"{subtest.id()}\n{self.told(err, subtest)}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802 - unittest's name
        """A test that does not apply here."""
        super().addSkip(test, reason)
        self.note(test.id(), "skipped", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """A test that passes although it is marked as one that cannot."""
        super().addUnexpectedSuccess(test)
        self.note(test.id(), "failed", "passes although it is marked as an expected failure")


def main(result_file: str) -> None:
    """Run everything and write the records."""
    sys.path.insert(0, str(Path.cwd()))
    recorder = Recorder()
    recorder.buffer = True
    unittest.defaultTestLoader.discover(".").run(recorder)
    Path(result_file).write_text(json.dumps({"tests": list(recorder.records.values())}))


if __name__ == "__main__":
    main(sys.argv[1])
