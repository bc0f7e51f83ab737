from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.producer.producer_world import IDEA, World
from zts_core.errors import BadInput, ServiceUnavailable, WorkflowInvalid
from zts_core.ports import LedgerEntry
from zts_core.redis_url import place_of
from zts_core.run import Outcome
from zts_core.settings import Settings
from zts_producer import ZeroToShipOrchestrator
from zts_producer.health import HealthStatus
from zts_producer.narrate import Narrator
from zts_producer.redis_choice import Source, answers_ping, choose_redis
from zts_producer.times import duration


@pytest.fixture
def pong() -> Iterator[str]:
    """A server that answers PING once per connection, like Redis without a password."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()
        server.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.recv(64)
                    connection.sendall(b"+PONG\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        stop.set()
        thread.join()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_a_configured_redis_is_taken_without_looking_further(pong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/3")
    choice = choose_redis(settings(), local=pong)
    assert (choice.source, choice.redis_url) == (Source.CONFIGURED, "redis://elsewhere/3")


def test_without_one_a_redis_on_this_host_is_found_and_otherwise_it_is_the_embedded_stack(
    pong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.delenv("ZTS_REDIS_URL", raising=False)
    assert choose_redis(settings(), local=pong).source is Source.LOCAL
    assert choose_redis(settings(), local=closed_port()).source is Source.EMBEDDED
    assert not answers_ping(closed_port())


def test_the_embedded_stack_can_be_asked_for(pong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "embedded")
    assert choose_redis(settings(), local=pong).source is Source.EMBEDDED


def test_the_place_of_an_address_has_no_password() -> None:
    assert place_of("rediss://user:p@ss@host:1/0") == "host:1"
    assert place_of("unix:///tmp/r.sock?db=0") == "/tmp/r.sock"
    assert place_of("sentinel://user:p%40ss@a,b:2/3?service=main") == "main of a:26379,b:2"


def workers(world: World, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(type(world.services), "workers_answer", lambda self, timeout_s: count)


def test_health_is_as_bad_as_the_worst_component(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zts_producer.health._workflows", lambda client: (HealthStatus.HEALTHY, "7"))
    workers(world, monkeypatch, 2)
    assert world.client.health().status is HealthStatus.HEALTHY
    workers(world, monkeypatch, 0)
    found = world.client.health()
    assert found.status is HealthStatus.DEGRADED
    assert found.exit_code == 0
    assert "celery -A zts_worker worker" in found.to_json()["components"]["workers"]["detail"]


def test_a_redis_that_is_away_is_unhealthy_and_the_rest_is_still_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: object) -> float:
        raise ServiceUnavailable("Redis at nowhere does not answer; start it")

    monkeypatch.setattr(type(world.store), "ping", away)
    found = world.client.health()
    assert found.status is HealthStatus.UNHEALTHY
    assert found.exit_code == 8
    assert [part.name for part in found.components] == ["redis", "workflows", "metrics", "settings"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"ready\n", "/metrics"),
        (503, b"the worker is starting\n", "is not ready: the worker is starting"),
        (404, b"<html>", "another program answers"),
        (0, b"", "no worker on this host serves them"),
    ],
)
def test_health_asks_where_a_worker_of_this_host_would_serve_metrics(
    status: int, body: bytes, said: str, tmp_path: Path
) -> None:
    class Worker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Worker)
    port = server.server_port
    if status:
        threading.Thread(target=server.handle_request, daemon=True).start()
    else:
        server.server_close()
    found = World(tmp_path, prometheus_port=port).client.health()
    server.server_close()
    (part,) = [part for part in found.components if part.name == "metrics"]
    assert part.status is HealthStatus.HEALTHY
    assert said in part.detail


def test_the_orchestrator_creates_executes_once_and_waits(world: World) -> None:
    async def main() -> tuple[Outcome | None, int]:
        async with ZeroToShipOrchestrator(world.settings, services=world.services) as zero_to_ship:
            project = await zero_to_ship.create_project(IDEA, "just_the_build")
            assert not world.queue.waiting
            await asyncio.gather(*(zero_to_ship.execute_workflow(project.project_id) for _ in range(3)))
            world.work()
            record = await zero_to_ship.wait(project.project_id)
            await zero_to_ship.execute_workflow(project.project_id)
            return record.outcome, record.started

    assert asyncio.run(main()) == (Outcome.COMPLETED, 2)


def test_the_orchestrator_raises_what_the_client_raises(world: World) -> None:
    async def main() -> None:
        async with ZeroToShipOrchestrator(world.settings, services=world.services) as zero_to_ship:
            with pytest.raises(WorkflowInvalid):
                await zero_to_ship.create_project(IDEA, "nothing")
            with pytest.raises(BadInput):
                await zero_to_ship.execute_workflow("nothing")
            assert len(await zero_to_ship.list_available_workflows()) == 7
            assert await zero_to_ship.validate_workflow("just_the_build") == ()

    asyncio.run(main())


def test_every_kind_of_ledger_line_reads_as_a_sentence() -> None:
    narrator = Narrator()

    def tell(kind: str, seq: int = 0, **detail: Any) -> str:
        return narrator.tell(LedgerEntry("1-0", 0, kind, seq, detail))

    assert tell("wave", states=["A", "B"], seqs=[1, 2]) == "next: A, B"
    assert tell("attempt_started", 1, attempt=1, worker="w") == "A started on w"
    assert tell("attempt_failed", 2, attempt=1, error="boom", delay_s=2.5) == "B attempt 1 failed, next in 2.5 s: boom"
    assert tell("attempt_started", 2, attempt=2, worker="w") == "B started (attempt 2) on w"
    assert tell("lease_expired", 1, attempt=2, worker="w") == "A lost its worker w (attempt 2), another takes it up"
    assert tell("sent_again", 1) == "A sent again"
    assert tell("approval_asked", 3, state="OK", prompt="Good?") == "OK waits for an answer: Good?"
    assert tell("approval_answered", 3, approved=False, by="ann", comment="no") == "OK rejected by ann: no"
    replayed = tell("replayed", **{"of": "r1", "from": "B", "reused": 1})
    assert replayed == "a replay of run r1 from B: 1 result of it taken over"
    assert tell("step_reused", 4, state="C", origin=1) == "C taken over, not done again"
    assert tell("something_new") == "something new"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "0.0 s"), (0.0031, "3 ms"), (0.0994, "99 ms"), (0.0996, "0.1 s"), (9.94, "9.9 s"), (185, "3 min 05 s")],
)
def test_a_duration_is_told_in_the_unit_that_shows_it(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_importing_the_package_loads_nothing(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, zts_producer; print([m for m in ('pydantic', 'redis', 'celery', 'click') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
