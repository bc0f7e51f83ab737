"""What unit tests of the producer share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.producer.producer_world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A system in memory; the current folder is an empty one."""
    for name in ("REDIS_URL", "ZTS_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    made = World(tmp_path)
    yield made
    made.client.close()
