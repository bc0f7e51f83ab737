"""What the chart's pods are told to run does run: their arguments, variables and probes, outside of containers."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import chart
import pytest
import redis
from running import arguments_of_all, free_port, programs, refuses_strangers, said, shows, started
from servers import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.redis]

PASSWORD = "long-and-nobodys-0123456789"
SECRET = {"REDIS_PASSWORD": PASSWORD, "FLOWER_BASIC_AUTH": "me:of-flower-0123456789"}


@pytest.fixture
def pods() -> dict[str, chart.Object]:
    found = chart.pods(chart.objects(chart.EVERYTHING | {"config": {}}))
    # The job's name ends with a mark of its idea.
    return {re.sub("^demo-zerotoship-|-[0-9a-f]{10}$", "", name): pod for name, pod in found.items()}


@pytest.fixture
def server(pods: dict[str, chart.Object], tmp_path: Path) -> Iterator[int]:
    """The chart's own Redis, by its own command; its port."""
    port = free_port()
    shell = [
        word.replace("--dir /data", f"--dir {tmp_path} --port {port}")
        for word in pods["redis"]["containers"][0]["command"]
    ]
    given = chart.environment(pods["redis"], SECRET)
    with started(shell, tmp_path, PATH=programs(tmp_path), **given) as process:
        with redis.Redis(port=port, password=PASSWORD) as client:

            def there() -> bool:
                with contextlib.suppress(redis.ConnectionError):
                    return bool(client.ping())
                return False

            wait_until(there, within_s=20, what="the chart's Redis")
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert PASSWORD not in arguments_of_all(process)
        yield port


def test_workers_flower_and_the_producer_job_start_with_what_the_chart_gives_them(
    pods: dict[str, chart.Object], server: int, tmp_path: Path
) -> None:
    def given(name: str, port: int) -> dict[str, str]:
        own = chart.environment(pods[name], SECRET)
        assert own["REDIS_URL"] == f"redis://:{PASSWORD}@demo-zerotoship-redis:6379/0"
        here = {
            "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{server}/0",
            "ZTS_DATA_FOLDER": str(tmp_path / "data"),
            "ZTS_ARTIFACTS": str(tmp_path / "artifacts"),
            "PROMETHEUS_PORT": str(port),
            "HOME": str(tmp_path),
            "ZTS_WORKFLOWS": "",
            "PATH": programs(tmp_path),
        }
        return own | here

    def command(name: str) -> list[str]:
        found: list[str] = pods[name]["containers"][0]["args"]
        return found

    control, steps, page = free_port(), free_port(), free_port()
    with (
        started(command("control"), tmp_path, **given("control", control)),
        started(command("steps"), tmp_path, **given("steps", steps)) as worker,
    ):
        for port in (control, steps):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                path = pods["steps"]["containers"][0][probe]["httpGet"]["path"]
                shows(tmp_path, f"http://127.0.0.1:{port}{path}")
        healthy = subprocess.run(
            command("health"), env=given("health", 0), cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
        first, again = (submitted(command("submit"), given("submit", 0), tmp_path) for _ in range(2))
        assert first == again, "the same job submits once"
        watch = ["zts", "watch", first]
        done = subprocess.run(watch, env=given("submit", 0), cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr + said(tmp_path)
        with urllib.request.urlopen(f"http://127.0.0.1:{control}/metrics", timeout=10) as answer:
            shown = answer.read().decode()
        # What KEDA asks for is there, from the group that always is.
        for priority in ("high", "normal", "low"):
            assert re.search(rf'^zerotoship_waiting_steps{{priority="{priority}"}} ', shown, re.M)
            assert re.search(rf'^zerotoship_waiting_oldest_seconds{{priority="{priority}"}} ', shown, re.M)
        flower = [word.replace("5555", str(page)) for word in command("flower")]
        with started(flower, tmp_path, **given("flower", 0)) as process:
            health = pods["flower"]["containers"][0]["readinessProbe"]["httpGet"]["path"]
            shows(tmp_path, f"http://127.0.0.1:{page}{health}")
            assert refuses_strangers(f"http://127.0.0.1:{page}/")
            assert SECRET["FLOWER_BASIC_AUTH"] not in arguments_of_all(process)
        assert PASSWORD not in arguments_of_all(worker)


def submitted(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """The run that the job's command started."""
    (folder / "idea.txt").write_text(chart.EVERYTHING["producer"]["idea"])
    here = [word.replace("/ideas/", f"{folder}/") for word in command]
    done = subprocess.run([*here, "--json"], env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout)["run_id"])
