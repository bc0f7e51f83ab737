"""Decides who acts in a simulation: worker nodes with the real engine, crews that misbehave, and people."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tests.fakes import MemoryStep, MemoryStore
from tests.simulation.broker import WINDOW, Broker
from tests.simulation.faults import LEASE_S, Nemesis, Shaken
from tests.simulation.kernel import Kernel, Killed
from tests.unit.heart.playing import resolved
from tests.unit.heart.random_workflows import NAMESPACES, fate
from zts_core.dispatch import Dispatcher
from zts_core.errors import PermanentError, TransientError, ZtsError
from zts_core.ports import LeaseVerdict
from zts_core.run import StepStatus
from zts_worker.reaper import Reaper, ReaperLimits
from zts_worker.staying import Staying
from zts_worker.step_context import AttemptContext
from zts_worker.step_runner import RunnerLimits, StepRunner
from zts_worker.supervision import Ended, Watched

TAKEOVERS = 12


class Output(BaseModel):
    """Whatever a simulated crew gives."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True)
class CrewCall:
    """A crew was run: the crew's own record of it."""

    run_id: str
    seq: int
    state: str
    attempt: int
    at_ms: int
    sees: str


@dataclass(frozen=True)
class Temper:
    """How a crew behaves in one state, the same at every attempt."""

    seconds: float
    transient: int
    deadly: bool

    @staticmethod
    def of(seed: int, state: str) -> Temper:
        rng = random.Random(f"temper:{seed}:{state}")
        seconds = rng.choice([0.0, 0.2, 1.0, 3.0, 3.0, 25.0])
        transient = rng.choice([0, 0, 0, 0, 1, 2, 5])
        return Temper(seconds, transient, deadly=rng.random() < 0.02)

    def outcome(self, seed: int, state: str, retry_attempts: int) -> tuple[str, dict[str, Any]]:
        """What must become of the step in the end."""
        if self.deadly or self.transient > retry_attempts:
            return "failed", {}
        return fate(seed, state)


def place_of(context: AttemptContext) -> tuple[str, int]:
    run_id, seq = context.idempotency_key.split(":")
    return run_id, int(seq)


def sight_of(store: MemoryStore, run_id: str, seq: int) -> str:
    """What a step sees. Fails where something it depends on has not been committed."""
    run = store.known[run_id]
    outputs = {seq: dict(result.output) for seq, result in run.results.items() if seq_is_done(run.steps[seq])}
    refs = run.steps[seq].static["inputs"]
    return sight({name: resolved(ref, outputs) for name, ref in refs.items()})


def seq_is_done(step: MemoryStep) -> bool:
    return step.status is StepStatus.DONE


def sight(data: dict[str, Any]) -> str:
    return repr(sorted(data.items()))


class MemoryArtifacts:
    """Files by digest below a run."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def put(self, run_id: str, content: bytes) -> str:
        digest = f"digest-of-{content!r}"
        self.kept[run_id, digest] = content
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        return self.kept[run_id, digest]


STAYS = (0.0, 2.0)
"""Seconds that a worker may stay with a run; a simulated step takes from nothing to 25."""

FEW = {NAMESPACES[0]: 2}
"""One crew may be at work on so many steps at once and no more."""


class Crews:
    """All crews of a simulation. They keep their own record of when they were called."""

    def __init__(self, kernel: Kernel, store: MemoryStore, *, seed: int, temper: Temper | None = None) -> None:
        self.kernel = kernel
        self.store = store
        self.seed = seed
        self.one_temper = temper
        self.calls: list[CrewCall] = []
        self.looping: set[str] = set()
        self.artifacts = MemoryArtifacts()

    def find(self, name: str) -> type:
        crews = self

        class SimulatedCrew:
            namespace: ClassVar[str] = name
            Output: ClassVar[type[BaseModel]] = Output

            def run(self, context: AttemptContext) -> dict[str, Any]:
                return crews.work(context)

        SimulatedCrew.name = name  # type: ignore[attr-defined]
        return SimulatedCrew

    def temper(self, state: str) -> Temper:
        return self.one_temper or Temper.of(self.seed, state)

    def work(self, context: AttemptContext) -> dict[str, Any]:
        run_id, seq = place_of(context)
        temper = self.temper(context.state)
        if temper.deadly:
            raise Killed
        if self.store.known[run_id].steps[seq].failures < temper.transient:
            raise TransientError("overloaded")
        status, output = fate(self.seed, context.state)
        if status == "failed":
            raise PermanentError("it cannot be done")
        if run_id not in self.looping:  # files that differ by attempt would look like progress there
            context.artifacts.write_text("attempt.txt", str(context.attempt))
        return output

    def watch(
        self, crew: Any, context: AttemptContext, *, renew: Callable[[], LeaseVerdict], every_s: float
    ) -> Watched:
        """The watch over a crew on virtual time: what `supervision.watch` does on threads and a real clock."""
        run_id, seq = place_of(context)
        sees = sight_of(self.store, run_id, seq)
        self.calls.append(CrewCall(run_id, seq, context.state, context.attempt, self.kernel.clock.now_ms, sees))
        left_s = self.temper(context.state).seconds
        while left_s > 0:
            self.kernel.sleep(min(every_s, left_s))
            left_s -= every_s
            ended = _LOST.get(_renewed(renew)) if left_s > 0 else None
            if ended:
                return Watched(ended)
        try:
            return Watched(Ended.BY_ITSELF, crew.run(context))
        except (TransientError, PermanentError) as error:
            return Watched(Ended.BY_ITSELF, error=error)


_LOST = {LeaseVerdict.LOST: Ended.LEASE_LOST, LeaseVerdict.CANCELLED: Ended.CANCELLED}


def _renewed(renew: Callable[[], LeaseVerdict]) -> LeaseVerdict:
    try:
        return renew()
    except ZtsError:
        return LeaseVerdict.HELD


class Node:
    """One host: a worker process with the real engine, and the beat that makes it tick."""

    def __init__(
        self, name: str, *, kernel: Kernel, nemesis: Nemesis, store: MemoryStore, broker: Broker, crews: Crews
    ) -> None:
        self.name = name
        self.kernel = kernel
        self.broker = broker
        self.store = store
        shaken: Any = Shaken(store, nemesis)
        queue: Any = Shaken(broker, nemesis)
        self.nemesis = nemesis
        self.dispatcher = Dispatcher(shaken, queue, window=WINDOW)
        self.runner = StepRunner(
            store=shaken,
            dispatcher=self.dispatcher,
            crews=crews.find,
            artifacts=crews.artifacts,
            worker=name,
            limits=RunnerLimits(lease_s=LEASE_S, backoff_s=1, backoff_max_s=20, crews=FEW),
            staying=Staying(kernel.rng.choice(STAYS), clock=lambda: kernel.clock.now_ms / 1000),
        )
        limits = ReaperLimits(takeovers=TAKEOVERS)
        self.reaper = Reaper(store=shaken, queue=queue, dispatcher=self.dispatcher, limits=limits)
        kernel.start(f"{name} work", self.work)
        kernel.start(f"{name} beat", self.beat, after_s=kernel.rng.random())

    def work(self) -> None:
        while True:
            message = self.broker.take()
            if message is None:
                self.kernel.park()
                continue
            try:
                if message.seq:
                    self.runner.run(message.run_id, message.seq, joined=message.joined)
                else:
                    self.dispatcher.advance_run(message.run_id)
            except ZtsError:
                pass  # as the task does: it is logged there
            except Killed:
                self.store.gone.add(self.name)
                self.kernel.sleep(self.kernel.rng.uniform(0.5, 20))
                self.store.gone.discard(self.name)
                continue  # a message that dies with its worker is never acknowledged to its chord
            self.broker.ended(message)

    def beat(self) -> None:
        while True:
            self.kernel.sleep(1.0)
            try:
                self.reaper.tick()
            except ZtsError:
                pass
            except Killed:
                self.kernel.sleep(self.kernel.rng.uniform(0.5, 20))
