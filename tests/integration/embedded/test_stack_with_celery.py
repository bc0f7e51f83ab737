"""Celery works over the addresses a stack gives: as broker, as result backend, and through a chord."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery, chord
from stack_probe import Client, all_gone, complete_record, connect, record_of, stack, wait_until

from zts_producer.embedded import StackAddress
from zts_producer.embedded.endpoint import Answer, loopback_endpoint
from zts_producer.embedded.folder import StackFolder
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.processes import marked_processes
from zts_producer.embedded.redis_server import launch_redis
from zts_producer.embedded.server_binary import find_server

pytestmark = [pytest.mark.redis, pytest.mark.worker]

APPLICATION = """
import os, time
from celery import Celery

url = os.environ["TINY_BROKER"]
app = Celery("tiny", broker=url, backend=url)
app.conf.broker_connection_retry_on_startup = True

@app.task
def add(a, b):
    return a + b

@app.task
def total(numbers):
    return sum(numbers)

@app.task(acks_late=True)
def nap(seconds):
    time.sleep(seconds)
    return "rested"
"""

WORKER = (
    *(sys.executable, "-m", "celery", "-A", "tiny", "worker", "--concurrency", "1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "info"),
)


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[StackAddress], Celery]:
    """A tiny Celery application that workers find, here and there."""
    (tmp_path / "tiny.py").write_text(APPLICATION)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def connected(address: StackAddress) -> Celery:
        return Celery("tiny", broker=address.broker_url, backend=address.broker_url)

    return connected


def chord_of_five(app: Celery) -> int:
    numbers = [app.signature("tiny.add", (n, n)) for n in range(5)]
    with app:
        result = chord(numbers, app=app)(app.signature("tiny.total"))
        total: int = result.get(timeout=30)
        return total


def environment(address: StackAddress) -> dict[str, str]:
    return {"TINY_BROKER": address.broker_url}


def broker_of(folder: Path) -> StackAddress:
    """The address of the stack of a folder, known before it starts."""
    return StackAddress.of_socket(folder / "redis.sock")


@pytest.fixture
def working(folder: Path, application: Callable[[StackAddress], Celery]) -> Iterator[Celery]:
    known = environment(broker_of(folder))
    with stack(folder, worker_command=WORKER, environment=known) as address:
        yield application(address)


def test_a_chord_runs_on_the_workers_of_a_stack(working: Celery) -> None:
    assert chord_of_five(working) == 20


def test_a_folder_with_a_space_in_its_name_works_for_celery_too(
    folder: Path, application: Callable[[StackAddress], Celery]
) -> None:
    spaced = folder / "Application Support"
    known = environment(broker_of(spaced))
    with stack(spaced, worker_command=WORKER, environment=known) as address:
        assert chord_of_five(application(address)) == 20


def test_workers_go_on_after_redis_was_killed(folder: Path, working: Celery) -> None:
    assert chord_of_five(working) == 20
    before = complete_record(folder)
    assert before.redis.process is not None
    os.kill(before.redis.process.pid, signal.SIGKILL)
    wait_until(lambda: record_of(folder).redis.process != before.redis.process)
    again = Celery("tiny", broker=working.conf.broker_url, backend=working.conf.result_backend)
    assert chord_of_five(again) == 20
    assert record_of(folder).workers == before.workers, "the worker itself reconnects"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_task_of_hours_does_not_hold_up_the_end(
    folder: Path, client: Callable[..., Client], application: Callable[[StackAddress], Celery]
) -> None:
    only = client(worker_command=WORKER, environment=environment(broker_of(folder)), grace_s=0.2)
    with application(only.address()) as app:
        app.send_task("tiny.nap", (3600,))
    record = complete_record(folder)
    wait_until(lambda: "received" in StackFolder(folder).log("worker-1").read_text())
    assert len(list(marked_processes(record.mark))) > 1, "no pool process: the test has no fault to look at"
    assert only.leave() == 0
    assert all_gone(record)
    wait_until(lambda: not list(marked_processes(record.mark)))


def test_a_loopback_port_with_a_password_works_for_celery_too(
    folder: Path, application: Callable[[StackAddress], Celery]
) -> None:
    place = StackFolder(folder)
    place.prepare()
    endpoint = loopback_endpoint(folder)
    lock = FileLock.on(place.data_lock)
    process = launch_redis(find_server().path, place, endpoint=endpoint, data_lock=lock)
    try:
        wait_until(lambda: endpoint.ping() is Answer.READY)
        app = application(endpoint.address)
        with app:
            app.send_task("tiny.add", (1, 1))
        with connect(endpoint.address) as server:
            assert server.llen("celery") == 1
    finally:
        process.terminate()
        process.wait()
        lock.close()
