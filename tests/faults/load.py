"""Decides which runs are under way while things break: a steady stream of small workflows of every shape."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from field import Field, faulty
from played_runs import SCRIPTED, step

from zts_core.errors import ServiceUnavailable
from zts_core.run import Outcome

Nodes = list[dict[str, Any]]


def sequence(_rng: random.Random) -> Nodes:
    return [faulty(name) for name in ("A", "B", "C", "D", "E")]


def slow_sequence(rng: random.Random) -> Nodes:
    return [faulty(name, sleep_s=rng.uniform(0, 0.4)) for name in ("A", "B", "C")]


def branches(rng: random.Random) -> Nodes:
    inner = {"sequence": [faulty("B1", sleep_s=rng.uniform(0, 0.2)), faulty("B2")]}
    return [{"parallel": [faulty("A"), inner, faulty("C")]}, faulty("JOINED")]


def fan_out(rng: random.Random) -> Nodes:
    tasks = list(range(rng.randint(2, 8)))
    body = {"over": "made.tasks", "as": "item", "step": faulty("ITEM")}
    return [step("LIST", SCRIPTED, output={"tasks": tasks}), {"foreach": body}, faulty("LAST")]


def loop(_rng: random.Random) -> Nodes:
    body = {
        "state_prefix": "ROUND",
        "max_iterations": 3,
        "break_conditions": [{"field": "made.score", "operator": ">", "value": 2}],
        "sequence": [step("TRY", SCRIPTED, keep={"a": 1})],
        "on_exhausted": "continue",
    }
    return [{"loop": body}, faulty("AFTER")]


def flaky(_rng: random.Random) -> Nodes:
    return [step("FLAKY", SCRIPTED, fail="transient", until_attempt=2, retry_attempts=9), faulty("NEXT")]


def doomed(_rng: random.Random) -> Nodes:
    return [faulty("A"), step("DOOMED", SCRIPTED, fail="permanent"), faulty("NEVER")]


SHAPES: Mapping[Callable[[random.Random], Nodes], Outcome] = {
    sequence: Outcome.COMPLETED,
    slow_sequence: Outcome.COMPLETED,
    branches: Outcome.COMPLETED,
    fan_out: Outcome.COMPLETED,
    loop: Outcome.COMPLETED,
    flaky: Outcome.COMPLETED,
    doomed: Outcome.FAILED,
}


class Load(threading.Thread):
    """Submits `per_s` runs a second until it is told to stop; a submit that fails is made again with its key.

    A submitter that falls behind its plan while Redis is away catches up: what is due stays due.
    """

    def __init__(self, field: Field, *, per_s: float, seed: int, shapes: Mapping[Any, Outcome] = SHAPES) -> None:
        super().__init__(name="load", daemon=True)
        self.field = field
        self.per_s = per_s
        self.rng = random.Random(f"load:{seed}")
        self.shapes = shapes
        self.over = threading.Event()
        self.expected: dict[str, Outcome] = {}
        self.refused = 0

    def run(self) -> None:
        began = time.monotonic()
        while not self.over.is_set():
            due = began + len(self.expected) / self.per_s
            if self.over.wait(max(due - time.monotonic(), 0)):
                return
            self.submit(f"load-{len(self.expected)}")

    def submit(self, key: str) -> None:
        shape = self.rng.choice(list(self.shapes))
        nodes = shape(self.rng)
        while not self.over.is_set():
            try:
                run_id = self.field.runs.start(nodes, key=key, deadline_s=3600)
            except ServiceUnavailable:
                self.refused += 1
                time.sleep(0.1)
            else:
                self.expected[run_id] = self.shapes[shape]
                return

    def stop(self) -> dict[str, Outcome]:
        """The runs that were accepted, each with the outcome it must have."""
        self.over.set()
        self.join()
        return self.expected


def rows_by_run(field: Field) -> Mapping[str, list[list[Any]]]:
    """The crews' own record, read once."""
    import json

    found: dict[str, list[list[Any]]] = defaultdict(list)
    if field.runs.record.exists():
        with field.runs.record.open() as lines:
            for line in lines:
                row = json.loads(line)
                found[row[0]].append(row)
    return found
