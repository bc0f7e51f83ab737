"""Decides how a state of the files is proved: by the examination a review makes, so that what stays would pass it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zts_core.crew import StepContext
from zts_worker.crews.examining import running
from zts_worker.crews.examining.project import examine_folder
from zts_worker.crews.workshop.folder import laid_down
from zts_worker.crews.workshop.improving import Proof

MOST_FAILURES = 5
_LONGEST = 900


class Ground:
    """Where one attempt lays files down, runs them and clears up: a numbered folder for each state."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._folder = context.work_folder / "ground"
        self._numbers = itertools.count(1)

    def examined(self, files: Mapping[str, bytes], build: Mapping[str, Any]) -> Proof:
        """A project's proof: it installs, starts, passes its tests, and nothing in it is unsafe."""
        place = self._place()
        seen = examine_folder(self._context, build, laid_down(files, place / "project"), rooms=place / "rooms")
        shutil.rmtree(place, ignore_errors=True)
        blocking = [finding for finding in seen.findings if finding.blocks]
        passed = sum(not record.failed for record in seen.tested.tests) if seen.tested else 0
        return Proof(
            {item.id: f"{item.path}: {item.message}\n{item.evidence[-_LONGEST:]}" for item in blocking}, passed
        )

    def tested(self, files: Mapping[str, bytes]) -> running.Tested:
        """What the tests say of a state."""
        place = self._place()
        tested = running.run_tests(laid_down(files, place / "project"), place / "room", timeout_s=self._seconds())
        shutil.rmtree(place, ignore_errors=True)
        return tested

    def _place(self) -> Path:
        self._context.check()
        return self._folder / str(next(self._numbers))

    def _seconds(self) -> float:
        return max(1.0, min(running.TESTS_S, self._context.seconds_left / 2))


def in_words(tested: running.Tested) -> str:
    """Test results for an agent; without times, so that the same state is always told the same."""
    failed = [record for record in tested.tests if record.failed]
    lines = [f"{len(tested.tests) - len(failed)} of {len(tested.tests)} tests hold"]
    lines += [f"{record.id}: {record.outcome}\n{record.message[-_LONGEST:]}" for record in failed[:MOST_FAILURES]]
    if tested.trouble and not failed:
        lines.append(f"the tests do not end well: {tested.trouble.partition(chr(10))[2][-_LONGEST:]}")
    return "\n".join(lines)
