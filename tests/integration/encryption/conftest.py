"""Decides what tests of encryption have at hand: a place with one key, a run that carries one word, and a search."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from graph_picture import clear
from graph_servers import GraphModuleServer
from servers import RedisServer, Worker, wait_until

from zts_core.ports import Cost, Pace
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.run import RunStatus
from zts_core.sealing import open_sealer
from zts_core.settings import Settings
from zts_producer.cli.main import run
from zts_producer.cli.root import root
from zts_producer.client import Client

WORD = "marmalade"
KEY, OTHER = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
FLOW = f"""
name: secretive
metadata: {{audit: true}}
sequence:
  - {{state: MAKE, crew: "secret_crews:SecretCrew", with: {{about: "{WORD}"}}, retry_attempts: 1}}
  - {{approval: {{state: SIGN_OFF, prompt: "Shall the {WORD} go on?"}},
     conditions: [{{field: secret.word, operator: "==", value: {WORD}}}]}}
  - {{loop: {{max_iterations: 2, state_prefix: AGAIN,
     sequence: [{{state: MORE, crew: "secret_crews:SecretCrew", retry_attempts: 1}}],
     break_conditions: [{{field: secret.large, operator: "==", value: "{WORD} "}}]}}}}
  - {{state: COMPLETED}}
"""
IDEA = f"# A drone that brings {WORD}\n\nIt flies over the hedge with a jar of it.\n"


class Place:
    """A Redis with an append-only file, a worker, and commands, all with the same key or none."""

    def __init__(self, folder: Path, graph: str) -> None:
        self.folder = folder
        self.server = RedisServer()
        self.graph = graph
        self.key = ""
        self.workers: list[Worker] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ZTS_ENCRYPTION_KEY": self.key,
            "ZTS_OUTPUT_INLINE_BYTES": "1024",
            "ZTS_BACKOFF": "0.05",
            "ZTS_TICK": "0.1",
            "ZTS_RESEND_AFTER": "1",
            "ZTS_GRAPH_URL": self.graph,
            "ZTS_TEST_RECORD": str(self.record),
        }

    @property
    def record(self) -> Path:
        """Where scripted crews write down their calls."""
        return self.folder / "record"

    def start_worker(self) -> Worker:
        worker = Worker(self.server.url, self.folder, environment=self.environment, concurrency=1)
        self.workers.append(worker)
        worker.wait_ready()
        return worker

    def settings(self) -> Settings:
        return Settings(
            redis_url=self.server.url,
            data_folder=self.folder / "data",
            encryption_key=self.key or None,
            output_inline_bytes=1024,
        )

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.server.close()

    def seen(self) -> dict[str, str]:
        """All that somebody may read: Redis with what its messages hold, its append-only file, files, logs."""
        client = self.server.client()
        told = {f"redis {key}": f"{key} {_whole(client, key)}" for key in client.scan_iter("*")}
        places = [Path(self.server.folder.name), self.folder / "data", *(worker.log for worker in self.workers)]
        files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*"))]
        return told | {str(file): file.read_bytes().decode("latin-1") for file in files if file.is_file()}

    def found(self) -> set[str]:
        return {place for place, text in self.seen().items() if WORD in text}


def _whole(client: redis.Redis, key: str) -> str:
    read: dict[str, Callable[[], Any]] = {
        "string": lambda: client.get(key),
        "hash": lambda: client.hgetall(key),
        "list": lambda: [_message(text) for text in client.lrange(key, 0, -1)],  # type: ignore[union-attr]
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1),
        "stream": lambda: client.xrange(key),
        "none": lambda: "gone meanwhile",
    }
    return repr(read[str(client.type(key))]())


def _message(text: str) -> str:
    try:
        body = json.loads(text)["body"]
    except (ValueError, KeyError, TypeError):
        return text
    return text + base64.b64decode(body).decode("latin-1")


@pytest.fixture
def place(tmp_path: Path, graph_module: GraphModuleServer) -> Iterator[Place]:
    graph = graph_module.graph()
    clear(graph)
    graph.close()
    (tmp_path / "secretive.yaml").write_text(FLOW)
    place = Place(tmp_path, graph_module.url)
    yield place
    place.close()


Zts = Callable[..., tuple[int, str]]


@pytest.fixture
def zts(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zts:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("REDIS_URL", place.server.url)
    monkeypatch.setenv("ZTS_DATA_FOLDER", str(place.folder / "data"))

    def command(*words: str, key: str | None = None) -> tuple[int, str]:
        for name, value in place.environment.items():
            monkeypatch.setenv(name, value)
        if key is not None:
            monkeypatch.setenv("ZTS_ENCRYPTION_KEY", key)
        capsys.readouterr()
        code = run(root, "zts", words)
        out, err = capsys.readouterr()
        return code, out + err

    return command


def play(place: Place) -> str:
    """A run through everything: a retry, an answer, a loop; what it carries also in a model's recorded answer."""
    with Client(place.settings(), workers=False) as client:
        values = {"tone": WORD, "how": "transient"}
        run_id = client.submit(IDEA, str(place.folder / "secretive.yaml"), values=values).run_id
        wait_until(lambda: client.record(run_id).status is RunStatus.WAITING, what="it asks")
        client.approve(run_id, comment=f"the {WORD} is fine")
        wait_until(lambda: client.record(run_id).outcome, what="it ends")
    return run_id


def ask_a_model(place: Place, run_id: str, seq: int, attempt: int) -> None:
    """What a model call books while its step is at work."""
    book = RedisCallBook(place.server.url, retention_s=600, timeout_s=5, sealer=open_sealer(place.key))
    most = Cost(0.1, 10)
    about: dict[str, Any] = {"crew": "secret", "agent": "a", "model": "m", "usd": 0.1, "tokens": 10, "answer": WORD}
    assert (
        book.reserve(
            run_id, seq, attempt=attempt, call="c", crew="secret", most=most, provider="openai", pace=Pace()
        ).verdict
        == "reserved"
    )
    assert book.settle(run_id, seq, call="c", cost=most, detail=about, request="d1ge57", answer=f"ah, {WORD}")
    assert book.recorded(run_id, seq, request="d1ge57", again=True) == f"ah, {WORD}"


def claim_by_hand(place: Place) -> str:
    """A run whose step is at work in this process, with a model's answer; another one waits in the queue."""
    with Client(place.settings(), workers=False) as client:
        values = {"tone": WORD, "how": "permanent"}
        flow = str(place.folder / "secretive.yaml")
        run_id = client.submit(IDEA, flow, values=values).run_id
        claim = client.services.store.claim(run_id, 1, worker="by hand", lease_s=60)
        ask_a_model(place, run_id, 1, claim.attempt)
        client.submit(IDEA, flow, values=values)
    return run_id
