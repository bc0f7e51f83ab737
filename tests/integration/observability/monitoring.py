"""The real Prometheus, Alertmanager and a webhook that a person would read, with the configuration we ship."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import yaml
from servers import REPOSITORY, skip_or_fail, wait_until

DEPLOY = REPOSITORY / "deploy"
TOOLS = {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
"""Binaries and the Debian packages they come in."""


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        skip_or_fail(f"{name} is missing: apt-get install {TOOLS[name]}")
    return str(path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PATIENCE = {"celery": {"scrape_interval": "3s", "scrape_timeout": "3s"}}
"""celery-exporter asks the workers at each scrape, and waits a second for their answers."""


class Webhook:
    """Keeps what Alertmanager sends."""

    def __init__(self) -> None:
        received: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.received = received
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def alerts(self, name: str) -> list[dict[str, Any]]:
        found = [alert for message in list(self.received) for alert in message["alerts"]]
        return [alert for alert in found if alert["labels"]["alertname"] == name]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Monitoring:
    """A Prometheus that scrapes `targets` every second with our rules, beside an Alertmanager with our routes."""

    def __init__(self, folder: Path, targets: dict[str, Sequence[str]]) -> None:
        self.webhook = Webhook()
        self.address = f"http://127.0.0.1:{free_port()}"
        alerting = f"127.0.0.1:{free_port()}"
        routes = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
        routes["receivers"][0]["webhook_configs"][0]["url"] = self.webhook.url
        routes["route"]["group_wait"] = "0s"
        scraping = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        scraping["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        scraping["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in scraping["rule_files"]]
        scraping["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alerting]
        scraping["scrape_configs"] = [
            {"job_name": job, "static_configs": [{"targets": list(targets)}], **PATIENCE.get(job, {})}
            for job, targets in targets.items()
        ]
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(routes))
        (folder / "prometheus.yml").write_text(yaml.safe_dump(scraping))
        self.processes = [
            start(
                folder / "alertmanager.log",
                tool("prometheus-alertmanager"),
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alerts",
                f"--web.listen-address={alerting}",
                "--cluster.listen-address=",
            ),
            start(
                folder / "prometheus.log",
                tool("prometheus"),
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/series",
                f"--web.listen-address={self.address.removeprefix('http://')}",
            ),
        ]
        wait_until(self.is_ready, what=f"Prometheus is ready: {folder / 'prometheus.log'}")

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        asked = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.address}/api/v1/query?{asked}", timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        return list(found["data"]["result"])

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def close(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        self.webhook.close()


def start(log: Path, *command: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


@contextmanager
def monitoring(folder: Path, **targets: Sequence[str]) -> Iterator[Monitoring]:
    watching = Monitoring(folder, targets)
    try:
        yield watching
    finally:
        watching.close()
