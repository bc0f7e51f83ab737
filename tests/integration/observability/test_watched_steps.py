"""Whoever watches Celery's events sees each step as a task of its own; elsewhere a worker goes on by itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from played_runs import SCRIPTED, Runs, step
from servers import RedisServer, Worker, wait_until

from zts_core.run import Outcome

pytestmark = [pytest.mark.redis, pytest.mark.worker]

STATES = ("A", "B", "C", "D", "E")


class Watched:
    """A worker that sends no events by itself, and how many messages the sequence takes it."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        record = {"ZTS_TEST_RECORD": str(folder / "record"), "PROMETHEUS_PORT": "0"}
        self.worker = Worker(redis.url, folder, concurrency=1, environment={**record, "ZTS_STAY": "10"})
        self.worker.wait_ready()
        self.runs = Runs(redis.url, folder / "record", beside_store=True)
        self.control = self.runs.app.control

    def taken(self) -> int:
        """Messages of steps that the worker took since its start."""
        (stats,) = wait_until(
            lambda: (self.control.inspect(timeout=5, limit=1).stats() or {}).values(), what="it tells"
        )
        return int(stats["total"].get("zts.step", 0))

    def play(self) -> tuple[str, int]:
        """One run of the sequence: its id, and how many messages it took."""
        before = self.taken()
        ended = self.runs.play([step(state) for state in STATES])
        assert ended.outcome is Outcome.COMPLETED
        assert sum(self.runs.calls(ended.run_id).values()) == len(STATES)
        return ended.run_id, self.taken() - before


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    redis = RedisServer()
    made = Watched(redis, tmp_path)
    yield made
    made.worker.stop()
    redis.close()


@contextmanager
def events(app: Any) -> Iterator[list[dict[str, Any]]]:
    """What arrives of tasks' events meanwhile."""
    seen: list[dict[str, Any]] = []
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.append})
        thread = threading.Thread(target=receiver.capture, kwargs={"limit": None, "timeout": None}, daemon=True)
        thread.start()
        # Its queue is there once a heartbeat came through it.
        wait_until(lambda: seen, what="an event arrives")
        try:
            yield seen
        finally:
            receiver.should_stop = True
            thread.join(10)


def test_every_step_is_a_task_of_its_own_while_somebody_watches_and_only_then(watched: Watched) -> None:
    # A crew is known to be quick once this process has run it.
    watched.play()
    assert watched.play()[1] == 1
    with events(watched.runs.app) as seen:
        watched.control.enable_events()
        wait_until(lambda: watched.play()[1] == len(STATES), what="the worker knows that it is watched")
        run_id, messages = watched.play()
        assert messages == len(STATES)
        shown = [f"({run_id} #{seq} {state} {SCRIPTED})" for seq, state in enumerate(STATES, 1)]
        wait_until(lambda: of(seen, run_id, "task-succeeded") == len(STATES), what="every end is seen")
        received = [event["args"] for event in seen if event["type"] == "task-received" and run_id in event["args"]]
        assert received == shown
        watched.control.disable_events()
        wait_until(lambda: watched.play()[1] == 1, what="the worker stays with its run again")


def of(seen: list[dict[str, Any]], run_id: str, kind: str) -> int:
    """Events of a kind, of the tasks of one run."""
    tasks = {event["uuid"] for event in seen if run_id in str(event.get("args", ""))}
    return Counter(event["type"] for event in seen if event.get("uuid") in tasks)[kind]
