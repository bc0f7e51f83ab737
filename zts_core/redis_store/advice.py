"""Decides whether a Redis is set up to keep runs: from what it tells about itself, without asking for its settings.

INFO is open where CONFIG is not: on managed servers, and to users with few rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import ResponseError

from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import translated
from zts_core.redis_url import place_of

WHY = "docs/redis.md tells more"


@dataclass(frozen=True, slots=True)
class Advice:
    """What should be set differently, a line each; `unchecked` says why it could not be looked at, where it is so."""

    warnings: tuple[str, ...] = ()
    unchecked: str = ""


def redis_advice(url: str, *, timeout_s: float) -> Advice:
    """Look at the Redis of the runs; ServiceUnavailable where it does not answer."""
    place = place_of(url)
    with translated(place), connect(url, timeout_s=timeout_s) as client:
        try:
            info = cast("dict[str, Any]", client.info())
        except ResponseError as error:
            return Advice(unchecked=f"how Redis at {place} keeps data could not be checked: {error}")
    return Advice(tuple(f"Redis at {place} {line}; {WHY}" for line in warnings_about(info)))


def warnings_about(info: dict[str, Any]) -> list[str]:
    """What should be different, by the fields of INFO; a field that a server does not tell is no reason to warn."""
    found = []
    if info.get("redis_mode") == "cluster":
        found.append("is a Redis Cluster, which is not supported: use one primary")
    if info.get("role") == "slave":
        found.append("is a replica and takes no writes: name its primary, or its Sentinels with sentinel://")
    if info.get("aof_enabled") == 0:
        found.append("keeps no append-only file, so a restart loses runs: set `appendonly yes`")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(f"drops data when its memory is full ({policy}): set `maxmemory-policy noeviction`")
    return found
