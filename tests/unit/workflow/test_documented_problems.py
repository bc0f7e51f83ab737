"""Every problem code is documented, and the example beside it shows exactly that problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.workflow.crews import shapes
from zts_core.workflow.checks import check
from zts_core.workflow.codes import CODES
from zts_core.workflow.library import Library
from zts_core.workflow.load import load_text
from zts_core.workflow.problems import Problem

DOCS = Path(__file__).parents[3] / "docs"
_HEADING = re.compile(r"^### (ZTS\d{3}) \((error|warning)\): (.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHOUT_EXAMPLE = {"ZTS001", "ZTS014", "ZTS015"}
"""Problems of files and folders, which no text shows; test_library.py and test_load.py have them."""
NO_DEADLINE = {"ZTS404"}


def sections() -> dict[str, tuple[str, str, str]]:
    """Severity, title and text by code, as the page has them."""
    text = (DOCS / "workflow-problems.md").read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {h[1]: (h[2], h[3], text[h.end() : end]) for h, end in zip(headings, ends, strict=True)}


def examples() -> list[tuple[str, str]]:
    return [(code, found) for code, (_, _, text) in sections().items() for found in _EXAMPLE.findall(text)]


def problems_of(text: str, *, deadline_s: float | None = 86_400) -> list[Problem]:
    """What loading and checking say of a text that stands beside the shipped workflows."""
    loaded = load_text(text, "example.yaml")
    library = Library.read().with_file(loaded).workflows
    found = list(loaded.problems)
    for workflow in loaded.workflows.values():
        found += check(workflow, library, shapes, deadline_s=deadline_s, file=loaded.file, lines=loaded.lines)
    return found


def test_the_page_has_every_code_with_its_title_and_severity() -> None:
    documented = {code: (severity, title) for code, (severity, title, _) in sections().items()}
    assert documented == {code.number: (code.severity, code.title) for code in CODES.values()}
    assert list(documented) == sorted(documented)


def test_every_code_that_a_text_can_show_has_an_example() -> None:
    assert {code for code, _ in examples()} == CODES.keys() - WITHOUT_EXAMPLE


@pytest.mark.parametrize(("code", "text"), examples(), ids=[code for code, _ in examples()])
def test_the_example_of_a_code_shows_that_problem_alone(code: str, text: str) -> None:
    found = problems_of(text, deadline_s=None if code in NO_DEADLINE else 86_400)
    assert {problem.code for problem in found} == {code}
    for problem in found:
        assert problem.line > 0
        assert problem.severity == CODES[code].severity
        assert problem.cure
