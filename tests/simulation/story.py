"""Decides what one simulation consists of: runs, people who interfere, and a time after which all heals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from tests.fakes import MemoryStore
from tests.simulation.actors import Crews, Node, Temper
from tests.simulation.broker import WINDOW, Broker
from tests.simulation.faults import Faults, Nemesis, Shaken
from tests.simulation.kernel import Kernel, Killed, VirtualTime
from tests.unit.heart.random_workflows import Maker, answer
from zts_core.dispatch import Dispatcher
from zts_core.errors import ZtsError
from zts_core.ports import NewRun
from zts_core.run import Ending, Outcome, StepStatus
from zts_core.workflow.plan import Kind, Plan
from zts_worker import patience, reaper, step_runner

FAULTS_LAST_S = 120.0
PATIENCE_S = 20_000.0
"""Virtual seconds after the faults in which every run must have ended; a whole run is a few hundred."""
AFTERMATH_S = 120.0
"""Virtual seconds in which late messages and thawed workers get their chance to do harm after the end."""


class Stage:
    """A store, a broker, crews and a clock; who acts on it is up to the story."""

    def __init__(
        self,
        seed: int,
        *,
        faults: Faults | None = None,
        nemesis: Callable[[Kernel], Nemesis] | None = None,
        temper: Temper | None = None,
    ) -> None:
        self.seed = seed
        self.kernel = Kernel(seed)
        self.nemesis = nemesis(self.kernel) if nemesis else Nemesis(self.kernel, faults or Faults())
        self.store = MemoryStore(self.kernel.clock, retention_s=10**9)
        self.broker = Broker(self.kernel, self.nemesis)
        self.crews = Crews(self.kernel, self.store, seed=seed, temper=temper)
        self.plans: dict[str, Plan] = {}
        self.run_of_key: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.began_s = self.ended_s = self.kernel.now_s
        self.in_time = False
        self.put_on_stage = self.put_engine_on_stage()

    def add_node(self, name: str) -> Node:
        return Node(name, **self.cast, crews=self.crews)

    @property
    def cast(self) -> dict[str, Any]:
        return {"kernel": self.kernel, "nemesis": self.nemesis, "store": self.store, "broker": self.broker}

    def tell(self, *, until: Callable[[], bool] | None = None) -> None:
        """Let it all happen."""
        with self.put_on_stage:
            try:
                self.in_time = self.kernel.run(until=until or self.is_over, limit_s=FAULTS_LAST_S + PATIENCE_S)
                self.ended_s = self.kernel.now_s
                self.kernel.run(until=lambda: False, limit_s=AFTERMATH_S)
            finally:
                self.kernel.close()

    def put_engine_on_stage(self) -> ExitStack:
        """Let the engine live on virtual time, and nobody hear of the many failures."""
        stack = ExitStack()
        stack.enter_context(patch.object(step_runner, "watch", self.crews.watch))
        stack.enter_context(patch.object(step_runner, "random", self.kernel.rng))
        for module in (reaper, patience):
            stack.enter_context(patch.object(module, "time", VirtualTime(self.kernel)))
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        return stack

    def is_over(self) -> bool:
        return len(self.run_of_key) == len(self.plans) and not self.store.unfinished()

    def heal(self) -> None:
        self.nemesis.on = False

    # people

    def add_run(self, plan: Plan, *, max_steps: int = 50, deadline_s: float = 10**6, after_s: float = 0.0) -> str:
        """Somebody submits a run, under the key that is returned."""
        key = f"key{len(self.plans)}"
        self.plans[key] = plan
        self.person(f"submit {key}", lambda store, _: self.submit(store, key, max_steps, deadline_s), after_s=after_s)
        return key

    def person(self, name: str, act: Callable[[Any, Dispatcher], bool], *, after_s: float = 0.0) -> None:
        """Somebody at a command line, who tries again until it worked."""
        store: Any = Shaken(self.store, self.nemesis)
        queue: Any = Shaken(self.broker, self.nemesis)

        def body() -> None:
            while True:
                try:
                    if act(store, Dispatcher(store, queue, window=WINDOW)):
                        return
                except (ZtsError, Killed):
                    pass
                self.kernel.sleep(1.0)

        self.kernel.start(name, body, after_s=after_s)

    def submit(self, store: Any, key: str, max_steps: int, deadline_s: float) -> bool:
        run_id = f"run-{key}-{self.kernel.rng.getrandbits(24):x}"
        if any(node.kind is Kind.LOOP for node in self.plans[key].nodes.values()):
            self.crews.looping.add(run_id)
        new = NewRun(run_id, "an idea", "a title", "main", max_steps, deadline_s, key=key)
        queue: Any = Shaken(self.broker, self.nemesis)
        created = Dispatcher(store, queue, window=WINDOW).start_run(new, self.plans[key])
        first = self.run_of_key.setdefault(key, created.run_id)
        assert created.run_id == first, "I9: the same key gave another run"
        return True

    def cancel(self, store: Any, dispatcher: Dispatcher, key: str) -> bool:
        run_id = self.run_of_key.get(key)
        if run_id is None:
            return False
        store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="by ada")
        self.cancelled.add(run_id)
        dispatcher.advance_run(run_id, stop=Ending(Outcome.CANCELLED, "by ada"))
        return True

    def pause(self, store: Any, key: str) -> bool:
        run_id = self.run_of_key.get(key)
        if run_id is None:
            return False
        store.pause(run_id, paused=True)
        self.person(
            f"resume {key}", lambda store, _: self.resume(store, run_id), after_s=self.kernel.rng.uniform(0, 60)
        )
        return True

    def resume(self, store: Any, run_id: str) -> bool:
        store.pause(run_id, paused=False)
        return True

    def answer_questions(self) -> None:
        """A person who looks in now and then, and leaves alone what will answer itself."""
        while True:
            self.kernel.sleep(2.0)
            for run_id in self.store.unfinished():
                for step in self.store.steps(run_id):
                    if step.status is StepStatus.WAITING and not step.due_ms:
                        approved = answer(self.seed, step.state) == "approved"
                        self.store.answer(run_id, step.seq, approved=approved, by="ada", comment="")


class Story(Stage):
    """Random runs on random nodes under random faults, all from one seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.broker.chords = seed % 3 == 0
        rng = self.kernel.rng
        self.nemesis.faults = Faults.draw(rng)
        for number in range(rng.randint(2, 3)):
            self.add_node(f"node{number}")
        for _ in range(rng.choice([1, 1, 2, 3])):
            self.add_random_run()
        self.kernel.start("person", self.answer_questions)
        self.kernel.after(FAULTS_LAST_S, self.heal)

    def add_random_run(self) -> None:
        rng = self.kernel.rng
        plan = Maker(rng, depth=rng.choice([1, 2, 3])).plan()
        max_steps, deadline_s = rng.choice([50, 50, 50, 8]), rng.choice([10**6] * 8 + [30.0])
        key = self.add_run(plan, max_steps=max_steps, deadline_s=deadline_s)
        if self.kernel.chance(0.2):
            self.person(f"submit {key} again", lambda store, _: self.submit(store, key, max_steps, deadline_s))
        if self.kernel.chance(0.2):
            self.person(f"cancel {key}", lambda store, tell: self.cancel(store, tell, key), after_s=rng.uniform(0, 60))
        if self.kernel.chance(0.2):
            self.person(f"pause {key}", lambda store, _: self.pause(store, key), after_s=rng.uniform(0, 60))
