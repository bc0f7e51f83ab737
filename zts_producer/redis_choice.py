"""Decides which Redis a command talks to: the configured one, else one on this host, else the embedded stack."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from zts_core.errors import SettingInvalid
from zts_core.settings import LOCAL_REDIS, Settings, kombu_url

LOOK_S = 0.2
"""Seconds in which a Redis on this host has to answer to be found."""

SCHEMES = ("redis://", "rediss://", "unix://")

EMBEDDED = "embedded"
"""As REDIS_URL: the embedded stack, whatever runs on this host."""


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
    """The choice, with the URLs for redis-py and for Celery; both empty for the embedded stack."""

    source: Source
    redis_url: str = ""
    broker_url: str = ""


def choose_redis(settings: Settings, *, local: str = LOCAL_REDIS) -> RedisChoice:
    """What `settings` ask for; looks at `local` only where they name no Redis. SettingInvalid where they name none."""
    if settings.redis_url is not None:
        if settings.store_url == EMBEDDED:
            return RedisChoice(Source.EMBEDDED)
        _check_address(settings.store_url)
        return RedisChoice(Source.CONFIGURED, settings.store_url, settings.queue_url)
    if answers_ping(local):
        broker = settings.broker_url.get_secret_value() if settings.broker_url else kombu_url(local)
        return RedisChoice(Source.LOCAL, local, broker)
    return RedisChoice(Source.EMBEDDED)


def _check_address(url: str) -> None:
    """The address itself is not shown: it may hold a password."""
    cure = f"correct REDIS_URL: {', '.join(SCHEMES)}, or {EMBEDDED} for a Redis of its own"
    try:
        scheme, _, _ = url.partition("://")
        port_fits = urlsplit(url).port != 0
    except ValueError as error:
        raise SettingInvalid(f"REDIS_URL does not fit: {str(error).lower()}; {cure}") from None
    if f"{scheme}://" not in SCHEMES or not port_fits:
        raise SettingInvalid(f"REDIS_URL is no address of a Redis; {cure}")


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
