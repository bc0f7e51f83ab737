"""Decides how tests run a whole run in this process: a real store and call book, a queue that is a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from tests.unit.heart.playing import plan_of
from zts_core.artifacts import LocalArtifacts
from zts_core.crew import Assignment, Crew, StepContext
from zts_core.dispatch import Dispatcher
from zts_core.errors import BadInput
from zts_core.ports import NewRun, RunRecord, StepMessage
from zts_core.redis_store import RedisStore
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.settings import Settings
from zts_worker.models.opening import open_models
from zts_worker.step_runner import RunnerLimits, StepRunner


class ListQueue:
    """What is sent waits in a list until the test runs it."""

    def __init__(self) -> None:
        self.messages: list[StepMessage] = []

    def send(self, messages: Sequence[StepMessage]) -> None:
        self.messages.extend(messages)

    def pack(self, messages: Sequence[StepMessage]) -> list[Any]:
        """Nothing travels with a decision here: all of it is sent."""
        return []

    def depth(self) -> int:
        return len(self.messages)


class Note(BaseModel):
    """What the judge of these tests says."""

    word: Annotated[str, Field(max_length=40)]


class JudgeCrew:
    """Asks one agent one thing."""

    name: ClassVar[str] = "JudgeCrew"
    namespace: ClassVar[str] = "judge"
    Output = Note
    prompt: ClassVar[Path]

    def run(self, context: StepContext) -> Note:
        if context.models is None:
            return Note(word="offline")
        return context.models.ask(Assignment(self.prompt, Note, {"Idea": context.idea, "Step": context.state}))


class Process:
    """One worker's engine on a real store, without Celery."""

    def __init__(self, redis_url: str, folder: Path, settings: Settings) -> None:
        self.store = RedisStore(redis_url, retention_s=60, timeout_s=5)
        self.book = RedisCallBook(redis_url, retention_s=60, timeout_s=5)
        self.queue = ListQueue()
        self.idea = "A log for bee hives."
        self.dispatcher = Dispatcher(self.store, self.queue)
        self.runner = StepRunner(
            store=self.store,
            dispatcher=self.dispatcher,
            crews=self.crew,
            artifacts=LocalArtifacts(folder / "artifacts"),
            worker="w1",
            limits=RunnerLimits(backoff_s=0.0),
            models=open_models(settings, lambda: self.book),
        )

    @staticmethod
    def crew(name: str) -> type[Crew]:
        if name != "JudgeCrew":
            raise BadInput(f"no crew {name}")
        return JudgeCrew

    def play(self, *nodes: Any, run_id: str = "r1", **budget: Any) -> RunRecord:
        """Submit, and run every step that is sent until nothing is; due retries are queued again at once."""
        new = NewRun(run_id, self.idea, "Bee log", "main", 50, 600.0, **budget)
        self.dispatcher.start_run(new, plan_of(*nodes))
        return self.work_off(run_id)

    def work_off(self, run_id: str) -> RunRecord:
        """Run what is sent until nothing is."""
        while self.queue.messages:
            message = self.queue.messages.pop(0)
            self.runner.run(message.run_id, message.seq)
            for step in self.store.steps(run_id):
                if step.due_ms and step.status == "retrying":
                    self.store.requeue_retry(run_id, step.seq)
                    self.queue.send([StepMessage(run_id, step.seq)])
        return self.store.run(run_id)
