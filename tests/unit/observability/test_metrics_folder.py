"""Files of processes that are gone are added up, and folders of workers that were killed are removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from zts_worker.metrics.folder import Sums, fold_gone, make_folder


def dead_pid() -> int:
    """Of a process that has just ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def write(file: Path, **values: float) -> None:
    sums = Sums(str(file))
    for key, value in values.items():
        sums.write_value(key, value, 0.0)
    sums.close()


def read(file: Path) -> dict[str, float]:
    return {key: value for key, value, _, _ in Sums.read_all_values_from_file(str(file))}


def test_counts_of_dead_processes_are_added_up_in_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        write(tmp_path / f"counter_{dead_pid()}.db", a=1, b=2)
        fold_gone(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["counter_0.db"]
    assert read(tmp_path / "counter_0.db") == {"a": 3, "b": 6}


def test_what_a_dead_process_did_at_last_is_forgotten(tmp_path: Path) -> None:
    write(tmp_path / f"gauge_livesum_{dead_pid()}.db", a=1)
    fold_gone(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_living_processes_stay(tmp_path: Path) -> None:
    write(tmp_path / f"histogram_{os.getpid()}.db", a=1)
    fold_gone(tmp_path)
    assert read(tmp_path / f"histogram_{os.getpid()}.db") == {"a": 1}


def test_a_new_folder_removes_those_of_killed_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / f"zts-metrics-{dead_pid()}-abc123"
    strange = tmp_path / "zts-metrics-of-somebody"
    for folder in (left, strange):
        folder.mkdir()
    own = make_folder()
    assert set(tmp_path.iterdir()) == {own, strange}
    assert make_folder() != own
    assert own.exists()
