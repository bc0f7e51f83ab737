"""The language is pure: only reading files needs the YAML library, and checks need no file at all."""

from __future__ import annotations

import subprocess
import sys

import pytest

PURE = ["model", "conditions", "plan", "checks", "shapes", "spans", "draw", "mermaid", "schema"]
SCRIPT = """
import sys
import zts_core.workflow.{module}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"yaml", "redis", "celery", "neo4j"}}))
"""


@pytest.mark.parametrize("module", PURE)
def test_a_module_of_the_language_imports_no_foreign_library(module: str) -> None:
    script = SCRIPT.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
