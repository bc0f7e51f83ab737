"""Runs on Redis: `RedisStore` keeps the promises of `zts_core.ports.RunStore`."""

from zts_core.redis_store.store import RedisStore

__all__ = ["RedisStore"]
