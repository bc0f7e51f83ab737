"""Decides what tests of faults start from: a Redis of their own and no worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import RedisServer

sys.path.insert(0, str(Path(__file__).parent))

from field import Field


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    found = Field(tmp_path, RedisServer())
    try:
        yield found
    finally:
        found.close()
