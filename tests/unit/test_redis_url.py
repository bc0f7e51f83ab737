"""Addresses of Redis: which are understood, how Celery is told, and what is said about those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from zts_core.errors import SettingInvalid
from zts_core.redis_store.advice import warnings_about
from zts_core.redis_url import check_broker_url, check_redis_url, for_celery, one_redis, sentinels_of
from zts_core.refusals import cure_of

WATCHED = "sentinels://user:p%40ss@a,b:2/3?service=main&sentinel_password=there&ssl_ca_certs=/ca.pem"


def test_every_part_of_a_sentinel_address_is_read() -> None:
    found = sentinels_of(WATCHED)
    assert found.hosts == (("a", 26379), ("b", 2))
    assert (found.service, found.db) == ("main", 3)
    assert (found.login, found.login_there) == ({"username": "user", "password": "p@ss"}, {"password": "there"})
    assert found.tls == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"}
    assert "p@ss" not in repr(found)


def test_celery_is_told_the_same_place() -> None:
    told = for_celery(WATCHED)
    assert told.url == "sentinel://user:p%40ss@a:26379/3;sentinel://user:p%40ss@b:2/3"
    assert told.options["master_name"] == "main"
    assert told.use_ssl == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"}
    assert for_celery("rediss://h/1?ssl_ca_certs=/ca.pem").url == "rediss://h/1"
    assert for_celery("amqp://guest@rabbit//").url == "amqp://guest@rabbit//"


def test_one_redis_is_known_however_it_is_spelled() -> None:
    assert one_redis("unix:///r.sock?db=1", "redis+socket:///r.sock?virtual_host=1")
    assert one_redis("sentinel://a,b", "sentinel://a,b/0?service=mymaster")
    assert not one_redis("redis://a/0", "redis://a/1")
    assert not one_redis("sentinel://a/0", "sentinel://a/0?service=other")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sentinel://a/x", "'x' is no number of a database"),
        ("sentinel://a,:5", "is no host of a sentinel"),
        ("sentinel://a?servise=b", "'servise' is no option"),
        ("redis://a,b/0", "is no host and port"),
        ("rediss://a/0?ssl_ca_certs=/nowhere.pem", "'/nowhere.pem' as ssl_ca_certs, and there is no such file"),
        ("amqp://rabbit//", "is no address of a Redis"),
    ],
)
def test_what_is_wrong_with_an_address_is_named(url: str, said: str) -> None:
    with pytest.raises(SettingInvalid, match=said):
        check_redis_url(url)


def test_a_broker_may_be_a_rabbitmq() -> None:
    check_broker_url("amqps://user:secret@rabbit:5671//")
    with pytest.raises(SettingInvalid, match="ZTS_BROKER_URL is no address of a broker"):
        check_broker_url("kafka://here")


def test_advice_is_given_where_data_could_be_lost_and_only_there() -> None:
    assert warnings_about({"aof_enabled": 1, "maxmemory_policy": "noeviction", "role": "master"}) == []
    assert warnings_about({}) == []
    bad = {"aof_enabled": 0, "maxmemory_policy": "allkeys-lru", "role": "slave", "redis_mode": "cluster"}
    said = " ".join(warnings_about(bad))
    for word in ("appendonly yes", "maxmemory-policy noeviction", "a replica", "Redis Cluster"):
        assert word in said


@pytest.mark.parametrize(
    ("refusal", "cure"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'", "raise maxmemory"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "make room there"),
        ("READONLY You can't write against a read only replica.", "name the primary"),
        ("NOPERM this user has no permissions", "users.acl"),
        ("something new", "look"),
    ],
)
def test_a_refusal_comes_with_its_cure(refusal: str, cure: str) -> None:
    assert cure in cure_of(refusal, otherwise="look")


def test_one_file_opens_connections_of_the_store() -> None:
    store = Path(__file__).parents[2] / "zts_core" / "redis_store"
    assert [file.name for file in store.glob("*.py") if ".from_url(" in file.read_text("utf-8")] == ["connecting.py"]
