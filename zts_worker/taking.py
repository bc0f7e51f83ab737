"""Decides how a worker takes a message: it leaves the queue for good, and nothing is told to the broker afterwards.

The queue is a hint: what a dead worker held is found in the store and sent again. kombu keeps no books for the
consumers of a `no_ack` queue, and yet answers Celery's acknowledgement with a transaction that looks for them.
"""

from __future__ import annotations

from celery.worker.request import Request


class Taken(Request):
    """A message that nobody has to give back."""

    def acknowledge(self) -> None:
        self.acknowledged = True
