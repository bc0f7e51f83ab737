"""Decides where the processes of one worker keep what they count, and that recycled children leave nothing behind.

prometheus_client's multiprocess mode has one file per process and kind. The files of children that are gone are folded
into one, so that a worker that replaces its children for weeks keeps a handful of files.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from prometheus_client import mmap_dict

Sums: Any = mmap_dict.MmapedDict
"""A file of sums, as prometheus_client writes it; it comes without types."""

PREFIX = "zts-metrics-"
_NAME = re.compile(re.escape(PREFIX) + r"(\d+)-\w+")
_FILE = re.compile(r"(?P<kind>[a-z]+)(_(?P<mode>[a-z]+))?_(?P<pid>\d+)\.db")
GONE = 0
"""Stands for all processes that are gone, as no process has this number."""


def make_folder() -> Path:
    """A new folder of this process's own; those that killed workers left behind are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        found = _NAME.fullmatch(left.name)
        if found and left.is_dir() and left.stat().st_uid == os.getuid() and not is_alive(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def fold_gone(folder: Path) -> None:
    """Add up the files of processes that are gone. Not while the folder is read: a sum would be seen twice."""
    for file in folder.glob("*.db"):
        named = _FILE.fullmatch(file.name)
        if named is None or int(named["pid"]) == GONE or is_alive(int(named["pid"])):
            continue
        if named["kind"] != "gauge":
            _add(file, folder / f"{named['kind']}_{GONE}.db")
        # A gauge says what a process does now, and this one does nothing any more.
        file.unlink(missing_ok=True)


def _add(file: Path, to: Path) -> None:
    sums = Sums(str(to))
    try:
        for key, value, _, _ in Sums.read_all_values_from_file(str(file)):
            sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    finally:
        sums.close()


def is_alive(pid: int) -> bool:
    """Whether a process with this number exists; one of another user counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
