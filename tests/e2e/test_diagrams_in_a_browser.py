"""The Mermaid text of every shipped workflow becomes a picture in a real browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from browser import npm_package, rendered

from zts_core.workflow.library import Library
from zts_core.workflow.mermaid import mermaid
from zts_core.workflow.model import Workflow

pytestmark = pytest.mark.chromium

HOSTILE = {
    "name": "hostile",
    "sequence": [
        {"approval": {"state": "ASK", "prompt": 'a "quoted" <b>prompt</b>; end --> [x](y) `z` #35; %% no'}},
        {
            "state": "NEXT",
            "crew": "my_crews.odd:Crew",
            "conditions": [{"field": "made.name", "operator": "matches", "value": '^a|b{2}"[]()<>$'}],
        },
        {"parallel": [{"sequence": [{"state": "END", "crew": "X"}]}, {"state": "GRAPH", "crew": "Y"}]},
    ],
}


def test_every_workflow_is_drawn_and_shows_its_states(tmp_path: Path) -> None:
    flows = [*Library.read().workflows.values(), Workflow.model_validate(HOSTILE)]
    script = npm_package("mermaid", "11.12.0") / "dist" / "mermaid.min.js"
    drawings = "".join(f'<pre class="mermaid">{html.escape(mermaid(flow))}</pre>' for flow in flows)
    page = tmp_path / "page.html"
    page.write_text(
        f"<!doctype html><meta charset=utf-8><body>{drawings}"
        f'<script src="{script.as_uri()}"></script><script>mermaid.initialize({{startOnLoad: true}})</script>'
    )
    document = rendered(page)
    pictures = re.findall(r"<svg[^>]*aria-roledescription=\"flowchart.*?</svg>", document, re.DOTALL)
    assert len(pictures) == len(flows)
    assert "Syntax error" not in document
    by_name = dict(zip([flow.name for flow in flows], pictures, strict=True))
    assert "IDEA_VALIDATION" in by_name["default_software_build"]
    assert "HARDWARE_DESIGN" in by_name["hardware_prototype"]
    assert "<b>prompt</b>" not in by_name["hostile"]
