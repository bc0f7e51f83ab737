"""Large outputs stand beside the files, what is too large fails its step with the cure; on real workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from played_runs import OTHER, Runs, step
from servers import RedisServer, Worker, wait_until

from zts_core.artifacts import open_artifacts
from zts_core.redis_store import RedisStore
from zts_core.redis_store.overflow import Overflow
from zts_core.run import Outcome

pytestmark = [pytest.mark.redis, pytest.mark.worker]

LARGE = {"name": "x" * 40_000}


class Place:
    """One Redis, one worker with narrow limits, files at an fsspec URL, and runs that are soon forgotten."""

    def __init__(self, folder: Path) -> None:
        self.redis = RedisServer()
        self.kept = folder / "kept"
        url = f"file://{self.kept}"
        environment = {
            "ZTS_TEST_RECORD": str(folder / "record"),
            "ZTS_ARTIFACTS": url,
            "ZTS_OUTPUT_INLINE_BYTES": "2000",
            "ZTS_OUTPUT_BYTES": "50000",
            "ZTS_RUN_BYTES": "90000",
            "ZTS_RETENTION": "1",
            "ZTS_TICK": "0.2",
            "PROMETHEUS_PORT": "0",
        }
        self.worker = Worker(self.redis.url, folder, concurrency=1, environment=environment)
        self.runs = Runs(self.redis.url, folder / "record", beside_store=True)
        overflow = Overflow(open_artifacts(url), above=2000)
        self.runs.store = RedisStore(self.redis.url, retention_s=3600, timeout_s=5, overflow=overflow)

    def close(self) -> None:
        self.worker.stop()
        self.redis.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("sizes"))
    made.worker.wait_ready()
    yield made
    made.close()


def test_a_large_output_is_kept_beside_the_files_and_read_from_there_by_later_steps(place: Place) -> None:
    run_id = place.runs.start(
        [
            step("LARGE", output=LARGE),
            step("READS", OTHER, look_at=["made"]),
            {"approval": {"state": "WAIT", "prompt": "seen?"}},
        ]
    )
    wait_until(lambda: len(place.runs.store.steps(run_id)) == 3, what=place.runs.story(run_id))
    with place.redis.client() as client:
        kept = json.loads(client.hget(f"zts:run:{run_id}:results", "1"))  # type: ignore[arg-type]
    assert "output" not in kept
    assert kept["kept"][1] > 40_000
    results = place.runs.store.results(run_id, [1, 2])
    assert results[1].output["name"] == LARGE["name"]
    assert results[2].output["seen"]["made"]["name"] == LARGE["name"]
    assert (place.kept / run_id).is_dir()
    place.runs.store.answer(run_id, 3, approved=True, by="ada", comment="")
    place.runs.dispatcher.advance_run(run_id)


def test_an_output_above_the_limit_fails_its_step_and_names_value_and_cure(place: Place) -> None:
    ended = place.runs.play([step("HUGE", output={"name": "x" * 60_000})])
    assert ended.outcome is Outcome.FAILED
    assert "of ZTS_OUTPUT_BYTES; leave what is large as a file" in ended.reason


def test_a_run_that_keeps_too_much_fails_at_the_step_that_would_pass_its_limit(place: Place) -> None:
    ended = place.runs.play([step("ONE", output=LARGE), step("TWO", output=LARGE), step("THREE", output=LARGE)])
    assert ended.outcome is Outcome.FAILED
    assert "THREE failed: the outputs and files of its run would take 120," in ended.reason
    assert "more than the 90,000 of ZTS_RUN_BYTES" in ended.reason


def test_what_a_run_kept_goes_with_it(place: Place) -> None:
    ended = place.runs.play([step("LARGE", output=LARGE)])
    wait_until(lambda: not (place.kept / ended.run_id).exists(), what="its files are gone")
