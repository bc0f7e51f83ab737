"""Decides how a worker takes a message: it leaves the queue for good, and a Redis is told nothing afterwards.

The queue is a hint: what a dead worker held is found in the store and sent again. kombu keeps no books for the
consumers of a `no_ack` queue, and yet answers Celery's acknowledgement with a transaction that looks for them. RabbitMQ
waits for it: it hands out no more than a few messages that are not acknowledged.
"""

from __future__ import annotations

from celery.worker.request import Request

from zts_core.step_message import STEP_QUEUE


class Taken(Request):
    """A message that nobody has to give back."""

    def acknowledge(self) -> None:
        if self.app is not None and self.app.amqp.queues[STEP_QUEUE].no_ack:
            self.acknowledged = True
        else:
            super().acknowledge()
