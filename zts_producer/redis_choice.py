"""Decides which Redis a command talks to: the configured one, else one on this host, else the embedded stack."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from zts_core.redis_url import check_broker_url, check_redis_url
from zts_core.settings import EMBEDDED, LOCAL_REDIS, Settings

LOOK_S = 0.2
"""Seconds in which a Redis on this host has to answer to be found."""


class Source(StrEnum):
    """Where the Redis comes from."""

    CONFIGURED = "configured"
    """`REDIS_URL` or `ZTS_REDIS_URL` names it."""
    LOCAL = "local"
    """It answers on this host's usual port."""
    EMBEDDED = "embedded"
    """It is the embedded stack's."""


@dataclass(frozen=True, slots=True)
class RedisChoice:
    """The choice, with the addresses of store and broker; both empty for the embedded stack."""

    source: Source
    redis_url: str = ""
    broker_url: str = ""


def choose_redis(settings: Settings, *, local: str = LOCAL_REDIS) -> RedisChoice:
    """What `settings` ask for; looks at `local` only where they name no Redis. SettingInvalid where they name none."""
    if settings.redis_url is not None:
        if settings.store_url == EMBEDDED:
            return RedisChoice(Source.EMBEDDED)
        check_redis_url(settings.store_url)
        check_broker_url(settings.queue_url)
        return RedisChoice(Source.CONFIGURED, settings.store_url, settings.queue_url)
    if answers_ping(local):
        broker = settings.broker_url.get_secret_value() if settings.broker_url else local
        check_broker_url(broker)
        return RedisChoice(Source.LOCAL, local, broker)
    return RedisChoice(Source.EMBEDDED)


def answers_ping(url: str, *, within_s: float = LOOK_S) -> bool:
    """Whether a Redis at `url` (host and port) serves us without a password."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 6379), within_s) as connection:
            connection.settimeout(within_s)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
