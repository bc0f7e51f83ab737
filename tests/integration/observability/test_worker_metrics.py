"""What real workers show on /metrics, in each pool, while they are killed, recycled and doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_stack import Stack
from played_runs import OTHER, SCRIPTED, Runs, step
from scraping import Scrape, address_of, get, scrape
from servers import REPOSITORY, RedisServer, Worker, wait_until

from zts_core.ports import StepMessage
from zts_core.run import Outcome

pytest.importorskip("prometheus_client")
pytestmark = [pytest.mark.redis, pytest.mark.worker]

ENVIRONMENT = {"ZTS_BACKOFF": "0.1", "ZTS_TICK": "0.2", "ZTS_LEASE": "1", "ZTS_REDIS_TIMEOUT": "1"}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


def started(redis: RedisServer, folder: Path, pool: str = "prefork", *options: str, **environment: str) -> Worker:
    record = {"ZTS_TEST_RECORD": str(folder / "record")}
    worker = Worker(redis.url, folder, pool=pool, environment={**ENVIRONMENT, **record, **environment}, options=options)
    worker.wait_ready()
    return worker


@pytest.fixture(scope="module", params=["prefork", "threads"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    redis = RedisServer()
    worker = started(redis, folder, request.param)
    yield Stack(redis, worker, Runs(redis.url, folder / "record"), folder)
    worker.stop()
    redis.close()


def test_every_series_is_there_at_zero_before_anything_runs(stack: Stack) -> None:
    shown = scrape(stack.worker)
    for status in ("completed", "failed", "halted_loop", "cancelled"):
        assert shown.value("workflow_executions_total", workflow_name="rapid_prototype", status=status) == 0
    for status in ("done", "failed", "retried", "lost", "dead"):
        assert shown.value("crew_executions_total", crew_name="ValidatorCrew", status=status) == 0
    assert shown.value("project_creations_total", workflow_name="default_software_build") == 0
    assert shown.value("errors_total", error_type="StepTimedOut") == 0
    assert shown.value("halts_total", reason="step_cap") == 0
    assert shown.value("crew_duration_seconds_count", crew_name="BuilderCrew") == 0
    assert shown.value("workflow_duration_seconds_bucket", workflow_name="just_the_build", le="+Inf") == 0
    for name in ("active_workflows", "active_crew_executions", "queue_depth", "queue_oldest_seconds", "leases"):
        assert shown.value(name) == 0
    for priority in ("high", "normal", "low"):
        assert shown.value("waiting_steps", priority=priority) == 0
        assert shown.value("waiting_oldest_seconds", priority=priority) == 0
    assert shown.value("store_up") == 1
    assert shown.value("redis_round_trips_total") > 0
    assert shown.value("workflow_reopenings_total", workflow_name="rapid_prototype") == 0
    assert {"zerotoship_step_retries_total", "zerotoship_lease_takeovers_total"} <= shown.names
    assert "zerotoship_request_processing_seconds_bucket" in shown.names


def test_counters_agree_with_the_ledgers_once_it_is_quiet(stack: Stack) -> None:
    runs = stack.runs
    before = scrape(stack.worker)
    ended = [
        runs.play([{"parallel": [step("A"), step("B", OTHER)]}, step("C")]),
        runs.play([step("TRY", fail="transient", until_attempt=3, retry_attempts=3)]),
        runs.play([step("NEVER", fail="permanent")]),
        runs.play([step("BUG", fail="bug")]),
        runs.play([step("LATE", hang="polite", timeout=0.3)]),
        runs.play([step("ONE"), step("TWO")], max_steps=1),
    ]
    shown = wait_until(lambda: at_rest(stack.worker), what="the worker is at rest")
    kinds = sum((runs.kinds(run.run_id) for run in ended), Counter[str]())
    executions = grown(before, shown, "crew_executions_total", "status")
    assert executions == {
        "done": kinds["step_done"],
        "failed": kinds["step_failed"],
        "retried": kinds["attempt_failed"],
    }
    assert executions.total() == kinds["attempt_started"]
    assert grown(before, shown, "workflow_executions_total", "status") == Counter(str(run.outcome) for run in ended)
    assert grown(before, shown, "project_creations_total", "workflow_name") == {"main": kinds["run_created"]}
    assert grown(before, shown, "step_retries_total", "crew_name") == {SCRIPTED: kinds["attempt_failed"]}
    assert grown(before, shown, "halts_total", "reason") == {"step_cap": 1}
    errors = {"TransientError": 2, "PermanentError": 1, "ValueError": 1, "StepTimedOut": 1}
    assert grown(before, shown, "errors_total", "error_type") == errors
    assert (
        shown.total("crew_duration_seconds_count") - before.total("crew_duration_seconds_count") == len(executions) + 7
    )
    assert shown.value("active_crew_executions") == shown.value("leases") == 0


def grown(before: Scrape, after: Scrape, name: str, label: str) -> Counter[str]:
    return after.by(name, label) - before.by(name, label)


def at_rest(worker: Worker) -> Scrape | None:
    shown = scrape(worker)
    return shown if shown.value("active_crew_executions") + shown.value("leases") == 0 else None


def test_a_crew_at_work_is_seen(stack: Stack) -> None:
    run_id = stack.runs.start([step("SLOW", sleep_s=1.5)])
    wait_until(lambda: scrape(stack.worker).value("active_crew_executions") == 1, what="one crew at work")
    shown = scrape(stack.worker)
    assert (shown.value("active_workflows"), shown.value("leases")) == (1, 1)
    stack.runs.wait(run_id)
    wait_until(lambda: scrape(stack.worker).value("active_crew_executions") == 0, what="no crew at work")


def test_health_and_readiness_are_told_apart(redis: RedisServer, tmp_path: Path) -> None:
    worker = started(redis, tmp_path)
    try:
        address = address_of(worker)
        assert get(f"{address}/healthz") == "alive\n"
        assert wait_until(lambda: get(f"{address}/readyz")) == "ready\n"
        redis.stop()
        with pytest.raises(urllib.error.HTTPError, match="503"):
            get(f"{address}/readyz")
        assert get(f"{address}/healthz") == "alive\n"
        assert scrape(worker).value("store_up") == 0
        redis.start()
        wait_until(lambda: scrape(worker).value("store_up") == 1, what="the store is back")
    finally:
        worker.stop()


def test_kills_and_doubled_messages_leave_counters_and_ledger_the_same(redis: RedisServer, tmp_path: Path) -> None:
    worker = started(redis, tmp_path)
    runs = Runs(redis.url, tmp_path / "record")
    try:
        before = scrape(worker)
        run_id = runs.start([step("DIES", kill=True, until_attempt=2), step("SLOW", sleep_s=0.5)])
        wait_until(lambda: runs.calls(run_id)["SLOW"], what="the second step is at work")
        for seq in (1, 2, 2):
            runs.dispatcher.send_again([StepMessage(run_id, seq)])
        assert runs.wait(run_id).outcome is Outcome.COMPLETED
        kinds = runs.kinds(run_id)
        wait_until(lambda: at_rest(worker), what="the worker is at rest")
        shown = scrape(worker)
        executions = grown(before, shown, "crew_executions_total", "status")
        assert executions == {"done": 2, "lost": 1}
        assert executions.total() == kinds["attempt_started"]
        assert grown(before, shown, "lease_takeovers_total", "crew_name").total() == kinds["lease_expired"] == 1
    finally:
        worker.stop()


def test_recycled_children_leave_no_files_and_lose_no_counts(redis: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    own = {"TMPDIR": str(tmp_path / "tmp"), "ZTS_STAY": "0"}  # each step is a message, and each message a child
    worker = started(redis, tmp_path, "prefork", "--max-tasks-per-child", "1", **own)
    runs = Runs(redis.url, tmp_path / "record")
    try:
        for _ in range(2):
            runs.play([step("A"), step("B")])
        wait_until(lambda: scrape(worker).total("request_processing_seconds_count") == 4, what="4 messages counted")
        (folder,) = (tmp_path / "tmp").glob("zts-metrics-*")
        most = 3 * 4  # counters, histograms and gauges of the parent, two children, and those that are gone
        wait_until(lambda: scrape(worker) and len(list(folder.iterdir())) <= most, what="a handful of files")
        assert scrape(worker).total("request_processing_seconds_count") == 4
    finally:
        worker.stop()
    assert not folder.exists()


def test_workers_of_one_host_share_counters_and_not_ports(redis: RedisServer, tmp_path: Path) -> None:
    first = started(redis, tmp_path)
    port = address_of(first).rpartition(":")[2]
    second = started(redis, tmp_path, "threads", PROMETHEUS_PORT=port)
    try:
        assert address_of(second) != address_of(first)
        assert f"PROMETHEUS_PORT={port} is taken" in second.said()
        Runs(redis.url, tmp_path / "record").play([step("A")])
        exact = ("workflow_executions_total", "crew_executions_total", "crew_duration_seconds_count")
        one, other = scrape(first), scrape(second)
        assert [one.total(name) for name in exact] == [other.total(name) for name in exact]
        assert one.total("request_processing_seconds_count") + other.total("request_processing_seconds_count") == 1
    finally:
        for worker in (first, second):
            worker.stop()


def test_a_killed_worker_frees_its_port(redis: RedisServer, tmp_path: Path) -> None:
    worker = started(redis, tmp_path)
    address = address_of(worker)
    Runs(redis.url, tmp_path / "record").start([step("SLOW", sleep_s=3)])
    wait_until(lambda: scrape(worker).value("active_crew_executions") == 1, what="a child is busy")
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(10)
    with pytest.raises(OSError, match="refused"):
        get(f"{address}/healthz")
    worker.kill()


def test_without_prometheus_client_workers_run_all_the_same(redis: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['prometheus_client'] = None\n")
    paths = os.pathsep.join([str(tmp_path), str(REPOSITORY), str(REPOSITORY / "tests")])
    worker = started(redis, tmp_path, PYTHONPATH=paths)
    try:
        assert Runs(redis.url, tmp_path / "record").play([step("A")]).outcome is Outcome.COMPLETED
        assert "metrics at" not in worker.said()
    finally:
        worker.stop()


def test_port_0_switches_metrics_off(tmp_path: Path) -> None:
    program = """
import sys
from celery.signals import celeryd_init
from zts_worker.celery import app
from zts_worker.metrics import endpoint
celeryd_init.send(sender=None)
assert endpoint.recorder() is None
assert "prometheus_client" not in sys.modules
"""
    environment = {**os.environ, "PROMETHEUS_PORT": "0", "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True, timeout=60)
