"""The wheel alone, in an empty environment: it holds what it needs, and the main job runs from it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cli]

REPOSITORY = Path(__file__).resolve().parents[2]
KINDS = {"*.lua", "*.cypher", "*.j2", "*.json", "*.md", "*.yaml"}
"""Files beside the code that the product reads: scripts, statements, templates, prompts, workflows."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


def beside_the_code(root: Path) -> set[str]:
    packages = [root / name for name in ("zts_core", "zts_producer", "zts_worker")]
    found = {str(path.relative_to(root)) for package in packages for kind in KINDS for path in package.rglob(kind)}
    workflows = {f"zts_core/workflows/{path.name}" for path in (root / "workflows").glob("*.yaml")}
    return found | workflows


def test_the_wheel_holds_all_that_the_product_reads(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert beside_the_code(REPOSITORY) <= names
    assert {"zts_core/py.typed", "zts_producer/py.typed", "zts_worker/py.typed"} <= names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_the_source_distribution_can_be_built_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "workflows/just_the_build.yaml", "zts_core/ports.py"} <= names
    assert not any(name.startswith((".venv", "shipped", "build/")) for name in names)


@pytest.mark.timeout(240)
def test_the_main_job_runs_from_the_installed_wheel(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    programs, home = tmp_path / "env" / "bin", tmp_path / "home"
    home.mkdir()
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([programs / "pip", "install", *quiet, str(wheel)], check=True, timeout=200)
    idea = tmp_path / "idea.txt"
    idea.write_text("# Tool library\n\nNeighbours register a tool and record each loan with the day it is due.\n")
    environment = {"HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8", "REDIS_URL": "embedded"}
    environment |= {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    assert run("zts", "--version").split()[-1] == version("zerotoship")
    run("zts-submit", str(idea), "--workflow", "just_the_build")
    assert list((tmp_path / "shipped").glob("*/project/pyproject.toml"))
