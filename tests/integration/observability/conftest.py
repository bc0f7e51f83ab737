"""One watched stack for alerts and dashboards: a worker with events, celery-exporter, Prometheus, Alertmanager."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from celery_exporter import PROGRAM, exporter_python
from engine_stack import Stack
from monitoring import Monitoring, free_port, monitoring, tool
from played_runs import Runs, step
from scraping import address_of, get
from servers import RedisServer, Worker, wait_until


@pytest.fixture(scope="session")
def exporter_address(stack: Stack) -> Iterator[str]:
    port = free_port()
    broker = stack.runs.redis_url
    command = [str(exporter_python()), "-c", PROGRAM, "--broker-url", broker, "--port", str(port)]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (stack.folder / "exporter.log").open("wb") as log:
        process = subprocess.Popen(command, env=clean, cwd=stack.folder, stdout=log, stderr=log)
    try:
        # It answers before it listens: the first heartbeat shows that it hears the worker.
        wait_until(lambda: hears(f"http://127.0.0.1:{port}/metrics"), what="celery-exporter hears the worker")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def hears(url: str) -> bool:
    try:
        return "celery_worker_up{" in get(url)
    except OSError:
        return False


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    pytest.importorskip("prometheus_client")
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name)
    folder = tmp_path_factory.mktemp("stack")
    # Over TCP, as where celery-exporter runs on a host of its own.
    port = free_port()
    redis = RedisServer("--port", str(port))
    url = f"redis://127.0.0.1:{port}/0"
    worker = Worker(url, folder, environment={"ZTS_TEST_RECORD": str(folder / "record")}, options=["-E"])
    worker.wait_ready()
    yield Stack(redis, worker, Runs(url, folder / "record"), folder)
    worker.stop()
    redis.close()


@pytest.fixture(scope="session")
def watching(stack: Stack, exporter_address: str) -> Iterator[Monitoring]:
    own = address_of(stack.worker).removeprefix("http://")
    with monitoring(stack.folder, zerotoship=[own], celery=[exporter_address]) as found:
        wait_until(lambda: found.value("zerotoship:workers:up") == 1, what="the worker is scraped")
        # The counters of a crew are seen at zero before its first failure.
        stack.runs.play([step("A", sleep_s=3), step("B")])
        stack.runs.play([step("C", fail="permanent")])
        # One that goes on, and takes no message for it.
        stack.runs.start([{"approval": {"state": "GO", "prompt": "May it go on?"}}], budget_usd=2.5, budget_tokens=1000)
        wait_until(lambda: found.query("zerotoship_run_open_steps"), what="a run has series of its own")
        counted = 'sum(celery_task_succeeded_total{name="zts.step"}) >= 3'
        wait_until(lambda: found.value(counted), what="events are counted")
        wait_until(lambda: found.value('count(ALERTS{alertstate="firing"})'), what="an alert fires")
        yield found
