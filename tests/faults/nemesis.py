"""Decides what goes wrong on the real stack, and when: one seed, one story of kills, freezes, restarts, losses, fills.

Every deed says how often it really did harm: one that found nothing to break counts nothing.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import redis
from field import Field, breathe, is_gone
from servers import Worker, wait_until

from zts_core.step_message import STEP_QUEUE

FROZEN_S = (1.0, 4.0)
"""Shortest and longest freeze, around the short lease of two seconds."""
FULL_S = 1.5
BACKLOG_S = 0.6
"""Seconds in which enough messages pile up to lose, double or shuffle some."""


class Nemesis:
    """Breaks one thing at a time and leaves the stack whole: a killed worker is replaced, a stopped server started."""

    def __init__(self, field: Field, *, seed: int, deeds: Sequence[str] = (), **worker: Any) -> None:
        self.field = field
        self.rng = random.Random(seed)
        self.worker_options = worker
        self.done: Counter[str] = Counter()
        known = {
            "kill_child": self.kill_child,
            "kill_worker": self.kill_worker,
            "freeze_worker": self.freeze_worker,
            "dismiss_worker": self.dismiss_worker,
            "restart_redis": self.restart_redis,
            "fill_redis": self.fill_redis,
            "lose_messages": self.lose_messages,
            "double_messages": self.double_messages,
            "shuffle_messages": self.shuffle_messages,
        }
        self.deeds: dict[str, Callable[[], int]] = {name: known[name] for name in deeds or known}
        self._left: list[str] = []

    def strike(self) -> str:
        """Do one deed, each in turn in an order of the seed's own; its name."""
        if not self._left:
            self._left = self.rng.sample(sorted(self.deeds), len(self.deeds))
        name = self._left.pop()
        self.done[name] += self.deeds[name]()
        return name

    def heal(self) -> None:
        """Let everything work again: at least one worker, and a Redis that takes writes."""
        for worker in self.alive():
            with suppress(ProcessLookupError):
                worker.signal(signal.SIGCONT)
        self.with_redis(lambda client: client.config_set("maxmemory", "0"))
        if not self.alive():
            self.hire()

    # workers

    def alive(self) -> list[Worker]:
        return [worker for worker in self.field.workers if worker.process.poll() is None]

    def at_work(self) -> Worker:
        """One that has taken a message: before that, Celery gives a worker up whose children die."""

        def found() -> Worker | None:
            workers = [worker for worker in self.alive() if " received" in worker.said()]
            return self.rng.choice(workers) if workers else None

        return wait_until(found, what="a worker is at work")

    def hire(self) -> None:
        self.field.worker(ready=False, **self.worker_options)

    def kill_child(self) -> int:
        worker = self.at_work()
        listed = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")

        def struck() -> int | None:
            children = listed.read_text().split()
            pid = int(self.rng.choice(children)) if children else 0
            # A child may go by itself between the look and the blow.
            with suppress(ProcessLookupError):
                if pid:
                    os.kill(pid, signal.SIGKILL)
                    return pid
            return None

        pid = wait_until(struck, what="a worker has a pool child to kill")
        wait_until(lambda: is_gone(pid), what=f"pool child {pid} is gone")
        return 1

    def kill_worker(self) -> int:
        worker = self.rng.choice(self.alive())
        self.hire()
        worker.kill()
        return int(worker.process.returncode == -signal.SIGKILL)

    def freeze_worker(self) -> int:
        worker = self.rng.choice(self.alive())
        worker.signal(signal.SIGSTOP)
        breathe(self.rng.uniform(*FROZEN_S))
        worker.signal(signal.SIGCONT)
        return 1

    def dismiss_worker(self) -> int:
        worker = self.at_work()
        self.hire()
        worker.process.send_signal(signal.SIGTERM)
        wait_until(
            lambda: worker.process.poll() is not None,
            within_s=60,
            what=lambda: f"a dismissed worker ends, said: {worker.said()[-4000:]}",
        )
        return int(worker.process.returncode == 0)

    # Redis

    def with_redis(self, act: Callable[[redis.Redis], Any]) -> Any:
        with self.field.redis.client() as client:
            return act(client)

    def restart_redis(self) -> int:
        before = self.field.redis.process
        self.field.redis.stop()
        breathe(self.rng.uniform(0.1, 1))
        self.field.redis.start()
        return int(self.field.redis.process is not before)

    def fill_redis(self) -> int:
        self.with_redis(lambda client: client.config_set("maxmemory", "1mb"))
        breathe(FULL_S)
        try:
            self.with_redis(lambda client: client.set("full", "1"))
        except redis.exceptions.OutOfMemoryError:
            return 1
        finally:
            self.with_redis(lambda client: client.config_set("maxmemory", "0"))
        return 0

    # the queue

    def with_a_backlog(self, act: Callable[[redis.Redis], Any]) -> Any:
        """Act on a queue that nobody takes from for a moment, so that something waits in it."""
        frozen = self.alive()
        for worker in frozen:
            worker.signal(signal.SIGSTOP)
        try:
            breathe(BACKLOG_S)
            return self.with_redis(act)
        finally:
            for worker in frozen:
                worker.signal(signal.SIGCONT)

    def lose_messages(self) -> int:
        lost = self.with_a_backlog(lambda client: client.rpop(STEP_QUEUE, self.rng.randint(1, 20)))
        return len(lost or ())

    def double_messages(self) -> int:
        def double(client: redis.Redis) -> int:
            waiting = cast("list[bytes]", client.lrange(STEP_QUEUE, 0, 20))
            if waiting:
                client.rpush(STEP_QUEUE, *waiting)
            return len(waiting)

        return int(self.with_a_backlog(double))

    def shuffle_messages(self) -> int:
        def shuffle(client: redis.Redis) -> int:
            taken = cast("list[bytes]", client.rpop(STEP_QUEUE, 30) or [])
            self.rng.shuffle(taken)
            if taken:
                client.rpush(STEP_QUEUE, *taken)
            return len(taken) if len(taken) > 1 else 0

        return int(self.with_a_backlog(shuffle))
