"""Decides how a worker learns that somebody watches its tasks, which then all go through the broker."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from zts_worker.staying import watch

LOOK_EVERY_S = 0.5
"""Seconds between two looks whether anybody watches."""


class WatchedStep(bootsteps.StartStopStep):
    """Looks whether this worker sends events of tasks: since its start, or since Flower or another asked for them."""

    requires = ("celery.worker.consumer:Events",)

    def __init__(self, c: Any, **options: Any) -> None:
        super().__init__(c, **options)
        self.timer: Any = None

    def start(self, c: Any) -> None:
        self._look(c)
        # Who asks for them by remote control changes the dispatcher's groups, and nothing else tells of it.
        self.timer = c.timer.call_repeatedly(LOOK_EVERY_S, self._look, (c,))

    def stop(self, c: Any) -> None:  # noqa: ARG002 - Celery's signature
        if self.timer is not None:
            self.timer.cancel()

    shutdown = stop

    @staticmethod
    def _look(c: Any) -> None:
        dispatcher = c.event_dispatcher
        groups = dispatcher.groups if dispatcher is not None else ()
        watch(on=dispatcher is not None and dispatcher.enabled and (not groups or "task" in groups))
