"""What every ResultGraph must do, asked of a real Neo4j and of the embedded graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graph_picture import clear, picture

from zts_core.errors import GraphRefused
from zts_core.graph.feed import ResultFeed
from zts_core.graph.port import Changes, ResultGraph
from zts_core.graph.translate import Translator
from zts_core.graph.values import LONGEST_TEXT
from zts_core.outbox import Pending
from zts_core.ports import LedgerEntry, RunRecord, StepResult
from zts_core.run import RunStatus

T0 = 1_700_000_000_000
LIMIT = 1000


@pytest.fixture(params=["embedded", "neo4j"])
def graph(request: pytest.FixtureRequest) -> Iterator[ResultGraph]:
    """An empty graph, prepared."""
    server = request.getfixturevalue("graph_module" if request.param == "embedded" else "neo4j")
    graph: ResultGraph = server.graph()
    clear(graph)
    yield graph
    graph.close()


def pending(run_id: str = "r1", *, upto: int = 99, idea: str = "an idea", **output: object) -> Pending:
    """A run of two steps, the second of which was tried twice; its first `upto` lines."""
    lines = [
        ("run_created", 0, {}),
        ("wave", 0, {"states": ["A"], "seqs": [1]}),
        ("attempt_started", 1, {"attempt": 1, "worker": "w:1"}),
        ("step_done", 1, {"attempt": 1, "namespace": "a", "digest": "d1"}),
        ("wave", 0, {"states": ["B"], "seqs": [2]}),
        ("attempt_started", 2, {"attempt": 1, "worker": "w:1"}),
        ("attempt_failed", 2, {"attempt": 1, "error": "busy", "delay_s": 1}),
        ("attempt_started", 2, {"attempt": 2, "worker": "w:2"}),
        ("step_done", 2, {"attempt": 2, "namespace": "b", "digest": "d2"}),
        ("gate", 0, {"state": "C", "why": "b.n is 2, needs > 3", "then": "stop"}),
        ("run_finished", 0, {"outcome": "rejected", "reason": "C: b.n is 2, needs > 3"}),
    ]
    entries = [LedgerEntry(f"{T0 + n}-0", T0 + n, kind, seq, detail) for n, (kind, seq, detail) in enumerate(lines)]
    steps = {
        1: {"state": "A", "path": "main.0", "crew": "ACrew", "inputs": {}, "workflow": "main"},
        2: {"state": "B", "path": "main.1", "crew": "BCrew", "inputs": {"a": 1}, "workflow": "main"},
    }
    results = {
        1: StepResult("a", {"n": 1, "tasks": [{"id": "T1"}, {"id": "T2", "depends_on": ["T1"]}]}, {"x.txt": ("c1", 3)}),
        2: StepResult("b", {"n": 2, "change_requests": [{"message": "fix it"}], **output}, {"y.txt": ("c2", 4)}),
    }
    run = RunRecord(run_id, "An idea", "main", RunStatus.RUNNING, None, "", "p1", T0, 0, 0, 50, 2)
    return Pending(run, entries[:upto], "", idea, steps, results)


def changes_of(each: Pending) -> Changes:
    return Translator(each).add(each.entries)


def test_a_run_is_there_with_all_that_belongs_to_it(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    edges = graph.ask(
        "MATCH (a)-[x]->(b) RETURN labels(a)[0] + ' ' + type(x) + ' ' + labels(b)[0] AS edge, count(*) ORDER BY edge",
        {},
        limit=LIMIT,
    )
    assert dict(edges.rows) == {
        "Project CAME_FROM Idea": 1,
        "Run CARRIES Idea": 1,
        "Run DECIDED Decision": 1,
        "Run FOLLOWS Workflow": 1,
        "Run HAS_STEP Step": 2,
        "Run OF Project": 1,
        "Step BY Crew": 2,
        "Step FOUND Finding": 1,
        "Step HAS_ATTEMPT Attempt": 3,
        "Step LED_TO Decision": 1,
        "Step MADE Artifact": 2,
        "Step NEXT Step": 1,
        "Step PLANNED Task": 2,
        "Step USED Step": 1,
        "Task DEPENDS_ON Task": 1,
    }


def test_versions_of_an_output_are_all_there_and_the_effective_one_is_marked(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    asked = "MATCH (:Step {seq: 2})-[:HAS_ATTEMPT]->(a) RETURN a.number AS n, a.status, a.effective, a.error ORDER BY n"
    assert [list(row) for row in graph.ask(asked, {}, limit=LIMIT).rows] == [
        [1, "failed", None, "busy"],
        [2, "done", True, None],
    ]


@pytest.mark.parametrize("times", [2, 3])
def test_writing_the_same_again_changes_nothing(graph: ResultGraph, times: int) -> None:
    graph.write(changes_of(pending()))
    once = picture(graph)
    for _ in range(times):
        graph.write(changes_of(pending()))
    assert picture(graph) == once


def test_an_older_line_never_replaces_what_a_newer_one_said(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    whole = picture(graph)
    for upto in range(12):
        graph.write(changes_of(pending(upto=upto)))
    assert picture(graph) == whole


@pytest.mark.parametrize("upto", [1, 2, 3, 6, 10])
def test_a_batch_of_which_a_part_is_there_already_adds_what_is_missing_and_nothing_twice(
    graph: ResultGraph, upto: int
) -> None:
    def batch() -> Changes:
        together = changes_of(pending("r1"))
        together.merge(changes_of(pending("r2")))
        return together

    graph.write(batch())
    whole = picture(graph)
    clear(graph)
    graph.write(changes_of(pending("r1", upto=upto)))
    graph.write(batch())
    assert picture(graph) == whole


def test_a_run_written_line_by_line_is_the_run_written_at_once(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    at_once = picture(graph)
    clear(graph)
    memory = ""
    whole = pending()
    for entry in whole.entries:
        part = Pending(whole.run, [entry], memory, whole.idea, whole.steps, whole.results)
        translator = Translator(part)
        graph.write(translator.add(part.entries))
        memory = translator.memory
    assert picture(graph) == at_once


AWKWARD = {
    "quotes": "she said \"no\" and 'yes' \\ \\n",
    "lines": "one\ntwo\r\n\tthree",
    "scripts": "наука 第一 🚀 \u2028 \ufeff",
    "cypher": "}) DETACH DELETE n // $rows {x: 1} `y`",
    "nul": "a\x00b",
    "half": "\ud83d",
    "huge": 10**30,
    "nan": float("nan"),
    "inf": float("-inf"),
    "tiny": 1e-300,
    "no": False,
    "none": None,
    "empty": "",
    "a name with `ticks` and ünïcode": "x",
}


def test_values_arrive_as_they_are_or_as_the_nearest_that_a_graph_can_hold(graph: ResultGraph) -> None:
    graph.write(changes_of(pending(idea=f"{AWKWARD['scripts']}{AWKWARD['quotes']}", **AWKWARD)))
    (step,) = graph.ask("MATCH (s:Step {seq: 2}) RETURN s", {}, limit=1).rows[0]
    for name in ("quotes", "lines", "scripts", "cypher", "tiny", "no", "empty"):
        assert step[f"out_{name}"] == AWKWARD[name]
    assert step["out_nul"] == "a\ufffdb"
    assert step["out_huge"] == str(10**30)
    assert step["out_nan"] == "nan"
    (text,) = graph.ask("MATCH (i:Idea) RETURN i.text", {}, limit=1).rows[0]
    assert text == f"{AWKWARD['scripts']}{AWKWARD['quotes']}"


def test_a_text_of_any_length_is_cut_to_what_a_graph_holds_well(graph: ResultGraph) -> None:
    graph.write(changes_of(pending(idea="word " * 100_000, note="x" * 10_000_000)))
    assert graph.ask("MATCH (i:Idea) RETURN size(i.text)", {}, limit=1).rows == [[LONGEST_TEXT]]


def test_a_row_that_is_refused_leaves_nothing_that_writing_again_does_not_mend(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    clean = picture(graph)
    clear(graph)
    broken = changes_of(pending())
    broken.node("decisions", "r1#bad", {"reason": {"a": {"map": "is no property"}}}, run="r1")
    with pytest.raises(GraphRefused):
        graph.write(broken)
    graph.write(changes_of(pending()))
    assert picture(graph) == clean


def test_forgetting_a_run_leaves_every_other_as_it_was(graph: ResultGraph) -> None:
    graph.write(changes_of(pending("r2")))
    alone = picture(graph)
    graph.write(changes_of(pending("r1")))
    graph.forget(["r1", "unknown"])
    assert picture(graph) == alone


def test_a_question_takes_parameters_and_says_when_it_was_cut(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    answer = graph.ask("MATCH (s:Step) WHERE s.seq >= $least RETURN s.seq AS seq ORDER BY seq", {"least": 1}, limit=1)
    assert (list(answer.columns), answer.rows, answer.more) == (["seq"], [[1]], True)
    lists = graph.ask("RETURN $names AS names, $map.a AS a", {"names": ["x", "y"], "map": {"a": 1.5}}, limit=5)
    assert (lists.rows, lists.more) == ([[["x", "y"], 1.5]], False)


def test_nodes_relationships_and_paths_come_as_plain_data(graph: ResultGraph) -> None:
    graph.write(changes_of(pending()))
    path, edge, node = graph.ask(
        "MATCH p = (:Run)-[:HAS_STEP]->(s {seq: 1})-[m:MADE]->(a) RETURN p, m, a", {}, limit=1
    ).rows[0]
    assert node == {"labels": ["Artifact"], "id": "c1", "digest": "c1", "size": 3}
    assert edge == {"type": "MADE", "path": "x.txt"}
    assert [each["labels"] for each in path["nodes"]] == [["Run"], ["Step"], ["Artifact"]]
    assert path["relationships"] == ["HAS_STEP", "MADE"]


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (n:Run {id: 'x'})",
        "MATCH (n) DETACH DELETE n",
        "MATCH (n:Run) SET n.status = 'x'",
        "MERGE (n:Run {id: 'y'})",
        "MATCH (n:Run) REMOVE n.status",
    ],
)
def test_a_question_cannot_write(graph: ResultGraph, cypher: str) -> None:
    graph.write(changes_of(pending()))
    before = picture(graph)
    with pytest.raises(GraphRefused, match="only reads"):
        graph.ask(cypher, {}, limit=1)
    assert picture(graph) == before


@pytest.mark.parametrize("cypher", ["MATCH (n RETURN n", "RETURN $missing", "nonsense", ""])
def test_a_question_that_makes_no_sense_is_refused_in_one_line(graph: ResultGraph, cypher: str) -> None:
    with pytest.raises(GraphRefused) as refused:
        graph.ask(cypher, {}, limit=1)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_preparing_again_is_harmless(graph: ResultGraph) -> None:
    graph.prepare()
    graph.write(changes_of(pending()))
    graph.prepare()
    graph.write(changes_of(pending()))


class Silent:
    """An outbox that hears of acknowledgements only."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def acknowledge(self, delivered: list[object]) -> None:
        self.lines += [each.line for each in delivered]  # type: ignore[attr-defined]


def test_a_batch_of_many_runs_is_acknowledged_after_it_was_written(graph: ResultGraph) -> None:
    outbox = Silent()
    ResultFeed(outbox, graph).deliver([pending(f"r{n}") for n in range(30)])  # type: ignore[arg-type]
    assert graph.ask("MATCH (:Run)-[:HAS_STEP]->(s) RETURN count(s)", {}, limit=1).rows == [[60]]
    assert outbox.lines == [f"{T0 + 10}-0"] * 30
