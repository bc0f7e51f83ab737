"""Faults 3, 7, 8, 9, 14: messages that vanish, come twice, come late or out of order; a join without its chord."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from field import SHORT, STEPS, Field, breathe, faulty
from played_runs import step
from servers import Worker, wait_until

from zts_core.celery_queue import CeleryQueue, make_app
from zts_core.dispatch import Dispatcher
from zts_worker.reaper import Reaper, ReaperLimits

FAN = {"foreach": {"over": "made.tasks", "as": "item", "step": faulty("ITEM")}}


def test_a_message_that_vanishes_is_sent_again(field: Field) -> None:
    run_id = field.runs.start([faulty("FIRST"), faulty("NEXT")])
    with field.redis.client() as client:
        assert client.llen(STEPS) == 1
        assert client.lpop(STEPS)
        assert client.llen(STEPS) == 0
    field.worker()
    field.ends(run_id)
    assert field.runs.kinds(run_id)["sent_again"] == 1
    assert field.runs.calls(run_id) == {"FIRST": 1, "NEXT": 1}


def test_every_message_may_come_twice_and_in_any_order(field: Field) -> None:
    nodes = [
        step("LIST", "scripted_crews:ScriptedCrew", output={"tasks": list(range(8))}),
        {"parallel": [faulty("A"), {"sequence": [faulty("B1"), faulty("B2")]}]},
        FAN,
        faulty("LAST"),
    ]
    run_ids = [field.runs.start(nodes) for _ in range(4)]
    copier = Copier(field)
    copier.start()
    field.worker(concurrency=3)
    try:
        field.all_end(run_ids)
    finally:
        copier.over.set()
        copier.join()
    assert copier.copied > 10
    for run_id in run_ids:
        assert set(field.runs.calls(run_id).values()) == {1}


class Copier(threading.Thread):
    """Puts a copy of every message it sees back into the list, and shuffles what waits there."""

    def __init__(self, field: Field) -> None:
        super().__init__(daemon=True)
        self.field = field
        self.over = threading.Event()
        self.seen: set[str] = set()
        self.copied = 0

    def run(self) -> None:
        rng = random.Random(8)
        with self.field.redis.client() as client:
            while not self.over.wait(0.005):
                fresh = [m for m in client.lrange(STEPS, 0, -1) if m not in self.seen]  # type: ignore[union-attr]
                self.seen.update(fresh)
                rng.shuffle(fresh)
                if fresh:
                    client.rpush(STEPS, *fresh)
                    client.lpush(STEPS, *fresh)
                    self.copied += 2 * len(fresh)


class ImpatientWorker(Worker):
    """A worker whose broker redelivers after a second."""

    @staticmethod
    def _spawn(
        command: list[str], log: BinaryIO, redis_url: str, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        command[command.index("zts_worker")] = "tests.faults.impatient_app"
        return Worker._spawn(command, log, redis_url, folder, environment)


def test_a_step_that_outlives_its_visibility_timeout_commits_once(field: Field) -> None:
    run_id = field.runs.start([faulty("LONG", sleep_s=3), faulty("NEXT")])
    with field.redis.client() as client:
        message: str = client.lindex(STEPS, 0)  # type: ignore[assignment]
        field.worker(kind=ImpatientWorker)
        field.called(run_id, "LONG")
        # What the broker has on record of a message that nobody acknowledged within its visibility timeout.
        client.hset("unacked", "a-tag", json.dumps([json.loads(message), "zts.steps", "zts.steps"]))
        client.zadd("unacked_index", {"a-tag": time.time() - 5})
        wait_until(lambda: client.hlen("unacked") == 0, what="the broker gives the message out again")
        wait_until(lambda: field.workers[0].said().count("received") >= 2, what="it is delivered a second time")
    field.ends(run_id)
    assert field.runs.calls(run_id) == {"LONG": 1, "NEXT": 1}


def test_a_join_fires_once_where_its_chord_has_gone(field: Field) -> None:
    broker = field.redis.url
    queue = CeleryQueue(make_app(broker, broker, timeout_s=2), watchdog="chord")
    field.runs.dispatcher = Dispatcher(field.runs.store, queue)
    field.worker(concurrency=3, environment={"ZTS_WATCHDOG": "chord"})
    run_id = field.runs.start([{"parallel": [faulty("A"), faulty("B", sleep_s=1)]}, faulty("AFTER")])
    field.called(run_id, "B")
    with field.redis.client() as client:
        gone = [key for key in client.keys("celery-taskset-meta-*") for _ in [client.delete(key)]]  # type: ignore[union-attr]
    assert gone, "the chord's keys were deleted"
    field.ends(run_id)
    assert field.runs.calls(run_id) == {"A": 1, "B": 1, "AFTER": 1}


def test_queues_are_rebuilt_when_the_broker_forgets_everything(field: Field) -> None:
    broker = f"redis+socket://{field.redis.socket}?virtual_host=1"
    queue = CeleryQueue(make_app(broker, broker, timeout_s=2), watchdog="inline")
    field.runs.dispatcher = Dispatcher(field.runs.store, queue)
    run_ids = [field.runs.start([faulty("A", sleep_s=0.2), faulty("B"), faulty("C")]) for _ in range(10)]
    field.worker(environment={"ZTS_BROKER_URL": broker})
    field.called(run_ids[0], "A")
    with field.redis.client() as client:
        client.select(1)
        assert client.llen(STEPS) > 0
        client.flushdb()
        assert client.llen(STEPS) == 0
    field.all_end(run_ids)
    assert sum(field.runs.kinds(run_id)["sent_again"] for run_id in run_ids) > 0


def test_ten_thousand_waiting_steps_are_not_sent_again_and_lost_ones_are(field: Field) -> None:
    runs = field.runs
    fan = {"foreach": {"over": "made.tasks", "as": "item", "step": faulty("ITEM", sleep_s=60)}}
    # All of them in the broker, as many runs would have theirs.
    worker = field.worker(concurrency=1, environment={"ZTS_FAN_OUT_WINDOW": "10000"})
    run_id = runs.start([step("LIST", output={"tasks": list(range(10_000))}), fan], max_steps=20_000)
    wait_until(lambda: runs.kinds(run_id)["wave"] == 2, within_s=120, what="the fan-out is decided")
    wait_until(lambda: field.waiting() > 9_990, what="the wave is sent")
    worker.kill()
    reaper = reaper_of(field)
    before = field.waiting()
    breathe(2 * float(SHORT["ZTS_RESEND_AFTER"]))
    for _ in range(100):
        reaper.tick()
    # The one step that was at work has lost its worker, and is sent again.
    assert before <= field.waiting() <= before + 1
    with field.redis.client() as client:
        client.delete(STEPS)
    wait_until(lambda: reaper.tick() and field.waiting() > 0, what="lost messages are sent again")
    resent = field.waiting()
    for _ in range(100):
        reaper.tick()
    assert field.waiting() <= resent + 1


def reaper_of(field: Field) -> Reaper:
    url = field.redis.url
    store, queue = field.runs.store, CeleryQueue(make_app(url, url, timeout_s=2), watchdog="inline")
    limits = ReaperLimits(interval_s=0.005, unclaimed_after_s=float(SHORT["ZTS_RESEND_AFTER"]))
    return Reaper(store=store, queue=queue, dispatcher=Dispatcher(store, queue), limits=limits)
