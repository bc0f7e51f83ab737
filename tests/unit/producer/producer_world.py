"""Decides how a test of the producer plays a whole system in memory, with a worker that gives what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes import MemoryIdeas, MemoryQueue, MemoryStore

from zts_core.catalogue import find_crew
from zts_core.ports import ClaimVerdict, StepResult
from zts_core.redis_store.advice import Advice
from zts_core.redis_store.run_log import KeptLines
from zts_core.run import Settled, SettledAs
from zts_core.settings import Settings
from zts_producer.client import Client
from zts_producer.redis_choice import RedisChoice, Source
from zts_producer.wiring import Services

IDEA = "# Bee hive log\n\nKeepers write down each inspection of a hive."
GO: Mapping[str, Mapping[str, Any]] = {
    "validation": {
        "confidence": 0.9,
        "is_technically_feasible": True,
        "passed": True,
        "not_judged": ["no market data"],
    },
    "graph": {"status": "generated", "tasks": [{"name": "model", "hours": 2}, {"name": "pages", "hours": 3}]},
    "build": {
        "status": "completed",
        "summary": "A web application.",
        "commands": {"install": "pip install .", "test": "python -m unittest", "start": "python -m bee"},
    },
    "marketing": {"ready": True},
    "launch": {"ready": True},
    "feedback": {"approved": True},
}


class MemoryLog:
    """What crews logged, in memory."""

    def __init__(self) -> None:
        self.kept = KeptLines()

    def read(self, run_id: str, *, after: str = "0") -> KeptLines:
        return self.kept if after == "0" else KeptLines()


class World:
    """A client over memory, and a worker to be called by hand."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.said: list[str] = []
        # Whatever serves metrics on this machine is none of a test's business.
        own = {"prometheus_port": 0, **settings}
        self.settings = Settings(data_folder=folder / "data", _env_file=None, **own)
        self.store = MemoryStore()
        self.queue = MemoryQueue()
        services = Services(self.settings, workers=False, say=self.said.append)
        services._choice = RedisChoice(Source.CONFIGURED, "redis://memory/0", "redis://memory/0")
        services.__dict__.update(store=self.store, queue=self.queue, ideas=MemoryIdeas(self.store), advice=Advice)
        self.log = MemoryLog()
        services.__dict__.update(run_log=self.log)
        self.services = services
        self.client = Client(self.settings, services=services)

    def work(
        self,
        outputs: Mapping[str, Mapping[str, Any]] = GO,
        *,
        files: Mapping[str, Mapping[str, str]] | None = None,
        failing: Mapping[str, str] | None = None,
        steps: int = 1000,
    ) -> None:
        """Do up to `steps` steps that wait in the queue: each gives its namespace's output and files, or fails."""
        while steps and self.queue.waiting:
            message = self.queue.waiting.popleft()
            claim = self.store.claim(message.run_id, message.seq, worker="w1", lease_s=60)
            if claim.verdict is not ClaimVerdict.CLAIMED:
                continue
            steps -= 1
            plan = self.store.plan(claim.plan_digest)
            namespace = find_crew(claim.step["crew"]).namespace
            error = (failing or {}).get(claim.step["state"], "")
            output = dict(outputs.get(namespace, {}))
            kept = self.keep(message.run_id, (files or {}).get(namespace, {}))
            status = SettledAs.FAILED if error else SettledAs.DONE
            facts = plan.facts(namespace, output)
            settled = Settled(message.seq, status, namespace, f"{message.seq:016x}", facts, error)
            self.store.say(message.run_id, message.seq, attempt=claim.attempt, line=f"{namespace} at work")
            result = StepResult() if error else StepResult(namespace, output, kept)
            self.store.settle(message.run_id, settled, attempt=claim.attempt, result=result)
            self.services.dispatcher.advance_run(message.run_id)

    def keep(self, run_id: str, texts: Mapping[str, str]) -> dict[str, tuple[str, int]]:
        artifacts = self.services.artifacts
        return {path: (artifacts.put(run_id, text.encode()), len(text.encode())) for path, text in texts.items()}

    def write_workflow(self, text: str, name: str = "mine.yaml") -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)
