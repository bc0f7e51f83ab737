"""Every example of the language reference loads and checks without a single complaint."""

from __future__ import annotations

import re

import pytest

from tests.unit.workflow.test_documented_problems import DOCS, problems_of
from zts_core.workflow.load import load_text
from zts_core.workflow.model import OPERATORS
from zts_core.workflow.walk import Places

TEXT = (DOCS / "workflows.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[text.partition("\n")[0][:40] for text in EXAMPLES])
def test_an_example_has_no_problem(example: str) -> None:
    assert problems_of(example) == []


def test_every_node_is_shown_in_an_example() -> None:
    workflows = {name: flow for text in EXAMPLES for name, flow in load_text(text, "docs").workflows.items()}
    places = Places(workflows)
    shown = {type(place.node).__name__ for name in workflows for place in places.all(name)}
    assert shown == {"Step", "Terminal", "Parallel", "Loop", "Foreach", "Approval", "Call", "Sequence"}


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_explained(operator: str) -> None:
    table = TEXT[TEXT.index("| operator |") : TEXT.index("YAML gives `>`")]
    assert f"`{operator}`" in table
