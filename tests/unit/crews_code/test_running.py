"""What a failed proof says: of the project, or of the worker that could not carry it out."""

from __future__ import annotations

import shutil
from collections import namedtuple
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from zts_core.errors import TransientError
from zts_worker.crews.building.blueprint import draw
from zts_worker.crews.building.render import render
from zts_worker.crews.examining import running

from .ideas import entity, reading, text

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    for path, content in render(draw(reading(entity("hive", text("place"))), tasks=[], left_out=[])).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
    return folder


@pytest.fixture
def room(tmp_path: Path) -> Path:
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


def pip_that(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker's pip be a package that runs `code`."""
    package = folder / "pip"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(code, "utf-8")
    monkeypatch.setattr(
        running, "find_spec", lambda _name: ModuleSpec("pip", None, origin=str(package / "__init__.py"))
    )
    monkeypatch.setattr(running, "visible_inside", lambda _path: True)


@pytest.mark.parametrize("code", ["import pip._vendor.nothing", "import sys; sys.exit(2)"])
def test_a_pip_that_is_broken_is_no_finding_on_a_project_that_installs_without_it(
    project: Path, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    pip_that(code, tmp_path, monkeypatch)
    installed = running.install(project, room, timeout_s=60)
    assert (installed.ok, installed.method) == (True, "its own build back end, wheel unpacked"), installed.detail


def test_where_nothing_could_install_and_pip_is_broken_the_step_is_tried_again(
    project: Path, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that("import sys; sys.exit(2)", tmp_path, monkeypatch)
    (project / "pyproject.toml").write_text("[build-system]\nrequires = ['nothing']\nbuild-backend = 'nothing'\n")
    with pytest.raises(TransientError, match="pip of this worker is broken"):
        running.install(project, room, timeout_s=60)


def test_a_project_that_pip_refuses_is_a_finding(
    project: Path, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that("import sys; print('ERROR: no such version', file=sys.stderr); sys.exit(1)", tmp_path, monkeypatch)
    installed = running.install(project, room, timeout_s=60)
    assert not installed.ok
    assert "no such version" in installed.detail


def test_a_full_disk_says_nothing_of_the_project(project: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "tests").mkdir(exist_ok=True)
    (project / "tests" / "test_broken.py").write_text("raise OSError('No space left on device')\n")
    assert running.run_tests(project, room / "roomy", timeout_s=60).tests
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(1 << 40, 1 << 40, 1 << 20))
    (project / "tests" / "test_broken.py").write_text("import os; os._exit(1)\n")
    with pytest.raises(TransientError, match="disk has 1 MiB left"):
        running.run_tests(project, room / "full", timeout_s=60)
