"""Faults 4 and 5: a process dies at each named place between two effects, and others carry the run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis
from field import Field, faulty
from played_runs import step
from servers import RedisServer, Worker, wait_until

from zts_core import crash_points
from zts_core.run import Outcome

OF_THE_SUBMIT = (crash_points.AFTER_CREATE,)
"""Reached by whoever submits; tested where submits are."""
OF_A_WORKER = tuple(place for place in crash_points.PLACES if place not in OF_THE_SUBMIT)


def lose_messages(client: redis.Redis) -> None:
    client.delete("zts.steps")


def lose_count(client: redis.Redis) -> None:
    """Nobody who ends a step of a join is told that it was the last one."""
    for key in client.scan_iter("zts:run:*:steps"):
        for name in client.hkeys(key):  # type: ignore[union-attr]
            if name.startswith("join:"):
                client.hset(key, name, 99)


LOST = {crash_points.AFTER_REQUEUE: lose_messages, crash_points.BEFORE_UNDECIDED: lose_count}
"""Places that only the reaper comes by, and what it has to make good so that it does."""

LOOP = {
    "state_prefix": "ROUND",
    "max_iterations": 2,
    "on_exhausted": "continue",
    "break_conditions": [{"field": "made.name", "operator": "==", "value": "never"}],
    "sequence": [step("TRY", fail="transient", until_attempt=2, retry_attempts=3)],
}
SMALL = [faulty("FIRST"), {"parallel": [faulty("A"), faulty("B", sleep_s=0.2)]}, {"loop": LOOP}, faulty("LAST")]


class Mortals:
    """Two workers under one order to die at a place; the dead are replaced."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.order = field.folder / "crash-at"
        self.alive: list[Worker] = []

    def replace_the_dead(self) -> None:
        self.alive = [worker for worker in self.alive if worker.process.poll() is None]
        while len(self.alive) < 2:
            self.alive.append(self.field.worker(environment={"ZTS_CRASH_AT": f"@{self.order}"}, concurrency=1))


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortals]:
    field = Field(tmp_path_factory.mktemp("crashes"), RedisServer())
    try:
        yield Mortals(field)
    finally:
        field.close()


@pytest.mark.parametrize("place", OF_A_WORKER)
def test_a_process_may_die_at_any_place(mortals: Mortals, place: str) -> None:
    mortals.replace_the_dead()
    field = mortals.field
    mortals.order.write_text(place)
    run_id = field.runs.start(SMALL)
    if place in LOST:
        lose(field, LOST[place], until=lambda: not mortals.order.exists())
    wait_until(lambda: not mortals.order.exists(), what=f"a process died at {place}")
    field.ends(run_id, Outcome.COMPLETED)
    assert field.runs.states(run_id) == ["FIRST", "A", "B", "ROUND_1", "ROUND_2", "LAST"]


def lose(field: Field, what: Callable[[redis.Redis], None], *, until: Callable[[], bool]) -> None:
    """Take messages or counts away until the reaper had to go on."""
    with field.redis.client() as client:

        def forget() -> bool:
            what(client)
            return until()

        wait_until(forget, what="the reaper was needed")
