"""Measures what being watched costs: metrics, health and logs together, events and traces by themselves.

One engine per kind, each with a Redis and a worker of its own, and short rounds in turn, so that whatever else the
machine does meets all of them alike. The idle ones cost nothing that can be measured.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.engine import Engine, sequence
from benchmarks.measuring import Figure, figure

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
RUNS, STEPS = 10, 30
SCRAPE_S = 5.0
UNSEEN = {"PROMETHEUS_PORT": "0", "ZTS_RUN_LOG": "false"}


@dataclass(frozen=True)
class Kind:
    """A way of being watched."""

    name: str
    environment: dict[str, str]
    options: tuple[str, ...]


def figures() -> Iterator[Figure]:
    """Per kind: throughput, and processor time per step of worker and Redis, each beside the unwatched engine."""
    with ExitStack() as exits:
        port = exits.enter_context(free_port())
        kinds = [
            Kind("nothing", UNSEEN, ()),
            Kind(
                "metrics, health, logs",
                {"PROMETHEUS_PORT": str(port), "ZTS_LOG_FORMAT": "json"},
                ("--loglevel", "info"),
            ),
            Kind("events (-E)", UNSEEN, ("-E",)),
            Kind("traces", {**UNSEEN, "OTEL_EXPORTER_OTLP_ENDPOINT": exits.enter_context(collector())}, ()),
        ]
        engines = {
            kind.name: exits.enter_context(Engine(environment=kind.environment, options=kind.options)) for kind in kinds
        }
        exits.enter_context(scraping(port))
        speed: dict[str, list[float]] = {kind.name: [] for kind in kinds}
        cost: dict[str, list[float]] = {kind.name: [] for kind in kinds}
        plan = sequence(STEPS)
        for number in range(ROUNDS):
            # Each begins a round as often as the others.
            for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
                before = engines[kind.name].cpu_seconds()
                took = engines[kind.name].play(plan, runs=RUNS)
                speed[kind.name].append(RUNS * STEPS / took)
                cost[kind.name].append(1e6 * (engines[kind.name].cpu_seconds() - before) / (RUNS * STEPS))
        yield from told(speed, cost)


def told(speed: dict[str, list[float]], cost: dict[str, list[float]]) -> Iterator[Figure]:
    """Each kind by itself, then its share of the unwatched engine, round by round."""
    for name in speed:
        yield figure(f"watched by {name}: throughput", "steps/s", speed[name])
        yield figure(f"watched by {name}: processor time", "µs/step", cost[name])
    for name in list(speed)[1:]:
        slower = [100 * (1 - ours / plain) for ours, plain in zip(speed[name], speed["nothing"], strict=True)]
        dearer = [100 * (ours / plain - 1) for ours, plain in zip(cost[name], cost["nothing"], strict=True)]
        yield figure(f"{name}: throughput lost", "%", slower)
        yield figure(f"{name}: processor time added", "%", dearer)


@contextmanager
def free_port() -> Iterator[int]:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    yield number


@contextmanager
def scraping(port: int) -> Iterator[None]:
    """Look at metrics and health as often as Prometheus and an orchestrator do."""
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(SCRAPE_S):
            for path in ("metrics", "healthz", "readyz"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5).read()

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def collector() -> Iterator[str]:
    """Where spans go and nothing becomes of them."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


if __name__ == "__main__":
    from dataclasses import asdict

    for found in figures():
        print(json.dumps(asdict(found)))
