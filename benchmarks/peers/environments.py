"""Decides where an engine's packages live: one virtual environment for each set of requirements, kept between runs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path


def python_of(needs: Sequence[str]) -> Path:
    """The interpreter of an environment that has `needs`; the project's own where nothing is needed."""
    if not needs:
        return Path(sys.executable)
    name = hashlib.sha256("\n".join(needs).encode()).hexdigest()[:12]
    folder = user_cache_path("zerotoship") / "peers" / f"{sys.version_info.major}.{sys.version_info.minor}-{name}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"installing {', '.join(needs)}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needs], check=True)
        ready.touch()
    return python
