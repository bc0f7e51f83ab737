"""Decides where tests find celery-exporter: in an environment of its own, made once per machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from browser import CACHE
from servers import skip_or_fail

PACKAGES = ["prometheus-exporter-celery==0.11.2", "celery<5.6"]
"""It pins an older redis-py than Celery 5.7 takes."""

PROGRAM = "from src.cli import cli; cli(auto_envvar_prefix='CE')"
"""What its image starts; the package brings no command."""


def exporter_python() -> Path:
    """The Python of that environment."""
    folder = CACHE / "celery-exporter-0.11.2"
    python = folder / "bin/python"
    if not (folder / "ready").exists():
        if subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], timeout=120).returncode:
            skip_or_fail("no environment for celery-exporter can be made: apt-get install python3-venv")
        if subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], timeout=300).returncode:
            skip_or_fail(f"celery-exporter cannot be installed: {' '.join(PACKAGES)}")
        (folder / "ready").touch()
    return python
