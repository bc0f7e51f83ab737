"""Decides which stores the contract is asked of."""

from __future__ import annotations

import pytest

from tests.contracts.store_worlds import SEALER, World, memory_world, redis_world
from zts_core.sealing import NO_SEALER


@pytest.fixture(params=["memory", *(pytest.param(name, marks=pytest.mark.redis) for name in ("redis", "sealed"))])
def world(request: pytest.FixtureRequest) -> World:
    """An empty store; on Redis, plain and with everything encrypted, only where a server can be started."""
    if request.param == "memory":
        return memory_world()
    sealer = SEALER if request.param == "sealed" else NO_SEALER
    return redis_world(request.getfixturevalue("redis_url"), sealer=sealer)
