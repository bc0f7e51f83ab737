"""Measures how long a step stands still after a fault, with the default settings: `python -m benchmarks.recovery`.

Each figure is the time from the fault until the crew runs again (or the next step's crew runs), on a Redis server and
`celery worker` processes of this machine. Nothing is shortened for the measurement.
"""

from __future__ import annotations

import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "faults")]

from field import STEPS, Field, faulty  # noqa: E402
from servers import RedisServer, Worker, wait_until  # noqa: E402

from zts_core import crash_points  # noqa: E402

ROUNDS = 3


def called(field: Field, run_id: str, state: str, *, times: int = 1) -> None:
    wait_until(lambda: len(field.rows_of(run_id, state)) >= times, within_s=120, what=field.runs.story(run_id))


def killed_child(field: Field) -> float:
    field.worker()
    run_id = field.runs.start([faulty("SLOW", first_s=600)])
    called(field, run_id, "SLOW")
    (row,) = field.rows_of(run_id, "SLOW")
    os.kill(row[5], signal.SIGKILL)
    return seconds(lambda: called(field, run_id, "SLOW", times=2))


def killed_worker(field: Field) -> float:
    doomed = field.worker()
    run_id = field.runs.start([faulty("SLOW", first_s=600)])
    called(field, run_id, "SLOW")
    field.worker()
    doomed.signal(signal.SIGKILL)
    return seconds(lambda: called(field, run_id, "SLOW", times=2))


def lost_message(field: Field) -> float:
    worker = field.worker()
    consume(field, worker, "cancel_consumer")
    run_id = field.runs.start([faulty("STEP")])
    with field.redis.client() as client:
        assert client.lpop(STEPS)
    consume(field, worker, "add_consumer")
    return seconds(lambda: called(field, run_id, "STEP"))


def consume(field: Field, worker: Worker, order: str) -> None:
    """Let a worker take messages, or none."""
    from zts_core.celery_queue import make_app

    url = field.redis.url
    getattr(make_app(url, url, timeout_s=5).control, order)(STEPS, reply=True, timeout=5)
    assert worker.process.poll() is None


def died_after_commit(field: Field) -> float:
    return died_at(field, crash_points.AFTER_COMMIT)


def died_after_decision(field: Field) -> float:
    return died_at(field, crash_points.AFTER_RECORD)


def died_at(field: Field, place: str) -> float:
    order = field.folder / "crash-at"
    field.worker(environment={"ZTS_CRASH_AT": f"@{order}"})
    # The last branch's join is decided apart from its commit, so that there is a decision to die after.
    run_id = field.runs.start([{"parallel": [faulty("A", first_s=1), faulty("B", first_s=1)]}, faulty("NEXT")])
    called(field, run_id, "B")
    order.write_text(place)
    wait_until(lambda: not order.exists(), within_s=60)
    return seconds(lambda: called(field, run_id, "NEXT"))


def seconds(wait: Callable[[], None]) -> float:
    began = time.monotonic()
    wait()
    return time.monotonic() - began


def measure(name: str, once: Callable[[Field], float]) -> None:
    figures = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="zts-recovery-") as folder:
            field = Field(Path(folder), RedisServer())
            field.environment = {"ZTS_TEST_RECORD": str(Path(folder) / "record")}
            try:
                figures.append(once(field))
            finally:
                field.close()
    print(f"| {name} | {statistics.median(figures):.1f} s | {max(figures):.1f} s |", flush=True)


def main() -> None:
    names = ("celery", "kombu", "redis")
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, {versions}")
    print(f"\n| fault | median of {ROUNDS} | longest |\n|---|---|---|")
    measure("SIGKILL of the pool child in mid-step", killed_child)
    measure("SIGKILL of a whole worker in mid-step, another one alive", killed_worker)
    measure("a message vanishes from an idle queue", lost_message)
    measure("SIGKILL after the commit, before the next wave is sent", died_after_commit)
    measure("SIGKILL after the decision, before the wave is sent", died_after_decision)


if __name__ == "__main__":
    main()
