"""Decides which addresses of a Redis there are, and how each is spelled for redis-py and for Celery.

    redis://[user:password@]host[:6379][/db]            one server
    rediss://...                                        the same over TLS
    unix:///path/redis.sock[?db=0]                      one on this host
    sentinel://[user:password@]host[:26379],host2[:26379][/db][?service=mymaster]
                                                        whichever server these Sentinels name as the primary
    sentinels://...                                     the same over TLS, to the Sentinels too

Over TLS: `?ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE&ssl_check_hostname=false`, each where it is needed.
Sentinels with a login of their own: `&sentinel_username=...&sentinel_password=...`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from zts_core.errors import SettingInvalid

SCHEMES = ("redis", "rediss", "unix", "sentinel", "sentinels")
BROKERS = (*SCHEMES, "redis+socket", "amqp", "amqps", "pyamqp")
"""What else carries messages: RabbitMQ, and a Unix socket in kombu's spelling."""

SENTINEL_PORT = 26379
DEFAULT_SERVICE = "mymaster"

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS = (*_FILES, "ssl_check_hostname", "ssl_cert_reqs")
_OF_SENTINELS = ("service", "sentinel_username", "sentinel_password", *_TLS)


@dataclass(frozen=True, slots=True)
class Sentinels:
    """An address that Sentinels resolve: whom to ask, for which service, and how to log in there and here."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    db: int
    login: Mapping[str, str] = field(repr=False)
    """`username` and `password` at the Redis, where it wants them."""
    login_there: Mapping[str, str] = field(repr=False)
    """The same at the Sentinels."""
    tls: Mapping[str, Any] | None
    """How to speak TLS (redis-py's names); None without."""


@dataclass(frozen=True, slots=True)
class CelerySpelling:
    """The same address for Celery: kombu's URL, its TLS options and those of its transport."""

    url: str
    use_ssl: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def check_redis_url(url: str, *, variable: str = "REDIS_URL") -> None:
    """SettingInvalid where this is no address of a Redis; never shows it, for it may hold a password."""
    _check(url, variable=variable, schemes=SCHEMES, what="a Redis")


def check_broker_url(url: str) -> None:
    """SettingInvalid where this is no address of a broker."""
    _check(url, variable="ZTS_BROKER_URL", schemes=BROKERS, what="a broker")


def _check(url: str, *, variable: str, schemes: tuple[str, ...], what: str) -> None:
    own = ", or embedded for a Redis of its own" if schemes == SCHEMES else ""
    cure = f"correct {variable}: {', '.join(f'{scheme}://' for scheme in schemes)}{own}"
    scheme, _, _ = url.partition("://")
    if scheme not in schemes or "://" not in url:
        raise SettingInvalid(f"{variable} is no address of {what}; {cure}")
    try:
        if scheme in ("sentinel", "sentinels"):
            query = sentinels_of(url).tls or {}
        else:
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query))
            if parts.port == 0 or (scheme.startswith("redis") and "," in parts.netloc):
                raise ValueError(f"{parts.netloc.rpartition('@')[2]} is no host and port")
    except ValueError as error:
        raise SettingInvalid(f"{variable} does not fit: {str(error).lower()}; {cure}") from None
    for name in _FILES:
        if name in query and not Path(query[name]).is_file():
            raise SettingInvalid(f"{variable} names {query[name]!r} as {name}, and there is no such file; correct it")


def sentinels_of(url: str) -> Sentinels:
    """The parts of a `sentinel://` or `sentinels://` address; ValueError names what does not fit."""
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    rest, _, path = rest.partition("/")
    login, _, hosts = rest.rpartition("@")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OF_SENTINELS:
            raise ValueError(f"{name!r} is no option of a Sentinel address ({', '.join(_OF_SENTINELS)})")
    if path and not path.isdigit():
        raise ValueError(f"{path!r} is no number of a database")
    username, _, password = login.partition(":")
    return Sentinels(
        hosts=tuple(_host(each) for each in hosts.split(",")),
        service=options.get("service") or DEFAULT_SERVICE,
        db=int(path or 0),
        login=_filled(username=unquote(username), password=unquote(password)),
        login_there=_filled(
            username=options.get("sentinel_username", ""), password=options.get("sentinel_password", "")
        ),
        tls=_tls(options) if scheme == "sentinels" else None,
    )


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port == 0:
        raise ValueError(f"{text!r} is no host of a Sentinel")
    return parts.hostname, parts.port or SENTINEL_PORT


def _filled(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    """redis-py's TLS options; a server's certificate is always checked unless it is said otherwise."""
    given: dict[str, Any] = {name: options[name] for name in _TLS if name in options}
    if "ssl_check_hostname" in given:
        given["ssl_check_hostname"] = given["ssl_check_hostname"].lower() not in ("false", "no", "0")
    return {"ssl_cert_reqs": "required", **given}


def for_celery(url: str) -> CelerySpelling:
    """How Celery reaches the same place, as broker and as result backend. Other brokers' addresses stay as they are."""
    scheme, _, _ = url.partition("://")
    if scheme in ("sentinel", "sentinels"):
        return _sentinels_for_celery(sentinels_of(url))
    if scheme == "unix":
        rest = url.removeprefix("unix://").replace("?db=", "?virtual_host=").replace("&db=", "&virtual_host=")
        return CelerySpelling(f"redis+socket://{rest}")
    if scheme == "rediss":
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        others = "&".join(f"{name}={quote(value)}" for name, value in query.items() if name not in _TLS)
        return CelerySpelling(parts._replace(query=others).geturl(), use_ssl=_tls(query))
    return CelerySpelling(url)


def _sentinels_for_celery(found: Sentinels) -> CelerySpelling:
    login = ":".join(quote(found.login.get(name, ""), safe="") for name in ("username", "password"))
    at = f"{login}@" if found.login else ""
    url = ";".join(f"sentinel://{at}{_bracketed(host)}:{port}/{found.db}" for host, port in found.hosts)
    there = {**found.login_there, **({"ssl": True, **found.tls} if found.tls else {})}
    return CelerySpelling(url, found.tls, {"master_name": found.service, "sentinel_kwargs": there})


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def one_redis(store_url: str, broker_url: str) -> bool:
    """Whether store and broker are one database of one Redis, so that a script can push a message."""
    return for_celery(store_url) == for_celery(broker_url)


def place_of(url: str) -> str:
    """Host and port (or socket) of an address, without its password."""
    scheme, _, _ = url.partition("://")
    if scheme in ("sentinel", "sentinels"):
        found = sentinels_of(url)
        return f"{found.service} of {','.join(f'{host}:{port}' for host, port in found.hosts)}"
    parts = urlsplit(url)
    if scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
