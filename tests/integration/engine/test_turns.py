"""Runs get their turn: a wide fan-out, a backlog and a low priority hold nobody up for long; counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from played_runs import OTHER, Runs, step
from servers import RedisServer, Worker, wait_until

from zts_core.run import Outcome, Priority

pytestmark = [pytest.mark.redis, pytest.mark.worker]

ITEMS = 1000


def fan(items: int) -> list[dict[str, object]]:
    each = {"over": "made.tasks", "as": "item", "step": step("ITEM", OTHER)}
    return [step("LIST", output={"tasks": list(range(items))}), {"foreach": each}]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    redis = RedisServer()
    yield redis
    redis.close()


class Crowd:
    """One Redis and one worker with one slot, so that what is claimed before what can be counted."""

    def __init__(self, server: RedisServer, folder: Path, *, beside_store: bool = True) -> None:
        self.runs = Runs(server.url, folder / "record", beside_store=beside_store)
        environment = {"ZTS_TEST_RECORD": str(folder / "record"), "PROMETHEUS_PORT": "0", "ZTS_TICK": "0.5"}
        self.worker = Worker(server.url, folder, concurrency=1, environment=environment)

    def started(self, run_id: str, *, before_ms: float = float("inf")) -> int:
        lines = self.runs.store.ledger(run_id)
        return sum(line.kind == "attempt_started" and line.at_ms <= before_ms for line in lines)

    def order(self, *run_ids: str) -> list[str]:
        """The runs in the order in which their attempts started."""
        lines = [
            (line.at_ms, run_id)
            for run_id in run_ids
            for line in self.runs.store.ledger(run_id)
            if line.kind == "attempt_started"
        ]
        return [run_id for _, run_id in sorted(lines, key=lambda entry: entry[0])]


@pytest.fixture
def crowd(server: RedisServer, tmp_path: Path) -> Iterator[Crowd]:
    made = Crowd(server, tmp_path)
    yield made
    made.worker.stop()


def test_a_run_submitted_behind_a_fan_out_of_1000_ends_while_nearly_all_of_it_still_waits(crowd: Crowd) -> None:
    crowd.worker.wait_ready()
    wide = crowd.runs.start(fan(ITEMS), max_steps=ITEMS + 1)
    wait_until(lambda: crowd.started(wide) > 5)
    small = crowd.runs.play([step("A"), step("B"), step("C")])
    assert small.outcome is Outcome.COMPLETED
    assert crowd.started(wide, before_ms=small.finished_ms) < ITEMS / 3
    crowd.runs.store.withdraw(wide, outcome=Outcome.CANCELLED, reason="seen enough")
    crowd.runs.dispatcher.advance_run(wide)
    assert crowd.runs.wait(wide).outcome is Outcome.CANCELLED


def test_every_item_of_a_fan_out_with_a_line_runs_once_and_the_broker_never_holds_more_than_its_window(
    crowd: Crowd, server: RedisServer
) -> None:
    crowd.worker.wait_ready()
    wide = crowd.runs.start(fan(150), max_steps=151)
    most = 0
    with server.client() as client:
        while crowd.runs.store.run(wide).outcome is None:
            most = max(most, int(client.llen("zts.steps")))  # type: ignore[arg-type]
    assert crowd.runs.store.run(wide).outcome is Outcome.COMPLETED
    assert most <= crowd.runs.dispatcher.window
    assert set(crowd.runs.calls(wide).values()) == {1}
    assert len(crowd.runs.calls(wide)) == 151


def test_workers_take_high_before_normal_before_low(crowd: Crowd) -> None:
    levels = (Priority.LOW, Priority.NORMAL, Priority.HIGH)
    low, normal, high = (
        crowd.runs.start([{"parallel": [step("A"), step("B", OTHER)]}], priority=level) for level in levels
    )
    crowd.worker.wait_ready()
    for run_id in (low, normal, high):
        assert crowd.runs.wait(run_id).outcome is Outcome.COMPLETED
    assert crowd.order(low, normal, high) == [high, high, normal, normal, low, low]


def test_a_watchdog_does_not_wait_behind_the_steps_of_other_runs(crowd: Crowd) -> None:
    joined = crowd.runs.start([{"parallel": [step("A"), step("B", OTHER)]}, step("AFTER")])
    others = [crowd.runs.start([step("CROWD")]) for _ in range(60)]
    crowd.worker.wait_ready()
    crowd.runs.wait(joined)
    ledger = crowd.runs.store.ledger(joined)
    wave = [line.at_ms for line in ledger if line.kind == "wave"][-1]
    before = sum(crowd.started(run_id, before_ms=wave - 1) for run_id in others)
    assert before <= 1, "the join was decided before the crowd behind it had its turn"
    for run_id in others:
        crowd.runs.wait(run_id)
