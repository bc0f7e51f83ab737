"""Trees for the terminal and Mermaid flowcharts: every node drawn, every text harmless, the way taken marked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_core.workflow.draw import tree
from zts_core.workflow.library import Library
from zts_core.workflow.load import load_text
from zts_core.workflow.mermaid import STYLES, mermaid
from zts_core.workflow.model import Workflow

EVERYTHING = """
name: everything
sequence:
  - {state: A, crew: X, timeout: 60, retry_attempts: 1}
  - parallel:
      - {state: B, crew: X, conditions: [{field: a.b, operator: exists}]}
      - sequence:
          - {state: C, crew: X, on_error: continue}
          - {state: D, crew: X}
    merge: last
    conditions:
      - {any: [{field: a.b, operator: ">", value: 1}, {not: {field: a.c, operator: in, value: [x]}}],
         on_fail: {escalate_to: elsewhere}}
  - loop:
      state_prefix: L
      max_iterations: 3
      sequence: [{state: E, crew: X}, {state: F, crew: X}]
      break_conditions:
        - {field: a.b, operator: "==", value: true}
        - {field: a.c, operator: "==", value: true, then: fail}
      on_exhausted: {escalate_to: elsewhere}
  - loop: {state_prefix: M, crew: X, max_iterations: 2, on_exhausted: continue}
  - foreach: {over: a.list, as: item, max_parallel: 2, step: {state: G, crew: X}}
  - approval: {state: H, prompt: Go?, timeout: 60}
  - call: {workflow: other}
  - loop: {state_prefix: "N", max_iterations: 2, on_exhausted: continue, sequence: [{state: K, crew: X}]}
  - {state: REJECTED, reason: Not today, conditions: [{field: a.b, operator: exists, value: false, on_fail: skip}]}
"""

_NODE = re.compile(r'^ +(n\d+)(\(\("|\(\["|\[\["|\[/"|\["|\{")(.*?)("\)\)|"\]\)|"\]\]|"/\]|"\]|"\})$')
_EDGE = re.compile(r'^ +(n\d+) (-->|-\.->)(?:\|"([^"]*)"\|)? (n\d+)$')
_FRAME = re.compile(r'^ +(subgraph s\d+\["[^"]*"\]|end|class n\d+ \w+|classDef \w+ [\w:#,\- ]+)$')


def flow(text: str) -> Workflow:
    loaded = load_text(text, "f.yaml")
    assert loaded.problems == ()
    return next(iter(loaded.workflows.values()))


def parts(chart: str) -> tuple[dict[str, str], list[tuple[str, str, str, str]]]:
    """Labels by id, and edges; fails on any line that is not core syntax."""
    first, *lines = chart.splitlines()
    assert first == "flowchart TD"
    nodes: dict[str, str] = {}
    edges = []
    for line in lines:
        if node := _NODE.match(line):
            assert node[1] not in nodes
            nodes[node[1]] = node[3]
        elif edge := _EDGE.match(line):
            edges.append((edge[1], edge[2], edge[3] or "", edge[4]))
        else:
            assert _FRAME.match(line), line
    assert sum(line.strip().startswith("subgraph") for line in lines) == sum(line.strip() == "end" for line in lines)
    assert {end for edge in edges for end in (edge[0], edge[3])} <= nodes.keys()
    return nodes, edges


def test_a_tree_has_a_line_for_every_node_and_its_conditions_below() -> None:
    assert tree(flow(EVERYTHING)) == [
        "everything",
        "├─ A · X, 60 s, 1 retry",
        "├─ parallel, merge: last",
        '│  · if a.b > 1 or not (a.c in ["x"]), else escalate to elsewhere',
        "│  ├─ B · X, 600 s",
        "│  │  · if a.b exists, else skip",
        "│  └─ sequence",
        "│     ├─ C · X, 600 s, may fail",
        "│     └─ D · X, 600 s",
        "├─ loop L, up to 3 times",
        "│  · until a.b == true",
        "│  · until a.c == true, then fail",
        "│  · used up: escalate to elsewhere",
        "│  ├─ E · X, 600 s",
        "│  └─ F · X, 600 s",
        "├─ loop M, up to 2 times · X, 600 s",
        "│  · used up: continue",
        "├─ for each item in a.list, 2 at a time",
        "│  └─ G · X, 600 s",
        "├─ H asks: Go?",
        "│  · after 60 s: reject",
        "├─ call other",
        "├─ loop N, up to 2 times",
        "│  · used up: continue",
        "│  └─ K · X, 600 s",
        "└─ REJECTED: Not today",
        "   · if a.b is missing, else skip",
    ]


def test_a_chart_has_every_state_and_every_way_out() -> None:
    nodes, edges = parts(mermaid(flow(EVERYTHING)))
    labels = list(nodes.values())
    for state in ["A", "B", "C", "D", "E", "F", "M", "G"]:
        assert f"{state}<br/>X" in labels
    assert labels.count("REJECTED") == 1
    assert labels.count("elsewhere") == 1
    dashed = {nodes[target] for _, arrow, _, target in edges if arrow == "-.->"}
    assert dashed == {"elsewhere"}
    ways = {(nodes[source], label, nodes[target]) for source, _, label, target in edges}
    assert ("leave the loop?", "a.c == true", "FAILED") in ways
    assert ("leave the loop?", "no", "again") in ways
    assert ("H<br/>Go?", "rejected", "REJECTED") in ways
    assert ("a.b is missing", "no: skip", "COMPLETED") in ways


@pytest.mark.parametrize("name", sorted(Library.read().workflows))
def test_a_shipped_workflow_is_drawn_without_loose_ends(name: str) -> None:
    nodes, edges = parts(mermaid(Library.read().workflows[name]))
    reached = {edge[3] for edge in edges}
    left = {edge[0] for edge in edges}
    ends = {"COMPLETED", "REJECTED", "FAILED", "EXHAUSTED", *Library.read().workflows}
    for node, label in nodes.items():
        assert node in reached or label == "start"
        assert node in left or label in ends
    assert len(tree(Library.read().workflows[name])) > 3


def test_the_way_a_run_took_is_marked_by_the_names_it_recorded() -> None:
    chart = mermaid(
        flow(EVERYTHING),
        {
            "A": "done",
            "B": "skipped",
            "L_1.E": "done",
            "L_2.E": "failed",
            "L_3.E": "done",
            "M_2": "done",
            "N_1": "done",
            "G[2]": "running",
            "other.IDEA_VALIDATION": "done",
            "UNKNOWN": "done",
            "C": "dreaming",
        },
    )
    nodes, _ = parts(chart)
    marked = {
        nodes[line.split()[1]]: line.split()[2] for line in chart.splitlines() if line.strip().startswith("class n")
    }
    assert marked == {
        "A<br/>X": "done",
        "B<br/>X": "skipped",
        "E<br/>X": "failed",
        "M<br/>X": "done",
        "K<br/>X": "done",
        "G<br/>X": "running",
        "other": "done",
    }
    assert {line.split()[1] for line in chart.splitlines() if "classDef" in line} == set(STYLES)


def with_text(text: str) -> Workflow:
    return Workflow.model_validate(
        {
            "name": "odd",
            "sequence": [
                {"approval": {"state": "A", "prompt": text or "x"}},
                {"state": "B", "crew": "X", "conditions": [{"field": "a.b", "operator": "==", "value": text}]},
                {"state": "FAILED", "reason": text},
            ],
        }
    )


@settings(deadline=None)
@given(text=st.text(max_size=30) | st.text(alphabet='"#;<>`{}[]()|&\\%\n-=.end', max_size=30))
def test_no_text_breaks_a_chart_or_a_tree(text: str) -> None:
    parts(mermaid(with_text(text)))
    lines = tree(with_text(text))
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)


def test_labels_are_escaped_and_cut() -> None:
    chart = mermaid(with_text('<b onclick="x()">' + "long " * 100))
    assert "#60;b onclick=#34;x#40;#41;#34;#62;" in chart
    assert "<b" not in chart.replace("<br/>", "")
    assert max(map(len, chart.splitlines())) < 400
