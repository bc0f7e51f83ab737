"""Decides whether a Redis is set up to keep runs: from what it tells about itself, without asking for its settings.

INFO is open where CONFIG is not: on managed servers, and to users with few rights.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

from redis import ConnectionPool
from redis.exceptions import ResponseError

from zts_core.redis_store import keys
from zts_core.redis_store.connecting import beside, connect
from zts_core.redis_store.scripts import translated
from zts_core.redis_url import place_of
from zts_core.refusals import cure_of

WHY = "docs/redis.md tells more"
TOLD_S = 24 * 3600.0
"""Seconds for which a loss of writes is told."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What should be set differently, a line each; `unchecked` says why it could not be looked at, where it is so."""

    warnings: tuple[str, ...] = ()
    unchecked: str = ""
    refuses: str = ""
    """Why it takes no writes just now; "" where it does."""


def redis_advice(url: str, *, timeout_s: float, connections: ConnectionPool | None = None) -> Advice:
    """Look at the Redis of the runs, over a store's `connections` where given; may raise ServiceUnavailable."""
    place = place_of(url)
    with translated(place), beside(connections) or connect(url, timeout_s=timeout_s) as client:
        try:
            lost_at = cast("str | None", client.hget(keys.SERVER, "lost_at"))
            info = cast("dict[str, Any]", client.info())
        except ResponseError as error:
            return Advice(unchecked=f"how Redis at {place} keeps data could not be checked: {error}")
    refusal = why_it_refuses(info)
    refuses = f"Redis at {place} takes no writes: {refusal}" if refusal else ""
    lines = tuple(f"Redis at {place} {line}; {WHY}" for line in [*warnings_about(info), *_loss(lost_at)])
    return Advice((refuses, *lines) if refuses else lines, refuses=refuses)


def _loss(lost_at: str | None) -> list[str]:
    """What was lost with a server, for as long as somebody may ask what became of a run."""
    ago_s = time.time() - float(lost_at or 0)
    if ago_s > TOLD_S:
        return []
    return [f"was replaced {ago_s / 60:.0f} minutes ago and lost accepted writes: the workers' logs name them"]


def why_it_refuses(info: dict[str, Any]) -> str:
    """Why a server refuses writes, and the cure, by the fields of INFO; "" where it takes them."""
    if info.get("aof_last_write_status") == "err" or info.get("rdb_last_bgsave_status") == "err":
        return cure_of("MISCONF", otherwise="")
    if 0 < info.get("maxmemory", 0) <= info.get("used_memory", 0):
        return cure_of("OOM", otherwise="")
    return ""


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
