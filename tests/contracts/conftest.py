"""Decides which stores the contract is asked of."""

from __future__ import annotations

import pytest

from tests.contracts.store_worlds import World, memory_world, redis_world


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def world(request: pytest.FixtureRequest) -> World:
    """An empty store; on Redis only where a server can be started."""
    if request.param == "memory":
        return memory_world()
    return redis_world(request.getfixturevalue("redis_url"))
