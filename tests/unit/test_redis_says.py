"""What Redis and redis-py say comes out as one line that people can use."""

from __future__ import annotations

import pytest
from redis.exceptions import OutOfMemoryError, RedisError

from zts_core.errors import ServiceUnavailable, SettingInvalid
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import translated


def told(error: Exception) -> str:
    with pytest.raises(ServiceUnavailable) as raised, translated("h"):
        raise error
    return str(raised.value)


def test_the_objects_of_redis_py_and_the_script_are_left_out() -> None:
    assert told(RedisError("No master found for 'm' : <redis.client.Redis(<...>)>")).startswith(
        "Redis at h does not answer: No master found for 'm'; "
    )
    assert told(RedisError("Error 111 connecting to h:1. Connection refused.")).endswith(
        "connecting to h:1. Connection refused; start it, or correct REDIS_URL"
    )
    assert "script" not in told(OutOfMemoryError("command not allowed. script: fbf2, on @user_script:24."))


def test_an_option_that_an_address_cannot_have_is_named() -> None:
    with pytest.raises(SettingInvalid, match="option 'foo'"), translated("h"):
        connect("redis://127.0.0.1:1/0?foo=bar", timeout_s=1).ping()


def test_a_mistake_of_our_own_is_not_taken_for_one_of_the_address() -> None:
    with pytest.raises(TypeError), translated("h"):
        raise TypeError("unsupported operand")
