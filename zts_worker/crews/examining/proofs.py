"""Decides what the proofs in the sandbox mean: which findings an installation, tests and a start give rise to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.examining.running import CaseRecord, Installed, Started, Tested

_MOST = 40


def from_install(installed: Installed) -> Iterator[Finding]:
    """One finding where it cannot be installed."""
    if not installed.ok:
        yield Finding("install_failed", "pyproject.toml", f"{installed.method} failed", evidence=installed.detail)


def from_start(started: Started, *, package: str) -> Iterator[Finding]:
    """One finding where it does not answer."""
    if not started.ok:
        told = f"{started.url} answers {started.status}" if started.status else "it does not start"
        path = f"{package}/__main__.py" if package else ""
        yield Finding("does_not_start", path, told, evidence=started.detail)


def from_tests(tested: Tested, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """One finding for each test that does not hold, and for a run that did not end well or had no tests."""
    failed = [record for record in tested.tests if record.failed]
    for record in failed[:_MOST]:
        message = f"{record.id} {'fails' if record.outcome == 'failed' else 'breaks'}: {reason(record)}"
        yield Finding("failing_test", path_of_test(record, files), message, evidence=record.message, key=record.id)
    if tested.trouble and not failed:
        first = tested.trouble.splitlines()[0]
        yield Finding("failing_test", "tests", f"the tests do not end: {first}", evidence=tested.trouble)
    if not tested.tests and not tested.trouble:
        yield Finding("no_tests", "tests", "there are no tests")


def reason(record: CaseRecord) -> str:
    """The last line of a test's message: what went wrong, in its own words."""
    lines = [line for line in record.message.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else record.outcome


def path_of_test(record: CaseRecord, files: Mapping[str, bytes]) -> str:
    """The file a test is in: from its id, or from the name of a module that could not be imported."""
    # A module that cannot be imported shows up as `unittest.loader._FailedTest.tests.test_x`.
    name = re.sub(r"^unittest\.loader\._FailedTest\.", "", record.id)
    name = re.sub(r"^\w+ \((.*)\)$", r"\1", name)
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length]) + ".py"
        found = next((known for known in files if known == path or known.endswith(f"/{path}")), None)
        if found:
            return found
    return "tests"
