"""Decides how often a call is tried again: while its time lasts, because every script is safe to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

Answer = TypeVar("Answer")

TRIES_AGAIN = 3
"""At most; a server that refuses connections says so at once, and is asked again within a second."""


class RetryWithin(Retry):
    """Retries a few times, and begins no further try where less than a quarter of `whole_s` seconds is left."""

    def __init__(self, whole_s: float) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=0.5), TRIES_AGAIN)
        self._last_start_s = whole_s * 0.75

    def call_with_retry(self, do: Callable[[], Answer], fail: Callable[..., Any], *args: Any, **options: Any) -> Answer:
        """As redis-py defines it; `fail` hears every error before the next try."""
        until = time.monotonic() + self._last_start_s

        def fail_in_time(error: Exception, *count: int) -> None:
            fail(error, *count)
            if time.monotonic() > until:
                raise error

        return super().call_with_retry(do, fail_in_time, *args, **options)
