"""Files go with their run."""

from __future__ import annotations

from pathlib import Path

from tests.fakes import MemoryQueue, MemoryStore
from zts_core.artifacts import LocalArtifacts
from zts_core.dispatch import Dispatcher
from zts_worker.reaper import Reaper


class OneGone(MemoryStore):
    """A store whose sweep finds one expired run."""

    def sweep(self) -> list[str]:
        return ["old"]


def test_the_files_of_an_expired_run_are_removed(tmp_path: Path) -> None:
    artifacts = LocalArtifacts(tmp_path)
    old, young = artifacts.put("old", b"old"), artifacts.put("young", b"young")
    store, queue = OneGone(), MemoryQueue()
    Reaper(store=store, queue=queue, dispatcher=Dispatcher(store, queue), forget_files=artifacts.forget).tick()
    assert not (tmp_path / "old" / old[:2] / old).exists()
    assert artifacts.get("young", young) == b"young"
