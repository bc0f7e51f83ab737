"""Decides how the Redis of an address is reached: directly, or as whichever server its Sentinels name just now."""

from __future__ import annotations

from typing import Any

import redis
from redis import sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry

from zts_core.redis_url import sentinels_of


def connect(url: str, *, timeout_s: float, retry: Retry | None = None, name: str | None = None) -> redis.Redis:
    """A client that speaks text; each wait on a socket takes `timeout_s` seconds at most. Connects when it is used."""
    options = {
        "decode_responses": True,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        # Where it is not told, redis-py looks its own version up among all installed packages, for each connection.
        "driver_info": redis.DriverInfo(lib_version=redis.__version__),
        **({"retry": retry} if retry else {}),
        **({"client_name": name} if name else {}),
    }
    if not url.startswith(("sentinel://", "sentinels://")):
        client: redis.Redis = redis.Redis.from_url(url, **options)
        return client
    found = sentinels_of(url)
    tls = {"ssl": True, **found.tls} if found.tls else {}
    # A Sentinel that does not answer is left for the next one at once.
    waits = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": Retry(NoBackoff(), 0)}
    # Typed as Any: redis-py has no types here.
    asking: Any = sentinel.Sentinel
    there = asking(
        found.hosts,
        sentinel_kwargs={**waits, **found.login_there, **tls},
        db=found.db,
        **found.login,
        **tls,
        **options,
    )
    primary: redis.Redis = there.master_for(found.service)
    return primary


def beside(connections: redis.ConnectionPool | None) -> redis.Redis | None:
    """A client on connections that somebody else opens and closes; None where there are none."""
    return redis.Redis(connection_pool=connections) if connections else None
