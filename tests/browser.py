"""A real browser for tests: Debian's Chromium without a window, and npm packages kept in a cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from servers import skip_or_fail

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "zerotoship-tests"

# As root there is no sandbox to be had; the others keep Chromium from looking for its maker's servers.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
)


def chromium() -> str:
    """The browser's path; skips (or fails in CI) where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        skip_or_fail("no Chromium: apt-get install chromium")
    return str(found)


def npm_package(name: str, version: str) -> Path:
    """The folder of an npm package, installed once into the cache; skips (or fails in CI) without npm."""
    folder = CACHE / f"npm-{name}-{version}"
    package = folder / "node_modules" / name
    if not package.exists():
        npm = shutil.which("npm")
        if npm is None:
            skip_or_fail("no npm: apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(npm), "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", f"{name}@{version}"]
        subprocess.run(command, cwd=folder, check=True, timeout=300)
    return package


def rendered(page: Path, *, milliseconds: int = 30_000) -> str:
    """The page's document after its scripts have run."""
    with tempfile.TemporaryDirectory(prefix="zts-browser-", ignore_cleanup_errors=True) as profile:
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", f"--virtual-time-budget={milliseconds}"]
        answer = subprocess.run(
            [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
    return answer.stdout


def screenshot(page: Path, picture: Path, *, width: int = 1200, height: int = 1600) -> None:
    """A PNG of the page."""
    with tempfile.TemporaryDirectory(prefix="zts-browser-", ignore_cleanup_errors=True) as profile:
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        subprocess.run(
            [*command, f"--screenshot={picture}", page.as_uri()], capture_output=True, timeout=120, check=True
        )
