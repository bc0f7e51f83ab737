"""Every query of the dashboards has an answer from the real Prometheus, beside celery-exporter and our workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from browser import CACHE
from engine_stack import Stack
from monitoring import DEPLOY, Monitoring, free_port, monitoring, tool
from played_runs import Runs, step
from scraping import address_of, get
from servers import RedisServer, Worker, skip_or_fail, wait_until

pytest.importorskip("prometheus_client")

DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
EXPORTER = ["prometheus-exporter-celery==0.11.2", "celery<5.6"]
VARIABLES = {"$__rate_interval": "1m", "$workflow": ".*", "$crew": ".*"}
ONLY_WITH_A_GRAPH = ("zerotoship_outbox", "zerotoship_graph")


def panels() -> Iterator[tuple[str, str]]:
    """(where, query) of everything that the dashboards ask."""
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']}", target["expr"]
        for note in dashboard["annotations"]["list"]:
            yield f"{file.stem}: {note['name']}", note["expr"]


def test_dashboards_are_provisioned_and_told_apart() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    found = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({dashboard["uid"] for dashboard in found}) == len(found) >= 4
    for dashboard in found:
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        assert all(panel["datasource"]["uid"] == uid for panel in dashboard["panels"])


def exporter_python() -> Path:
    """celery-exporter pins an older redis-py than Celery 5.7 takes, so it has an environment of its own."""
    folder = CACHE / "celery-exporter-0.11.2"
    python = folder / "bin/python"
    if not (folder / "ready").exists():
        if subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], timeout=120).returncode:
            skip_or_fail("no environment for celery-exporter can be made: apt-get install python3-venv")
        if subprocess.run([python, "-m", "pip", "install", "-q", *EXPORTER], timeout=300).returncode:
            skip_or_fail(f"celery-exporter cannot be installed: {' '.join(EXPORTER)}")
        (folder / "ready").touch()
    return python


@pytest.fixture(scope="module")
def exporter_address(stack: Stack) -> Iterator[str]:
    port = free_port()
    program = "from src.cli import cli; cli()"
    broker = stack.runs.redis_url
    command = [str(exporter_python()), "-c", program, "--broker-url", broker, "--port", str(port)]
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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    tool("prometheus")
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


@pytest.fixture(scope="module")
def watching(stack: Stack, exporter_address: str) -> Iterator[Monitoring]:
    own = address_of(stack.worker).removeprefix("http://")
    with monitoring(stack.folder, zerotoship=[own], celery=[exporter_address]) as found:
        wait_until(lambda: found.value("zerotoship:workers:up") == 1, what="the worker is scraped")
        for _ in range(3):
            stack.runs.play([step("A", sleep_s=1), step("B")])
        stack.runs.play([step("C", fail="permanent")])
        counted = 'sum(celery_task_succeeded_total{name="zts.step"}) > 6'
        wait_until(lambda: found.value(counted), what="events are counted")
        wait_until(lambda: found.value('count(ALERTS{alertstate="firing"})'), what="an alert fires")
        yield found


def silent(watching: Monitoring) -> list[str]:
    """Queries without an answer, of those that must have one."""
    found = []
    for where, query in panels():
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        if not watching.query(query) and not any(name in query for name in ONLY_WITH_A_GRAPH):
            found.append(f"{where}: {query}")
    return found


@pytest.mark.redis
@pytest.mark.worker
def test_every_query_of_the_dashboards_has_an_answer(watching: Monitoring) -> None:
    # A rate needs two scrapes.
    wait_until(lambda: not silent(watching), what="\n".join(silent(watching)))


@pytest.mark.redis
@pytest.mark.worker
def test_what_celerys_exporter_counts_agrees_with_our_own(watching: Monitoring) -> None:
    steps = 'sum(celery_task_succeeded_total{name="zts.step"})'
    ours = "sum(zerotoship_request_processing_seconds_count)"
    wait_until(lambda: watching.value(steps) == watching.value(ours) == 7, what="both count seven messages")
