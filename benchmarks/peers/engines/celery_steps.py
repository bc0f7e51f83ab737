"""Bare Celery: each step sends the next one (PATTERN=hop), or each step is a chord of one (PATTERN=chord)."""

import os
import sys

from celery import Celery, chord
from serving import PORT, RESULT, Bell, Peer, ring, serve

URL = f"redis://127.0.0.1:{PORT}/0"
HOPS = os.environ["PATTERN"] == "hop"

app = Celery("celery_steps", broker=URL, backend=URL, set_as_current=True)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    task_ignore_result=HOPS,
    worker_send_task_events=False,
)


@app.task(name="hop")
def hop(number, steps):
    if number < steps:
        hop.delay(number + 1, steps)
    else:
        ring()
    return RESULT


@app.task(name="step", ignore_result=False)
def step():
    return RESULT


@app.task(name="body", ignore_result=True)
def body(_results, number, steps):
    if number < steps:
        chord([step.s()], body.s(number + 1, steps)).apply_async()
    else:
        ring()


@app.task(name="spread", ignore_result=True)
def spread(width):
    chord([step.s() for _ in range(width)], body.s(1, 1)).apply_async()


class CelerySteps(Peer):
    packages = ("celery", "redis")

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.redis()
        self.spawn(sys.executable, *["-m", "celery", "-A", "celery_steps", "worker", "-c", "2", "-l", "warning"])

    def start(self, steps: int) -> None:
        if HOPS:
            hop.delay(1, steps)
        else:
            chord([step.s()], body.s(1, steps)).apply_async()

    def sequence(self, steps: int) -> None:
        self.many(1, steps)

    def many(self, runs: int, steps: int) -> None:
        for _ in range(runs):
            self.start(steps)
        self.bell.wait(runs)

    def fan_out(self, width: int) -> None:
        spread.delay(width)
        self.bell.wait()


if __name__ == "__main__":
    serve(CelerySteps)
