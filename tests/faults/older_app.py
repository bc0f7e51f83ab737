"""The worker's application as a release before this one: it understands only an older format of runs."""

from zts_core.redis_store import keys

keys.FORMAT -= 1

from zts_worker.celery import app  # noqa: E402

__all__ = ["app"]
