"""The named questions as a person asks them, of a known history, in Neo4j and in the embedded graph alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from graph_histories import NoFiles, Player
from graph_picture import clear

from tests.unit.heart.playing import plan_of, step, when
from zts_core.graph.feed import ResultFeed
from zts_core.ports import NewRun, StepResult
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.reviving import Reviver
from zts_core.run import Settled, SettledAs
from zts_producer.cli.main import run
from zts_producer.cli.root import root

pytestmark = [pytest.mark.redis, pytest.mark.cli]

FILE = b"print('hello')\n"
BETTER = b"print('hello, bees')\n"


@dataclass(frozen=True)
class Known:
    """The runs of the history, and how a command finds their graph."""

    first: str
    replay: str
    lost: str
    title: str
    environment: Mapping[str, str]


def settle(player: Player, run_id: str, seq: int, *, score: float, files: Mapping[str, bytes]) -> None:
    player.claim(run_id, seq)
    step = player.store.steps(run_id)[seq - 1]
    output = {"score": score}
    artifacts = {path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()}
    settled = Settled(seq, SettledAs.DONE, step.crew, f"d{score}", player.plans[run_id].facts(step.crew, output))
    player.store.settle(run_id, settled, attempt=step.attempt, result=StepResult(step.crew, output, artifacts))
    player.dispatcher.advance_run(run_id)


def play_first(player: Player) -> str:
    """CHECK needs two tries and three model calls, BUILD uses it and leaves a file, SHIP is refused by a gate."""
    ship = step("SHIP", "shipper", conditions=[when("builder.score", 0.9, ">")])
    plan = plan_of(step("CHECK", "validator"), step("BUILD", "builder"), ship)
    run_id = player.start(plan=plan, idea="bees in hives")
    player.claim(run_id, 1)
    player.call_model(run_id, 1, 1, usd=0.002)
    player.store.back_off(run_id, 1, attempt=1, delay_s=0, error="model is busy")
    player.store.requeue_retry(run_id, 1)
    player.claim(run_id, 1)
    player.call_model(run_id, 1, 2, usd=0.002, reused=True)
    player.call_model(run_id, 1, 2, usd=0.005)
    settle(player, run_id, 1, score=0.7, files={})
    settle(player, run_id, 2, score=0.5, files={"project/app.py": FILE})
    return run_id


def play_replay(player: Player, run_id: str) -> str:
    """The same from BUILD on, which does better: CHECK is taken over, SHIP is reached."""
    new = NewRun("replay-1", "bees in hives", "Bees again", player.plans[run_id].root, 25, 3600)
    player.plans[new.run_id] = player.plans[run_id]
    Reviver(player.dispatcher).replay_run(run_id, new, from_state="BUILD", files=NoFiles())
    settle(player, new.run_id, 2, score=0.95, files={"project/app.py": BETTER})
    settle(player, new.run_id, 3, score=1.0, files={})
    return new.run_id


def play_lost(player: Player) -> str:
    """Another idea, whose only step lost its worker for good."""
    run_id = player.start(plan=plan_of(step("LAUNCH", "launcher")), idea="Rockets towards distant planets")
    for _ in range(3):
        player.claim(run_id, 1)
        player.lose_worker(run_id, player.store.steps(run_id)[0])
    return run_id


@pytest.fixture(scope="module", params=["embedded", "neo4j"])
def known(request: pytest.FixtureRequest, redis_url: str) -> Known:
    """The history, delivered once into each graph."""
    server = request.getfixturevalue("graph_module" if request.param == "embedded" else "neo4j")
    redis.Redis.from_url(redis_url).flushall()
    player = Player(redis_url, 1)
    first = play_first(player)
    replay, lost = play_replay(player, first), play_lost(player)
    with closing(server.graph()) as graph, closing(RedisOutbox(redis_url, timeout_s=10)) as outbox:
        clear(graph)
        ResultFeed(outbox, graph).feed()
        assert (outbox.backlog().runs, outbox.backlog().poison) == (0, 0)
    address = {"ZTS_GRAPH_URL": server.url} if request.param == "embedded" else server.environment
    return Known(first, replay, lost, player.store.run(first).title, {"REDIS_URL": redis_url, **address})


Asked = Callable[..., Any]


@pytest.fixture
def zts(known: Known, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Asked:
    for name in ("NEO4J_URI", "ZTS_GRAPH_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**known.environment, "ZTS_DATA_FOLDER": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> str:
        capsys.readouterr()
        code = run(root, "zts", ("graph", *arguments))
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return command


@pytest.fixture
def told(zts: Asked) -> Asked:
    """The rows of an answer."""
    return lambda *arguments: json.loads(zts(*arguments, "--json"))["rows"]


def test_the_path_of_a_run_tells_steps_and_decisions_in_order_and_which_answers_were_reused(
    known: Known, told: Asked
) -> None:
    rows = told("path", known.first)
    assert [(row["what"], row["state"], row["status"], row["attempts"], row["reused"]) for row in rows][:2] == [
        ("step 1", "CHECK", "done", 2, "1 model answer"),
        ("step 2", "BUILD", "done", 1, ""),
    ]
    gate = next(row for row in rows if row["what"] == "gate")
    assert (gate["state"], gate["status"]) == ("SHIP", "stop")
    assert "0.5" in gate["why"]
    assert "0.9" in gate["why"]


def test_the_path_of_a_replay_marks_what_it_took_over(known: Known, told: Asked) -> None:
    steps = [row for row in told("path", known.replay) if row["what"].startswith("step")]
    assert [(row["state"], row["status"], row["attempts"], row["reused"]) for row in steps] == [
        ("CHECK", "done", 0, f"from {known.first}#1"),
        ("BUILD", "done", 1, ""),
        ("SHIP", "done", 1, ""),
    ]


def test_the_path_of_a_replay_as_a_picture(known: Known, zts: Asked) -> None:
    chart = zts("path", known.replay, "--mermaid").splitlines()
    assert chart[0] == "flowchart LR"
    assert f'  n1["1 CHECK<br/>validator<br/>from {known.first}#35;1"]' in chart
    assert {"  n1 --> n2", "  n2 --> n3", "  class n1 reused", "  class n2,n3 done"} <= set(chart)
    assert any(line.startswith('  n4{{"gate SHIP<br/>') for line in chart)
    assert {"  n2 -.-> n4", "  n4 -.-> n3"} <= set(chart)


@pytest.mark.parametrize("by_content", [True, False])
def test_the_lineage_of_a_file_leads_back_to_the_idea(
    known: Known, told: Asked, tmp_path: Path, by_content: bool
) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(FILE)
    rows = told("lineage", str(file) if by_content else "project/app.py")
    reused = "" if by_content else f"{known.first}#1"
    title = known.title if by_content else "Bees again"
    assert [(row["generation"], row["what"].split()[0], row["state"], row["reused"] or "") for row in rows] == [
        (0, "file", "", ""),
        (1, "step", "BUILD", ""),
        (2, "step", "CHECK", reused),
        (3, "idea", title, ""),
    ]


def test_the_lineage_of_a_file_as_a_picture(known: Known, zts: Asked) -> None:
    assert zts("lineage", "project/app.py", "--mermaid").splitlines() == [
        "flowchart LR",
        f'  n1(["Bees again<br/>run {known.replay}"])',
        f'  n2["CHECK<br/>validator<br/>from {known.first}#35;1"]',
        '  n3["BUILD<br/>builder"]',
        '  n4[("project/app.py")]',
        "  n1 --> n2",
        "  n2 --> n3",
        "  n3 --> n4",
        *(line for line in zts("lineage", "project/app.py", "--mermaid").splitlines() if "classDef" in line),
        "  class n2 reused",
        "  class n3 done",
    ]


def test_failures_tell_which_attempt_failed_and_why(known: Known, told: Asked) -> None:
    rows = told("failures", "--since", "1h")
    lost = [(known.lost, "LAUNCH", number, "lost", "its worker was lost") for number in (1, 2)]
    dead = (known.lost, "LAUNCH", 3, "failed", "its worker died 3 times during this step, or froze")
    found = [(row["run"], row["state"], row["attempt"], row["status"], row["error"]) for row in rows]
    assert sorted(found) == sorted([*lost, dead, (known.first, "CHECK", 1, "failed", "model is busy")])
    assert [row["at_ms"] for row in rows] == sorted((row["at_ms"] for row in rows), reverse=True)
    assert told("failures", "--since", "2100-01-01") == []


def test_crews_are_compared_by_success_retries_and_cost(known: Known, told: Asked) -> None:
    names = ("steps", "done", "failed", "retries", "cost")
    assert {row["crew"]: tuple(row[name] for name in names) for row in told("crews")} == {
        "validator": (2, 2, 0, 1, pytest.approx(0.007)),
        "builder": (2, 2, 0, 0, 0),
        "shipper": (1, 1, 0, 0, 0),
        "launcher": (1, 0, 1, 2, 0),
    }


def test_similar_ideas_share_words(known: Known, told: Asked, tmp_path: Path) -> None:
    (tmp_path / "idea.txt").write_text("Counting bees and hives for keepers")
    (tmp_path / "other.txt").write_text("Teaching chess online")
    alike = told("similar", str(tmp_path / "idea.txt"))
    assert [row["run"] for row in alike] == [known.replay, known.first]
    assert [(row["likeness"], row["outcome"]) for row in alike] == [(0.5, "completed"), (0.5, "rejected")]
    assert told("similar", str(tmp_path / "other.txt")) == []


def test_the_slowest_steps_come_first(known: Known, told: Asked) -> None:
    rows = told("slowest")
    assert [row["seconds"] for row in rows] == sorted((row["seconds"] for row in rows), reverse=True)
    assert {row["run"] for row in rows} <= {known.first, known.replay, known.lost}


def test_every_question_has_a_table_for_people(known: Known, zts: Asked) -> None:
    assert zts("path", known.first).splitlines()[0].split()[2:5] == ["step", "1", "CHECK"]
    assert "validator" in zts("crews")
    assert zts("lineage", "project/app.py").splitlines()[0].startswith("0")
