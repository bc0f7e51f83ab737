"""The compose file is one that Compose takes, bounded and without a password of ours; its commands really start."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery_exporter import PROGRAM, exporter_python
from running import arguments_of_all, free_port, page_of, programs, refuses_strangers, said, shows, started
from servers import skip_or_fail, wait_until


def test_every_service_is_bounded_pinned_and_may_do_little(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service.get("mem_limit"), f"{name} has no limit of memory"
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "neo4j" or service["cap_drop"] == ["ALL"], name
        image, _, tag = service["image"].rpartition(":")
        assert image == "zerotoship" or tag != "latest", f"{name} is not pinned"
        assert "healthcheck" in service or name == "producer", name


def test_only_this_host_sees_a_port_and_what_must_last_has_a_volume(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)
    assert {"redis", "artifacts", "neo4j", "prometheus"} <= set(compose["volumes"])


def test_without_passwords_nothing_starts(repository: Path, tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        skip_or_fail("no docker-compose; Debian's package of that name has it")
    (tmp_path / "empty").touch()
    command = [str(program), "--env-file", str(tmp_path / "empty"), "config"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "run make env first" in done.stderr


def test_passwords_are_made_once_and_only_their_owner_reads_them(repository: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    command = [sys.executable, str(repository / "deploy" / "compose" / "make_env.py"), str(env)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    secrets = [line.partition("=")[2] for line in env.read_text().splitlines() if "PASSWORD=" in line]
    assert len(secrets) == len(set(secrets)) == 4
    assert min(map(len, secrets)) >= 24
    before = env.read_text()
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.returncode, "is kept" in again.stderr) == (2, True)
    assert env.read_text() == before


def test_who_calls_make_env_owns_what_is_shipped(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(repository / "deploy" / "compose" / "make_env.py"), str(tmp_path / ".env")]
    subprocess.run(command, check=True, capture_output=True)
    given = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines() if "=" in line)
    found = (tmp_path / "shipped").stat()
    assert (given["SHIP_UID"], given["SHIP_GID"]) == (str(found.st_uid), str(found.st_gid))
    assert found.st_uid == (os.getuid() or 10001)


def test_worker_and_producer_are_one_user_and_may_run_what_they_build(compose: dict[str, Any]) -> None:
    worker, producer = compose["services"]["worker"], compose["services"]["producer"]
    assert worker["user"] == producer["user"] != "0:0"
    assert all("exec" in mount.partition(":")[2].split(",") for mount in [*worker["tmpfs"], *producer["tmpfs"]])


def words(service: dict[str, Any]) -> list[str]:
    command = service["command"]
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


@pytest.mark.worker
def test_redis_worker_producer_flower_and_exporter_start_as_they_are_written(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    services = compose["services"]
    port, page, metrics, celerys = (free_port() for _ in range(4))

    def given(name: str) -> dict[str, str]:
        """A service's variables, with addresses of this host, and nothing of this process's own."""
        own = {key: str(value or "").replace("$$", "$") for key, value in services[name].get("environment", {}).items()}
        here = {"HOME": str(tmp_path), "PATH": programs(tmp_path), "PYTHONPATH": ""}
        return {key: value.replace("@redis:6379", f"@127.0.0.1:{port}") for key, value in own.items()} | here

    own = given("worker") | {
        "ZTS_DATA_FOLDER": str(tmp_path / "data"),
        "ZTS_ARTIFACTS": str(tmp_path / "artifacts"),
        "NEO4J_URI": "",
        "PROMETHEUS_PORT": str(metrics),
        "ZTS_PROMETHEUS_HOST": "127.0.0.1",
    }
    shell, option, script = words(services["redis"])
    script = script.replace("$$", "$").replace("redis-server -", f"redis-server - --port {port} --dir {tmp_path}")
    flower = [word.replace("5555", str(page)) for word in words(services["flower"])]
    exporter = [word.replace("9808", str(celerys)) for word in words(services["celery-exporter"])]
    exporter = [str(exporter_python()), "-c", PROGRAM, *exporter, "--host=127.0.0.1"]
    with (
        started([shell, option, script], tmp_path, **given("redis")) as server,
        started(words(services["worker"]), tmp_path, **own) as worker,
    ):
        check = services["worker"]["healthcheck"]["test"]
        assert ":8000/readyz" in check[3]
        shows(tmp_path, f"http://127.0.0.1:{metrics}/readyz")
        health = subprocess.run(words(services["producer"]), env=own, cwd=tmp_path, capture_output=True, timeout=60)
        assert health.returncode == 0, health.stdout + health.stderr
        with (
            started(flower, tmp_path, **given("flower")) as watcher,
            started(exporter, tmp_path, **given("celery-exporter")) as counter,
        ):
            wait_until(lambda: refuses_strangers(f"http://127.0.0.1:{page}/"), within_s=60, what=said(tmp_path))
            for name, here in (("flower", page), ("celery-exporter", celerys)):
                test = services[name]["healthcheck"]["test"]
                assert test[:3] == ["CMD", "python", "-c"]
                code = re.sub(r":\d+/", f":{here}/", test[3])
                healthy = [sys.executable, "-c", code]
                wait_until(lambda: not subprocess.run(healthy, capture_output=True).returncode, within_s=60)  # noqa: B023
            wait_until(lambda: "celery_worker_up{" in page_of(f"http://127.0.0.1:{celerys}/metrics"), within_s=60)
            passwords = [given("redis")["REDISCLI_AUTH"], given("flower")["FLOWER_BASIC_AUTH"].partition(":")[2]]
            for process in (server, worker, watcher, counter):
                assert process.poll() is None, said(tmp_path)
                assert not any(password in arguments_of_all(process) for password in passwords)


def test_flower_and_the_exporter_are_given_no_more_than_the_broker(compose: dict[str, Any]) -> None:
    for name in ("flower", "celery-exporter"):
        given = compose["services"][name]["environment"]
        assert not [key for key in given if "MODEL" in key or "API" in key or "NEO4J" in key or "ENCRYPTION" in key], (
            name
        )


def test_the_commands_of_prometheus_and_alertmanager_start_as_they_are_written(
    compose: dict[str, Any], repository: Path, tmp_path: Path
) -> None:
    services = compose["services"]
    for name, program, ready in (
        ("prometheus", "prometheus", "/-/ready"),
        ("alertmanager", "prometheus-alertmanager", "/-/ready"),
    ):
        path = shutil.which(program)
        if path is None:
            skip_or_fail(f"no {program}; Debian has it")
        port = free_port()
        given = [
            word.replace(f"/etc/{name}", str(repository / "deploy" / name)).replace(f"=/{name}", f"={tmp_path}/{name}")
            for word in words(services[name])
        ]
        alone = ["--cluster.listen-address="] if name == "alertmanager" else []
        command = [str(path), *given, f"--web.listen-address=127.0.0.1:{port}", *alone]

        with started(command, tmp_path):
            shows(tmp_path, f"http://127.0.0.1:{port}{ready}", within_s=30)


def test_alerts_reach_the_address_that_make_env_is_given(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(repository / "deploy" / "compose" / "make_env.py"), str(tmp_path / ".env")]

    def made(webhook: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env={**os.environ, "ALERT_WEBHOOK": webhook}, capture_output=True, text=True)

    refused = made("hooks.example/zts")
    assert (refused.returncode, "ALERT_WEBHOOK=hooks.example/zts is no http" in refused.stderr) == (2, True)
    assert not (tmp_path / ".env").exists()
    address = "https://hooks.example/zts?team=a&key=b|c"
    assert made(address).returncode == 0
    assert "ALERTMANAGER_FOLDER=./.alertmanager\n" in (tmp_path / ".env").read_text()
    route = tmp_path / ".alertmanager" / "alertmanager.yml"
    assert yaml.safe_load(route.read_text())["receivers"][0]["webhook_configs"][0]["url"] == address
    amtool = shutil.which("amtool")
    if amtool is None:
        skip_or_fail("no amtool; Debian's prometheus-alertmanager has it")
    checked = subprocess.run([str(amtool), "check-config", str(route)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_is_said_that_alerts_reach_nobody(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(repository / "deploy" / "compose" / "make_env.py"), str(tmp_path / ".env")]
    done = subprocess.run(command, env={**os.environ, "ALERT_WEBHOOK": ""}, capture_output=True, text=True)
    assert (done.returncode, "alerts reach nobody" in done.stdout) == (0, True)
    assert "ALERTMANAGER_FOLDER" not in (tmp_path / ".env").read_text()


def test_grafana_finds_our_dashboards_where_its_provisioning_looks(compose: dict[str, Any], repository: Path) -> None:
    provisioning = repository / "deploy" / "grafana" / "provisioning" / "dashboards" / "zerotoship.yml"
    place = yaml.safe_load(provisioning.read_text())["providers"][0]["options"]["path"]
    assert any(str(volume).split(":")[1] == place for volume in compose["services"]["grafana"]["volumes"])
