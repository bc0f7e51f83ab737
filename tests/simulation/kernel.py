"""Decides what happens when in a simulation: one virtual clock, one source of randomness, one actor at a time.

An actor is a thread that runs only while it holds the baton; it gives the baton back when it sleeps, parks or ends. So
real, blocking code can be stopped at any of its calls, and the same seed always gives the same story.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable

from tests.fakes import Clock


class Killed(BaseException):
    """The process dies here; nobody may catch it."""


class Closed(BaseException):
    """The simulation is over."""


class Actor:
    """A thread of the simulation."""

    def __init__(self, kernel: Kernel, name: str, body: Callable[[], None]) -> None:
        self.kernel = kernel
        self.name = name
        self.parked = False
        self._body = body
        self._go = threading.Lock()
        self._go.acquire()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        self._go.acquire()
        try:
            if not self.kernel.closing:
                self._body()
        except Closed:
            pass
        except BaseException as error:
            self.kernel.error = error
        finally:
            self.kernel.ended(self)

    def run(self) -> None:
        """Hand over the baton until the actor gives it back."""
        self.kernel.current = self
        self._go.release()
        self.kernel.baton.acquire()
        self.kernel.current = None

    def give_back(self) -> None:
        self.kernel.baton.release()
        self._go.acquire()
        if self.kernel.closing:
            raise Closed

    def join(self) -> None:
        self._thread.join()


class VirtualTime:
    """Stands in for the module `time` in the engine's modules."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def time(self) -> float:
        return self.kernel.now_s

    def monotonic(self) -> float:
        return self.kernel.now_s

    def sleep(self, seconds: float) -> None:
        self.kernel.sleep(seconds)


class Kernel:
    """The clock, the calendar and the actors."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.baton = threading.Lock()
        self.baton.acquire()
        self.current: Actor | None = None
        self.closing = False
        self.error: BaseException | None = None
        self._actors: list[Actor] = []
        self._calendar: list[tuple[int, int, Callable[[], None]]] = []
        self._entries = 0

    @property
    def now_s(self) -> float:
        return self.clock.now_ms / 1000

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.rng.random() < probability

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._entries += 1
        heapq.heappush(self._calendar, (self.clock.now_ms + max(round(seconds * 1000), 0), self._entries, action))

    def start(self, name: str, body: Callable[[], None], *, after_s: float = 0) -> None:
        actor = Actor(self, name, body)
        self._actors.append(actor)
        self.after(after_s, actor.run)

    def sleep(self, seconds: float) -> None:
        """Called by an actor: go on that much later."""
        actor = self._me()
        self.after(seconds, actor.run)
        actor.give_back()

    def park(self) -> None:
        """Called by an actor: go on when somebody calls `wake`."""
        actor = self._me()
        actor.parked = True
        actor.give_back()

    def wake_one(self) -> None:
        parked = [actor for actor in self._actors if actor.parked]
        if parked:
            chosen = self.rng.choice(parked)
            chosen.parked = False
            self.after(0, chosen.run)

    def run(self, *, until: Callable[[], bool], limit_s: float) -> bool:
        """Let things happen until `until` holds; False where that takes longer than `limit_s` seconds."""
        limit_ms = self.clock.now_ms + round(limit_s * 1000)
        while not until():
            if not self._calendar or self._calendar[0][0] > limit_ms:
                return False
            self.clock.now_ms, _, action = heapq.heappop(self._calendar)
            action()
            if self.error is not None:
                raise self.error
        return True

    def close(self) -> None:
        """Let every actor end."""
        self.closing = True
        for actor in list(self._actors):
            actor.run()
            actor.join()

    def ended(self, actor: Actor) -> None:
        self._actors.remove(actor)
        self.baton.release()

    def _me(self) -> Actor:
        assert self.current is not None, "only an actor can wait"
        return self.current
