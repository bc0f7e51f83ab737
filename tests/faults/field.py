"""A field for faults: one Redis, workers that come and go, short leases, and hands to break things with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from played_runs import Runs, step
from promises import check_promises
from servers import RedisServer, Worker, wait_until

from zts_core.ports import RunRecord
from zts_core.run import Outcome

FAULTY = "tests.faults.fault_crews:FaultCrew"
STUBBORN = "tests.faults.fault_crews:StubbornCrew"
DEAF = "tests.faults.fault_crews:DeafCrew"
STEPS = "zts.steps"
"""The broker's list of steps."""
SHORT = {
    "ZTS_LEASE": "2",
    "ZTS_TICK": "0.2",
    "ZTS_RESEND_AFTER": "1",
    "ZTS_BACKOFF": "0.1",
    "ZTS_REDIS_TIMEOUT": "2",
    "ZTS_TAKEOVERS": "2",
}


def faulty(state: str, **script: Any) -> dict[str, Any]:
    return step(state, FAULTY, **script)


class FieldRuns(Runs):
    """Runs that can be looked at below the store too."""

    def raw(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, decode_responses=True)


class Field:
    """What a test of a fault has at hand; everything started here is stopped at the end."""

    def __init__(self, folder: Path, redis_server: RedisServer) -> None:
        self.folder = folder
        self.redis = redis_server
        self.runs = FieldRuns(redis_server.url, folder / "record")
        self.workers: list[Worker] = []
        self.environment = {**SHORT, "ZTS_TEST_RECORD": str(folder / "record")}

    def worker(self, *, ready: bool = True, url: str = "", kind: type[Worker] = Worker, **options: Any) -> Worker:
        environment = {**self.environment, **options.pop("environment", {})}
        worker = kind(url or self.redis.url, self.folder, environment=environment, **options)
        self.workers.append(worker)
        if ready:
            worker.wait_ready()
        return worker

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.redis.close()

    # looking

    @property
    def artifacts(self) -> Path:
        return self.folder / "data" / "artifacts"

    def called(self, run_id: str, state: str, *, times: int = 1) -> list[list[Any]]:
        """Wait until a state's crew was called that often; the record's rows of it."""
        return wait_until(
            lambda: rows if len(rows := self.rows_of(run_id, state)) >= times else None,
            what=f"{state} called {times} times: {self.runs.story(run_id)}",
        )

    def rows_of(self, run_id: str, state: str) -> list[list[Any]]:
        return [row for row in self.runs.rows(run_id) if row[2] == state and row[4] == "called"]

    def waiting(self) -> int:
        """Messages in the broker's list."""
        with self.redis.client() as client:
            return int(client.llen(STEPS))  # type: ignore[arg-type]

    def ends(self, run_id: str, outcome: Outcome = Outcome.COMPLETED, *, within_s: float = 30) -> RunRecord:
        """Wait for the end, and hold the run to all promises."""
        ended = self.runs.wait(run_id, within_s=within_s)
        assert ended.outcome is outcome, f"{ended.reason}\n{self.runs.story(run_id)}"
        check_promises(self.runs, run_id, artifacts=self.artifacts)
        return ended

    def all_end(self, run_ids: Sequence[str], *, within_s: float = 60) -> None:
        for run_id in run_ids:
            self.ends(run_id, within_s=within_s)


def is_gone(pid: int) -> bool:
    """Whether no such process runs any more; a zombie does not run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def kill_process(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, how)


def breathe(seconds: float) -> None:
    """Let the fault last; not a wait for something to happen."""
    time.sleep(seconds)
