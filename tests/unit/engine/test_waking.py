"""A thread that is done with a task wakes the loop that asks for the next message."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.thread import TaskPool as ThreadPool
from kombu.asynchronous import Hub

from zts_worker.waking import Bell, ListenStep, RingStep


def looked_within(hub: Hub, act: Any) -> bool:
    """Whether one wait of the loop, which would take 30 seconds by itself, is cut short by `act` in a thread."""
    hub.timer.enter_after(30, lambda: None)
    threading.Thread(target=act).start()
    waited = threading.Event()

    def wait() -> None:
        next(hub.create_loop())  # one round: it ends when something was heard
        waited.set()

    threading.Thread(target=wait, daemon=True).start()
    return waited.wait(10)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()
    hub.poller.close()


def test_a_ring_from_another_thread_ends_the_loops_wait(hub: Hub) -> None:
    with closing(Bell()) as bell:
        bell.hang_up(hub)
        assert looked_within(hub, bell.ring)


def test_a_bell_that_nobody_hears_never_blocks() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    bell.close()
    bell.ring()


@pytest.mark.parametrize("name", ["callback", "error_callback"])
def test_a_pool_of_threads_rings_after_each_task_however_it_ended(name: str, hub: Hub) -> None:
    told: list[str] = []
    pool: Any = ThreadPool.__new__(ThreadPool)
    pool.apply_async = lambda **options: options[name]("outcome")
    step, worker = RingStep(None), SimpleNamespace(pool=pool)
    step.start(worker)
    ListenStep(None).start(SimpleNamespace(pool=pool, hub=hub))
    assert looked_within(hub, lambda: pool.apply_async(**{name: told.append}))
    step.stop(worker)
    assert told == ["outcome"]


def test_other_pools_are_left_alone() -> None:
    pool = SimpleNamespace(apply_async=print)
    RingStep(None).start(SimpleNamespace(pool=pool))
    ListenStep(None).start(SimpleNamespace(pool=pool, hub=None))
    assert pool.apply_async is print
