"""The tutorial, word for word: its files are saved, its commands typed, in an empty home, in the page's order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import REPOSITORY, blocks

pytestmark = [pytest.mark.cli]


@pytest.mark.timeout(240)
def test_every_file_and_command_of_the_tutorial_works_in_its_order(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    folder.mkdir()
    script = ["set -e"]
    for block in blocks(REPOSITORY / "docs" / "tutorial.md"):
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
        elif block.language == "sh":
            script.append(block.text)
    programs = Path(sys.executable).parent
    environment = {
        "HOME": str(home),
        "PATH": f"{programs}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "REDIS_URL": "embedded",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, env=environment, capture_output=True, text=True, timeout=220
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert list((folder / "again").glob("*/REPORT.md"))
    assert list((folder / "shipped").glob("*/outreach.md")) or list((folder / "shipped").glob("*/*/outreach.md"))
