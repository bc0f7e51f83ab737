"""One trace per run, from submit to result, whichever processes worked on it and whichever of them died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graph_servers import GraphModuleServer
from played_runs import Runs, step
from servers import REPOSITORY, RedisServer, Worker, wait_until
from span_collector import Collector, Kept, collecting

from tests.unit.models.desks import prompt_file
from tests.unit.models.fault_server import says, serving
from zts_core.errors import SettingInvalid
from zts_core.settings import Settings
from zts_core.tracing.tracer import check_tracing
from zts_producer import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]
WORKFLOW = """
name: traced
sequence:
  - merge: last
    parallel:
      - {state: A, crew: "scripted_crews:ScriptedCrew"}
      - {state: B, crew: "scripted_crews:ScriptedCrew", with: {sleep_s: 0.3}}
  - {state: C, crew: "scripted_crews:OtherCrew", with: {fail: permanent}}
"""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    pytest.importorskip("opentelemetry.proto")
    with collecting() as found:
        yield found


@pytest.fixture(scope="module", params=["prefork", "threads"])
def runs(
    request: pytest.FixtureRequest, redis: RedisServer, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("traced")
    environment = {**collector.environment, "ZTS_TEST_RECORD": str(folder / "record"), "ZTS_LEASE": "1"}
    workers = [Worker(redis.url, folder, pool=request.param, environment=environment) for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_ready()
        yield Runs(redis.url, folder / "record")
    finally:
        for worker in workers:
            worker.stop()


def spans_of_ended(collector: Collector, run_id: str, count: int) -> list[Kept]:
    """Workers send them on their own, so the run's may come before its last step's."""
    wait_until(lambda: len(collector.of(run_id)) >= count, what=f"{count} spans arrive")
    return collector.of(run_id)


def test_a_run_is_one_tree_from_submit_to_result(
    runs: Runs, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", runs.redis_url)
    file = tmp_path / "traced.yaml"
    file.write_text(WORKFLOW)
    with Client() as client:
        run_id = client.submit("An idea for a shop of bees.", str(file), out=tmp_path).run_id
        client.wait(run_id)
    spans = spans_of_ended(collector, run_id, 7)
    by_id = {span.id: span for span in spans}
    above = {span.name: by_id[span.parent].name for span in spans if span.parent}
    assert above == {
        "submit": "run traced",
        "wave 1": "run traced",
        "wave 2": "run traced",
        "step A": "wave 1",
        "step B": "wave 1",
        "step C": "wave 2",
    }
    assert len({span.trace for span in spans}) == 1
    (run,) = collector.named(run_id, "run traced")
    assert (run.parent, run.failed, run.service) == ("", "failed", "zerotoship")
    (failed,) = collector.named(run_id, "step C")
    assert failed.failed == failed.about["error.type"] == "PermanentError"
    (wave,) = collector.named(run_id, "wave 1")
    assert wave.end_ns - wave.start_ns > 250_000_000


def test_a_run_that_nobody_traced_at_its_submit_is_one_tree_too(runs: Runs, collector: Collector) -> None:
    run_id = runs.play([step("A"), step("B")]).run_id
    names = {span.name for span in spans_of_ended(collector, run_id, 5)}
    assert names == {"run main", "wave 1", "wave 2", "step A", "step B"}


def test_attempts_of_a_step_are_spans_of_one_trace(runs: Runs, collector: Collector) -> None:
    run_id = runs.play([step("A", fail="transient", until_attempt=2, retry_attempts=2)]).run_id
    spans_of_ended(collector, run_id, 4)
    attempts = sorted(collector.named(run_id, "step A"), key=lambda span: span.start_ns)
    assert [span.about["zts.attempt"] for span in attempts] == [1, 2]
    assert [bool(span.failed) for span in attempts] == [True, False]
    assert len({span.trace for span in attempts}) == 1


def test_a_worker_that_was_killed_leaves_a_span_of_its_attempt(collector: Collector, tmp_path: Path) -> None:
    redis = RedisServer()
    environment = {**collector.environment, "ZTS_TEST_RECORD": str(tmp_path / "record"), "ZTS_LEASE": "1"}
    runs = Runs(redis.url, tmp_path / "record")
    first = Worker(redis.url, tmp_path, environment=environment)
    try:
        first.wait_ready()
        run_id = runs.start([step("A", sleep_s=2)])
        wait_until(lambda: runs.calls(run_id), what="the crew is at work")
        first.signal(signal.SIGKILL)
        second = Worker(redis.url, tmp_path, environment=environment)
        try:
            runs.wait(run_id)
            spans_of_ended(collector, run_id, 4)
        finally:
            second.stop()
    finally:
        first.stop()
        redis.close()
    attempts = {span.about["zts.attempt"]: span for span in collector.named(run_id, "step A")}
    assert attempts[1].failed == "its worker was lost"
    assert not attempts[2].failed
    assert attempts[1].trace == attempts[2].trace


def test_a_call_to_a_model_and_a_write_into_the_graph_are_spans(collector: Collector, tmp_path: Path) -> None:
    redis, graph = RedisServer(), GraphModuleServer()
    with serving(says({"word": "fine"}, read=100, wrote=50)) as provider:
        environment = {
            **collector.environment,
            "ZTS_MODEL": "test",
            "ZTS_MODEL_BASE_URL": provider.url,
            "ZTS_GRAPH_URL": graph.url,
            "ZTS_TICK": "0.2",
        }
        worker = Worker(redis.url, tmp_path, environment=environment)
        try:
            worker.wait_ready()
            asking = {"state": "ASK", "crew": "asking_crews:AskingCrew", "with": {"prompt": str(prompt_file(tmp_path))}}
            run_id = Runs(redis.url, tmp_path / "record").play([asking]).run_id
            wait_until(lambda: collector.named(run_id, "graph write"), what="a graph write is told")
            (attempt,) = wait_until(lambda: collector.named(run_id, "step ASK"), what="the attempt is told")
        finally:
            worker.stop()
            redis.close()
            graph.close()
    calls = [span for span in collector.spans if span.parent == attempt.id]
    assert [(call.name, call.trace) for call in calls] == [("chat custom:test", attempt.trace)]
    used = [calls[0].about[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output")]
    assert used == [100, 50]
    writes = collector.named(run_id, "graph write")
    assert {write.trace for write in writes} == {attempt.trace}


def test_a_run_joins_the_trace_that_its_caller_is_in(
    runs: Runs, collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trace, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", runs.redis_url)
    monkeypatch.setenv("TRACEPARENT", f"00-{trace}-{caller}-01")
    file = tmp_path / "traced.yaml"
    file.write_text(WORKFLOW)
    with Client() as client:
        run_id = client.submit("An idea for a shop of bees.", str(file), out=tmp_path).run_id
        client.wait(run_id)
    spans = spans_of_ended(collector, run_id, 7)
    assert {span.trace for span in spans} == {trace}
    assert collector.named(run_id, "run traced")[0].parent == caller


def test_without_the_variables_nothing_of_opentelemetry_is_loaded() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    program = (
        "import sys, os, zts_worker.tasks, zts_producer.client, zts_worker.spans as spans; "
        "assert spans.spans_of_process(os.getpid()) is None; "
        # redis-py looks for the API by itself; what writes and sends spans is loaded by us alone.
        "ours = ('opentelemetry.sdk.trace', 'opentelemetry.exporter'); "
        "print([name for name in sys.modules if name.startswith(ours)])"
    )
    said = subprocess.run([sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_variables_work_in_a_file_too_and_leave_standard_output_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTEL_TRACES_EXPORTER=console\nOTEL_SERVICE_NAME=mine\n")
    program = (
        "from zts_core.settings import read_settings; from zts_core.tracing.tracer import open_tracer; "
        "tracer = open_tracer(read_settings()); span = tracer.span('told', tracer.begin('r1')); "
        "span.__enter__(); span.__exit__(None, None, None); tracer.close()"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ZTS_"))}
    paths = os.pathsep.join([str(REPOSITORY), clean.get("PYTHONPATH", "")])
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, "PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == ""
    assert '"service.name": "mine"' in said.stderr
    assert '"name": "told"' in said.stderr


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(otel_traces_exporter="zipkin9"), "OTEL_TRACES_EXPORTER='zipkin9'"),
        (
            Settings(otel_traces_exporter="otlp", otel_endpoint="http://x", otel_protocol="grpc"),
            "OTEL_EXPORTER_OTLP_PROTOCOL='grpc'",
        ),
    ],
)
def test_an_exporter_that_is_not_there_is_told_at_the_start(settings: Settings, named: str) -> None:
    with pytest.raises(SettingInvalid, match=named):
        check_tracing(settings)
