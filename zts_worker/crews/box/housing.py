"""Decides who owns the sandbox's folder while a program runs there, and that the worker has it back after."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zts_worker.crews.box.plan import Isolation


@contextlib.contextmanager
def given_to(walls: Isolation, folder: Path) -> Iterator[Path]:
    """The folder where the program finds its files, owned by its user for the time it runs."""
    if walls.uid is None:
        with _scratch_in(folder, wanted=not walls.private_root):
            yield folder
        return
    visible = not walls.private_root
    with _within_reach(folder, wanted=visible) as home, _scratch_in(home, wanted=visible):
        _own(home, walls.uid)
        try:
            yield home
        finally:
            _own(home, os.getuid())


@contextlib.contextmanager
def _scratch_in(folder: Path, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    scratch = folder / ".tmp"
    scratch.mkdir(exist_ok=True)
    try:
        yield
    finally:
        _remove(scratch)


@contextlib.contextmanager
def _within_reach(folder: Path, *, wanted: bool) -> Iterator[Path]:
    """Where a parent of `folder` is closed to other users, its files move to an open place for the time."""
    if not wanted or all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.parents):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="zts-box-") as open_place:
        Path(open_place).chmod(0o711)
        home = Path(open_place) / "home"
        shutil.copytree(folder, home, symlinks=True)
        try:
            yield home
        finally:
            for entry in list(folder.iterdir()):
                _remove(entry)
            shutil.copytree(home, folder, symlinks=True, dirs_exist_ok=True)


def _own(folder: Path, uid: int) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):
                os.chown(Path(parent, name), uid, uid, follow_symlinks=False)
    os.chown(folder, uid, uid)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
