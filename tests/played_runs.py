"""Starts runs of small workflows on a real store and queue, and reads what the crews wrote down."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import wait_until

from zts_core.celery_queue import CeleryQueue, WatchdogMode, make_app
from zts_core.dispatch import Dispatcher
from zts_core.ports import NewRun, RunRecord
from zts_core.redis_store import RedisStore
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import compile_plan

SCRIPTED = "scripted_crews:ScriptedCrew"
OTHER = "scripted_crews:OtherCrew"


def step(state: str, crew: str = SCRIPTED, **script: Any) -> dict[str, Any]:
    """A step whose crew acts by `script`; keys of the language itself stay the step's own."""
    own = {key: script.pop(key) for key in ("conditions", "timeout", "retry_attempts", "on_error") if key in script}
    return {"state": state, "crew": crew, "with": script, **own}


@dataclass
class Runs:
    """One test's view of a stack."""

    redis_url: str
    record: Path
    watchdog: WatchdogMode = "inline"
    beside_store: bool = False
    broker_url: str = ""

    def __post_init__(self) -> None:
        self.store = RedisStore(self.redis_url, retention_s=3600, timeout_s=5)
        self.app = make_app(self.broker_url or self.redis_url, self.redis_url, timeout_s=5)
        self.queue = CeleryQueue(self.app, watchdog=self.watchdog, beside_store=self.beside_store)
        self.dispatcher = Dispatcher(self.store, self.queue)

    def start(self, nodes: Sequence[dict[str, Any]], *, max_steps: int = 50, **more: Any) -> str:
        others = {
            name: Workflow.model_validate({"name": name, **flow}) for name, flow in more.pop("others", {}).items()
        }
        limits = more.pop("limits", {})

        def limit_of(crew: str) -> int:
            return int(limits.get(crew, 0))

        library = {"main": Workflow.model_validate({"name": "main", "sequence": nodes}), **others}
        new = NewRun(
            uuid.uuid4().hex[:10], "an idea", "An idea", "main", max_steps, more.pop("deadline_s", 600), **more
        )
        return self.dispatcher.start_run(new, compile_plan("main", library, limit_of=limit_of)).run_id

    def wait(self, run_id: str, *, within_s: float = 60) -> RunRecord:
        wait_until(lambda: self.store.run(run_id).outcome, within_s=within_s, what=f"run ends: {self.story(run_id)}")
        return self.store.run(run_id)

    def play(self, nodes: Sequence[dict[str, Any]], **more: Any) -> RunRecord:
        return self.wait(self.start(nodes, **more))

    def story(self, run_id: str) -> str:
        return "\n".join(f"{e.at_ms} {e.kind} {e.seq} {dict(e.detail)}" for e in self.store.ledger(run_id))

    def states(self, run_id: str) -> list[str]:
        return [record.state for record in self.store.steps(run_id)]

    def calls(self, run_id: str) -> Counter[str]:
        """How often each step's crew was called."""
        return Counter(row[2] for row in self.rows(run_id) if row[4] == "called")

    def rows(self, run_id: str) -> list[list[Any]]:
        if not self.record.exists():
            return []
        rows = [json.loads(line) for line in self.record.read_text().splitlines()]
        return [row for row in rows if row[0] == run_id]

    def kinds(self, run_id: str) -> Counter[str]:
        return Counter(entry.kind for entry in self.store.ledger(run_id))
