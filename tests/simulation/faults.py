"""Decides what goes wrong in a simulation, and where: at every call of the store or the queue, and in the queue."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.kernel import Kernel, Killed
from zts_core.errors import ServiceUnavailable

LEASE_S = 10.0


@dataclass(frozen=True)
class Faults:
    """How likely each fault is: per call for processes, per message for the queue."""

    kill: float = 0.0
    freeze: float = 0.0
    slow: float = 0.0
    away: float = 0.0
    repeat: float = 0.0
    lose: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0

    @staticmethod
    def draw(rng: random.Random) -> Faults:
        """Each simulation has a climate of its own: some faults often, some never."""

        def some(most: float) -> float:
            return rng.choice([0.0, most / 4, most])

        return Faults(
            kill=some(0.02),
            freeze=some(0.01),
            slow=some(0.3),
            away=some(0.02),
            repeat=some(0.05),
            lose=some(0.3),
            double=some(0.3),
            delay=some(0.3),
            reorder=some(0.5),
        )


class Nemesis:
    """Strikes while `on`; counts what it did, so that a test can see that its faults happened."""

    def __init__(self, kernel: Kernel, faults: Faults) -> None:
        self.kernel = kernel
        self.faults = faults
        self.on = True
        self.last_s = 0.0
        self.done: dict[str, int] = {}

    def strikes(self, fault: str) -> bool:
        struck = self.on and self.kernel.chance(getattr(self.faults, fault))
        if struck:
            self.note(fault)
        return struck

    def note(self, fault: str) -> None:
        self.done[fault] = self.done.get(fault, 0) + 1
        self.last_s = self.kernel.now_s

    def visit(self) -> None:
        """A process is between two instructions."""
        if self.strikes("kill"):
            raise Killed
        if self.strikes("freeze"):
            self.kernel.sleep(LEASE_S * self.kernel.rng.uniform(0.9, 4))
        if self.strikes("slow"):
            self.kernel.sleep(self.kernel.rng.uniform(0, 0.5))


class Once(Nemesis):
    """Strikes with one fault, once, at the nth chance."""

    def __init__(self, kernel: Kernel, fault: str, nth: int) -> None:
        super().__init__(kernel, Faults())
        self.fault = fault
        self.left = nth

    def strikes(self, fault: str) -> bool:
        if fault != self.fault:
            return False
        self.left -= 1
        if self.left == 0:
            self.note(fault)
        return self.left == 0


class Shaken:
    """A port whose every call may be cut off before and after, lose its answer, or be made twice."""

    def __init__(self, port: Any, nemesis: Nemesis) -> None:
        self._port = port
        self._nemesis = nemesis

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)
        nemesis = self._nemesis

        def call(*args: Any, **options: Any) -> Any:
            nemesis.visit()
            if nemesis.strikes("away"):
                raise ServiceUnavailable("it does not answer")
            answer = method(*args, **options)
            if nemesis.strikes("repeat"):
                # A client that lost the answer's connection sends the same script again.
                answer = method(*args, **options)
            nemesis.visit()
            if nemesis.strikes("away"):
                raise ServiceUnavailable("its answer was lost")
            return answer

        return call
