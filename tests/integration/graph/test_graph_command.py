"""`zts graph` as a person uses it, on a known history; and the embedded stack's own graph."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from graph_histories import Player
from graph_picture import clear
from graph_servers import GraphModuleServer

from tests.unit.heart.playing import plan_of, step, when
from zts_core.ports import StepResult
from zts_core.run import Settled, SettledAs
from zts_producer.cli.main import run
from zts_producer.cli.root import root

pytestmark = [pytest.mark.redis, pytest.mark.cli]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str, graph_module: GraphModuleServer
) -> None:
    redis.Redis.from_url(redis_url).flushall()
    graph = graph_module.graph()
    clear(graph)
    graph.close()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "REDIS_URL": redis_url,
        "ZTS_GRAPH_URL": graph_module.url,
        "ZTS_DATA_FOLDER": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NEO4J_URI", raising=False)


@pytest.fixture
def zts(environment: None, capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(root, "zts", arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def told(zts: Command) -> Callable[..., Any]:
    def ask(*arguments: str) -> Any:
        code, out, err = zts("graph", *arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return ask


FILE = b"print('hello')\n"


@pytest.fixture
def history(environment: None, redis_url: str) -> Player:
    """One run: CHECK needs two tries, BUILD uses it and leaves a file, SHIP is refused by a gate."""
    player = Player(redis_url, 1)
    ship = step("SHIP", "shipper", conditions=[when("builder.score", 0.9, ">")])
    run_id = player.start(
        plan=plan_of(step("CHECK", "validator"), step("BUILD", "builder"), ship), idea="bees in hives"
    )
    player.claim(run_id, 1)
    player.store.back_off(run_id, 1, attempt=1, delay_s=0, error="model is busy")
    player.store.requeue_retry(run_id, 1)
    digest = hashlib.sha256(FILE).hexdigest()
    for seq, namespace, artifacts in ((1, "validator", {}), (2, "builder", {"project/app.py": (digest, len(FILE))})):
        player.claim(run_id, seq)
        attempt = player.store.steps(run_id)[seq - 1].attempt
        output = {"score": 0.5}
        settled = Settled(seq, SettledAs.DONE, namespace, "d", player.plans[run_id].facts(namespace, output))
        player.store.settle(run_id, settled, attempt=attempt, result=StepResult(namespace, output, artifacts))
        player.dispatcher.advance_run(run_id)
    return player


def test_sync_delivers_what_waits(history: Player, told: Callable[..., Any]) -> None:
    first = told("sync")
    assert (first["waiting"], first["set_aside"]) == (0, 0)
    assert first["lines"] > 10
    assert told("sync")["lines"] == 0


def test_cypher_is_answered_with_parameters_as_a_table_and_as_json(history: Player, zts: Command, told: Any) -> None:
    told("sync")
    query = "MATCH (s:Step) WHERE s.seq = $n RETURN s.state AS state, s.out_score AS score"
    assert told(query, "--param", "n=2") == {
        "columns": ["state", "score"],
        "rows": [{"state": "BUILD", "score": 0.5}],
        "more": False,
    }
    assert told("--param", "n=1", query)["rows"][0]["state"] == "CHECK"
    code, out, _ = zts("graph", query, "-p", "n=2")
    assert (code, out.split()) == (0, ["BUILD", "0.50"])


def test_more_rows_than_asked_for_are_said(history: Player, zts: Command, told: Any) -> None:
    told("sync")
    _, out, err = zts("graph", "MATCH (s:Step) RETURN s.seq", "--limit", "1")
    assert len(out.splitlines()) == 1
    assert "--limit" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["CREATE (n) RETURN n"], 2, "only reads"),
        (["MATCH (n RETURN n"], 2, "refuses it"),
        (["lineag"], 2, "did you mean 'lineage'"),
        (["failures", "--since", "yesterday"], 2, "30m, 12h, 7d"),
        (["path", "nobody"], 2, "no run 'nobody'"),
        (["lineage", "no/such/file"], 2, "no run left a file"),
        (["similar", "missing.txt"], 2, "missing.txt"),
        (["MATCH (n) RETURN n", "-p", "x"], 2, "name=value"),
    ],
)
def test_what_cannot_be_answered_is_one_line(zts: Command, arguments: list[str], code: int, said: str) -> None:
    found, _, err = zts("graph", *arguments)
    assert (found, len(err.splitlines())) == (code, 1)
    assert said in err


def test_without_a_graph_one_line_says_what_to_set(zts: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZTS_GRAPH_URL")
    code, _, err = zts("graph", "RETURN 1")
    assert (code, len(err.splitlines())) == (8, 1)
    assert "NEO4J_URI" in err


@pytest.mark.parametrize("arguments", [["RETURN 1"], ["sync"]])
def test_a_graph_that_is_away_is_one_line(zts: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("ZTS_GRAPH_URL", "falkor+unix:///nowhere/graph.sock")
    code, _, err = zts("graph", *arguments)
    assert (code, len(err.splitlines())) == (8, 1)
    assert "does not answer" in err


def test_health_asks_the_graph_and_tells_what_waits(
    history: Player, zts: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def component() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(zts("health", "--json")[1])["components"]["graph"]
        return found

    assert "1 run with news" in component()["detail"]
    assert component()["status"] == "healthy"
    monkeypatch.setenv("ZTS_GRAPH_URL", "falkor+unix:///nowhere/graph.sock")
    assert component()["status"] == "degraded"
    assert "does not answer" in component()["detail"]


def test_rebuild_brings_back_what_was_lost_and_keeps_what_the_store_has_forgotten(
    history: Player, told: Any, graph_module: GraphModuleServer, redis_url: str
) -> None:
    told("sync")
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    count = "MATCH (s:Step) RETURN count(s) AS n"
    kept = history.start()
    told("sync")
    client.delete(*client.keys(f"zts:run:{kept}*"))
    client.zrem("zts:runs", kept)
    steps = told(count)["rows"][0]["n"]
    graph_module.client.execute_command("GRAPH.QUERY", "zerotoship", "MATCH (s:Step {seq: 2}) DETACH DELETE s")
    assert told(count)["rows"][0]["n"] < steps
    rebuilt = told("rebuild")
    assert (rebuilt["runs"], rebuilt["waiting"]) == (1, 0)
    assert told(count)["rows"][0]["n"] == steps


def test_the_embedded_stack_has_a_graph_of_its_own_that_survives_it(
    zts: Command, told: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ZTS_GRAPH_URL")
    monkeypatch.setenv("REDIS_URL", "embedded")
    repository = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", str(repository))
    idea = repository / "examples" / "ideas" / "bee_hive_log.txt"
    code, _, err = zts("submit", str(idea), "--workflow", "marketing_focus")
    assert code == 0, err
    done = (
        "MATCH (r:Run {status: 'finished'})-[:HAS_STEP]->(s {status: 'done'})-[:MADE]->(a) RETURN count(a) > 0 AS any"
    )
    for _ in range(2):
        assert told(done)["rows"] == [{"any": True}]
    assert (tmp_path / "data" / "graph").is_dir()
