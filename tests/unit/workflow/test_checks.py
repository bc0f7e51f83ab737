"""Static checks, beyond the one example of each code: what is found, where, and what must not be complained about."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.unit.workflow.crews import SHAPES, shapes
from tests.unit.workflow.test_documented_problems import problems_of
from zts_core.catalogue import find_shape
from zts_core.errors import BadInput
from zts_core.workflow.checks import check, check_reachable
from zts_core.workflow.library import Library
from zts_core.workflow.load import load_text
from zts_core.workflow.problems import Problem, Severity
from zts_core.workflow.shapes import CrewShape
from zts_core.workflow.spans import Reach, Spans
from zts_core.workflow.walk import Places
from zts_core.workflow.writes import WriteTable

START = "name: flow\nsequence:\n  - {state: A, crew: ValidatorCrew}\n  - {state: G, crew: GraphCrew}\n"


def after_start(*lines: str) -> list[Problem]:
    """Problems of a workflow that validates, plans, and then goes on as given."""
    return problems_of(START + "".join(f"  {line}\n" for line in lines))


def gate(*conditions: str) -> list[Problem]:
    """Problems of a step behind these conditions."""
    return after_start("- state: B", "  crew: BuilderCrew", "  conditions:", *(f"    - {line}" for line in conditions))


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


# -- comparisons against the field's type and range


@dataclass(frozen=True)
class Row:
    field: str
    operator: str
    value: str
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.value}"


ROWS = [
    Row("validation.confidence", "==", "0.5"),
    Row("validation.confidence", "==", "2", "ZTS204"),
    Row("validation.confidence", "!=", "2", "ZTS205"),
    Row("validation.confidence", "!=", "0.5"),
    Row("validation.confidence", ">", "0.99"),
    Row("validation.confidence", ">", "1", "ZTS204"),
    Row("validation.confidence", ">", "-1", "ZTS205"),
    Row("validation.confidence", ">=", "1"),
    Row("validation.confidence", ">=", "1.1", "ZTS204"),
    Row("validation.confidence", ">=", "0", "ZTS205"),
    Row("validation.confidence", "<", "0", "ZTS204"),
    Row("validation.confidence", "<", "0.1"),
    Row("validation.confidence", "<", "1.1", "ZTS205"),
    Row("validation.confidence", "<=", "0"),
    Row("validation.confidence", "<=", "-0.1", "ZTS204"),
    Row("validation.confidence", "<=", "1", "ZTS205"),
    Row("validation.confidence", ">", "true", "ZTS203"),
    Row("validation.confidence", "==", "null", "ZTS203"),
    Row("validation.confidence", "in", "[0.1, 0.2]"),
    Row("validation.confidence", "in", "[2, 3]", "ZTS204"),
    Row("validation.confidence", "not_in", "[2, 3]", "ZTS205"),
    Row("validation.confidence", "in", "[high]", "ZTS203"),
    Row("validation.confidence", "in", "[]", "ZTS204"),
    Row("validation.confidence", "not_in", "[]", "ZTS205"),
    Row("validation.confidence", "in", "0.5", "ZTS203"),
    Row("validation.confidence", "contains", "0.5", "ZTS202"),
    Row("validation.confidence", "matches", "x", "ZTS202"),
    Row("validation.confidence", "exists", "true"),
    Row("validation.confidence", "exists", "maybe", "ZTS203"),
    Row("validation.score", ">", "0"),
    Row("validation.score", "<=", "0", "ZTS204"),
    Row("validation.score", "==", "null"),
    Row("validation.score", "!=", "null"),
    Row("validation.passed", "==", "true"),
    Row("validation.passed", "==", '"true"', "ZTS203"),
    Row("validation.passed", "==", "1", "ZTS203"),
    Row("validation.passed", ">", "0", "ZTS202"),
    Row("validation.passed", "in", "[true]"),
    Row("validation.recommendation", "==", "go"),
    Row("validation.recommendation", "==", "no-go", "ZTS204"),
    Row("validation.recommendation", "!=", "stay", "ZTS205"),
    Row("validation.recommendation", "in", "[go, pivot]"),
    Row("validation.recommendation", "in", "[go, pivot, no_go, research]", "ZTS205"),
    Row("validation.recommendation", "not_in", "[stay]", "ZTS205"),
    Row("validation.recommendation", "matches", '"^(?:go|pivot)$"'),
    Row("validation.recommendation", "matches", "stay", "ZTS204"),
    Row("validation.recommendation", "matches", '"("', "ZTS206"),
    Row("validation.recommendation", "matches", "5", "ZTS203"),
    Row("validation.recommendation", "contains", "5", "ZTS203"),
    Row("validation.market", "contains", "B2B"),
    Row("validation.market", ">", '"a"'),
    Row("validation.market", "==", "null"),
    Row("validation.risks", "contains", "fire"),
    Row("validation.risks.0.weight", ">", "2"),
    Row("validation.risks.0.colour", "==", "red", "ZTS201"),
    Row("graph.tasks", "==", "[]"),
    Row("graph.tasks", ">", "[]", "ZTS203"),
    Row("graph.tasks", "matches", "x", "ZTS202"),
    Row("graph.by_name", "contains", "first"),
    Row("graph.by_name.first.hours", ">=", "3"),
    Row("graph.by_name.first.colour", "==", "3", "ZTS201"),
    Row("graph.status.length", "==", "3", "ZTS201"),
    Row("graph.state", "==", "generated", "ZTS201"),
    Row("nobody.knows", "==", "1", "ZTS201"),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_comparison_is_held_against_the_field_it_reads(row: Row) -> None:
    found = gate(f'{{field: {row.field}, operator: "{row.operator}", value: {row.value}}}')
    assert codes(found) == ([row.expected] if row.expected else []), [str(problem) for problem in found]


def test_a_misspelled_field_value_and_crew_are_answered_with_the_nearest() -> None:
    assert "graph.status" in gate("{field: graph.statsu, operator: exists}")[0].cure
    assert "generated" in gate('{field: graph.status, operator: "==", value: generatd}')[0].cure
    assert "true without quotes" in gate('{field: validation.passed, operator: "==", value: "True"}')[0].cure


def test_a_part_that_never_holds_is_fatal_only_where_it_decides_alone() -> None:
    never = "{field: validation.confidence, operator: '>', value: 2}"
    sometimes = "{field: validation.confidence, operator: '>', value: 0.2}"
    assert codes(gate(f"all: [{never}, {sometimes}]")) == ["ZTS204"]
    assert codes(gate(f"any: [{never}]")) == ["ZTS204"]
    assert codes(gate(f"any: [{never}, {sometimes}]")) == ["ZTS205"]
    assert codes(gate(f"not: {never}")) == ["ZTS205"]


def test_the_place_of_a_part_of_a_condition_is_told() -> None:
    found = gate("all:\n          - any:\n              - {field: graph.nothing, operator: exists}")
    assert found[0].path == "flow/sequence[2]/conditions[0]/all[0]/any[0]/field"
    assert found[0].line == 10


# -- what has been written before


def test_what_a_parallel_branch_writes_is_seen_after_the_join_only() -> None:
    inside = after_start(
        "- parallel:",
        "    - {state: B, crew: BuilderCrew}",
        "    - {state: C, crew: LaunchCrew, conditions: [{field: build.status, operator: exists}]}",
    )
    behind = after_start(
        "- parallel:",
        "    - {state: B, crew: BuilderCrew}",
        "- {state: C, crew: LaunchCrew, conditions: [{field: build.status, operator: exists}]}",
    )
    assert codes(inside) == ["ZTS201"]
    assert "B writes `build`, but not before this" in inside[0].cure
    assert codes(behind) == []


def test_a_loop_sees_what_it_wrote_the_last_time_round() -> None:
    found = after_start(
        "- loop:",
        "    state_prefix: L",
        "    max_iterations: 2",
        "    sequence:",
        "      - state: B",
        "        crew: BuilderCrew",
        "        conditions: [{field: feedback.rejected, operator: exists, on_fail: skip}]",
        "      - {state: F, crew: FeedbackCrew}",
        "    break_conditions: [{field: feedback.approved, operator: '==', value: true}]",
    )
    assert codes(found) == []


def test_a_called_workflow_leaves_its_results_and_sees_those_before_it() -> None:
    found = problems_of("""
outer:
  sequence:
    - {state: A, crew: ValidatorCrew}
    - call: {workflow: inner, with: {x: "${validation.market}"}}
    - {state: C, crew: LaunchCrew, conditions: [{field: build.status, operator: exists}]}
inner:
  sequence:
    - {state: B, crew: BuilderCrew, conditions: [{field: validation.passed, operator: exists}]}
""")
    assert codes(found) == []


def test_an_escalation_brings_its_data_along_from_afar() -> None:
    found = problems_of("""
first:
  sequence:
    - {state: A, crew: ValidatorCrew}
    - state: G
      crew: GraphCrew
      conditions: [{field: validation.passed, operator: exists, on_fail: {escalate_to: second}}]
second:
  sequence:
    - {state: B, crew: BuilderCrew}
    - {state: L, crew: LaunchCrew, conditions: [{field: build.status, operator: exists, on_fail: {escalate_to: third}}]}
third:
  sequence:
    - {state: M, crew: MarketingCrew, conditions: [{field: graph.status, operator: exists}]}
""")
    assert codes(found) == []


def test_a_foreach_leaves_a_list_and_its_counts() -> None:
    found = after_start(
        "- foreach: {over: graph.tasks, as: task, step: {state: B, crew: BuilderCrew, with: {h: '${task.hours}'}}}",
        "- state: C",
        "  crew: LaunchCrew",
        "  conditions:",
        "    - {field: build.count, operator: '>', value: 0}",
        "    - {field: build.failed, operator: '==', value: 0}",
        "    - {field: build.items.0.status, operator: '==', value: completed}",
        "    - {field: build.status, operator: '==', value: completed}",
    )
    assert codes(found) == ["ZTS204", "ZTS201"]
    assert found[0].path.endswith("conditions[2]")
    assert "belongs to the items of a foreach, which conditions do not read" in found[0].message
    assert found[1].path.endswith("conditions[3]/field")


def test_a_foreach_with_merge_leaves_one_output() -> None:
    found = after_start(
        "- foreach: {over: graph.tasks, as: task, merge: last, step: {state: B, crew: BuilderCrew}}",
        "- {state: C, crew: LaunchCrew, conditions: [{field: build.status, operator: '==', value: completed}]}",
    )
    assert codes(found) == []


def test_a_foreach_s_item_is_known_by_its_fields_and_not_to_conditions() -> None:
    found = after_start(
        "- foreach:",
        "    over: graph.tasks",
        "    as: task",
        "    step:",
        "      state: B",
        "      crew: BuilderCrew",
        "      with: {good: ['${task}', '${task.id}'], bad: {deep: '${task.colour}'}}",
        "      conditions: [{field: task.hours, operator: '>', value: 3}]",
    )
    assert codes(found) == ["ZTS208", "ZTS201"]
    assert found[0].path == "flow/sequence[2]/foreach/step/with/bad/deep"
    assert "reads" not in found[1].message
    assert "`task` is the item" in found[1].message


def test_a_foreach_over_something_never_produced_is_told() -> None:
    assert codes(after_start("- foreach: {over: build.files, as: f, step: {state: B, crew: BuilderCrew}}")) == [
        "ZTS201"
    ]


def test_a_whole_output_can_be_referred_to() -> None:
    assert codes(after_start("- {state: B, crew: BuilderCrew, with: {plan: '${graph}'}}")) == []
    assert codes(after_start("- {state: B, crew: BuilderCrew, with: {plan: '${grahp}'}}")) == ["ZTS208"]


# -- crews


def test_an_unknown_crew_is_one_problem_and_not_a_chain_of_them() -> None:
    found = problems_of("""
name: flow
sequence:
  - {state: A, crew: NobodyCrew}
  - {state: B, crew: BuilderCrew, conditions: [{field: nobody.knows, operator: exists}], with: {x: "${what.ever}"}}
  - loop: {state_prefix: L, crew: NobodyCrew, max_iterations: 2, on_exhausted: continue}
  - parallel:
      - {state: C, crew: NobodyCrew}
      - {state: D, crew: LaunchCrew}
    merge: last
""")
    assert codes(found) == ["ZTS101", "ZTS101", "ZTS101"]
    assert found[1].path == "flow/sequence[2]/loop/crew"


def test_what_is_wrong_with_a_crew_is_told_in_its_own_words() -> None:
    def broken(name: str) -> CrewShape | None:
        raise BadInput(f"the crew {name} cannot be imported (ImportError); install its package")

    flow = load_text("name: flow\nsequence: [{state: A, crew: X}]", "f").workflows["flow"]
    (found,) = check(flow, {}, broken)
    assert found.message == "the crew X cannot be imported (ImportError)"
    assert found.cure == "install its package"


def test_two_crews_of_one_namespace_are_both_possible() -> None:
    other = CrewShape("Other", "validation", {"type": "object", "properties": {"colour": {"enum": ["red"]}}})
    flow = load_text(
        """
name: flow
sequence:
  - {state: A, crew: ValidatorCrew}
  - {state: B, crew: Other}
  - state: C
    crew: LaunchCrew
    conditions:
      - {field: validation.colour, operator: "in", value: [red]}
      - {field: validation.passed, operator: "==", value: true}
""",
        "f",
    ).workflows["flow"]
    found = check(flow, {}, lambda name: other if name == "Other" else shapes(name))
    assert codes(list(found)) == ["ZTS205"]


# -- names


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["- {state: A, crew: BuilderCrew}"], ["ZTS102"]),
        (["- approval: {state: A, prompt: Go?, timeout: 5}"], ["ZTS102"]),
        (["- loop: {state_prefix: A, crew: FeedbackCrew, max_iterations: 2, on_exhausted: continue}"], ["ZTS102"]),
        (
            [
                "- loop: {state_prefix: L, max_iterations: 2, on_exhausted: continue,",
                "    sequence: [{state: A, crew: BuilderCrew}]}",
            ],
            ["ZTS102"],
        ),
        (
            [
                "- {state: L_2, crew: BuilderCrew}",
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, on_exhausted: continue}",
            ],
            ["ZTS102"],
        ),
        (
            [
                "- {state: L_3, crew: BuilderCrew}",
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, on_exhausted: continue}",
            ],
            [],
        ),
        (["- approval: {state: FAILED, prompt: Go?, timeout: 5}"], ["ZTS103"]),
        (["- {state: COMPLETED}"], []),
        (["- {state: COMPLETED, conditions: [{field: graph.status, operator: exists, on_fail: skip}]}"], []),
    ],
)
def test_states_are_told_apart(lines: list[str], expected: list[str]) -> None:
    assert codes(after_start(*lines)) == expected


def test_a_circle_is_told_with_its_way_and_only_by_those_in_it() -> None:
    text = """
outside:
  sequence: [{call: {workflow: a}}]
a:
  sequence: [{call: {workflow: b}}]
b:
  sequence:
    - {state: V, crew: ValidatorCrew}
    - {state: X, crew: GraphCrew, conditions: [{field: validation.passed, operator: exists, on_fail: {escalate_to: a}}]}
"""
    found = [problem for problem in problems_of(text) if problem.code != "ZTS107"]
    assert codes(found) == ["ZTS105", "ZTS105"]
    assert "a → b → a" in found[0].message
    assert found[1].path == "b/sequence[1]/conditions[0]/on_fail"


def test_an_exhausted_loop_may_not_escalate_into_its_own_workflow() -> None:
    found = after_start(
        "- loop:",
        "    {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, on_exhausted: {escalate_to: flow},",
        "     break_conditions: [{field: feedback.approved, operator: '==', value: true}]}",
    )
    assert codes(found) == ["ZTS105"]


# -- structure


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["- {state: REJECTED}", "- {state: B, crew: BuilderCrew}", "- {state: C, crew: LaunchCrew}"], ["ZTS107"]),
        (["- parallel: [{state: FAILED}]", "- {state: B, crew: BuilderCrew}"], ["ZTS107"]),
        (["- sequence: [{state: FAILED}, {state: B, crew: BuilderCrew}]"], ["ZTS107"]),
        (
            [
                "- {state: FAILED, conditions: [{field: graph.status, operator: exists}]}",
                "- {state: B, crew: BuilderCrew}",
            ],
            ["ZTS107"],
        ),
        (
            [
                "- {state: FAILED, conditions: [{field: graph.status, operator: exists, on_fail: skip}]}",
                "- {state: B, crew: BuilderCrew}",
            ],
            [],
        ),
        (
            [
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2,",
                "    break_conditions: [{field: feedback.approved, operator: '==', value: true, then: fail}]}",
                "- {state: B, crew: BuilderCrew}",
            ],
            ["ZTS107"],
        ),
        (["- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2}"], ["ZTS303"]),
        (["- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, on_exhausted: continue}"], []),
        (
            [
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2,",
                "    break_conditions: [{field: feedback.approved, operator: '==', value: true, on_fail: stop}]}",
            ],
            ["ZTS301"],
        ),
        (
            [
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, break_conditions:",
                "    [{any: [{field: feedback.approved, operator: '==', value: true, then: fail}]}]}",
            ],
            ["ZTS302"],
        ),
        (
            [
                "- parallel:",
                "    - call: {workflow: just_the_build}",
                "    - foreach: {over: graph.tasks, as: t, step: {state: B, crew: BuilderCrew}}",
                "    - loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 2, on_exhausted: continue}",
            ],
            ["ZTS304", "ZTS304"],
        ),
    ],
)
def test_the_structure_of_a_workflow_is_held_against_what_it_can_do(lines: list[str], expected: list[str]) -> None:
    assert codes(after_start(*lines)) == expected


def test_a_conflict_of_many_branches_names_a_few_of_them() -> None:
    found = after_start("- parallel:", *(f"    - {{state: S{number}, crew: GraphCrew}}" for number in range(40)))
    (message,) = [problem.message for problem in found if problem.code == "ZTS304"]
    assert (message.partition(" write")[0], message.endswith("[4] and 35 more")) == ("40 branches", True)


# -- limits


def span(*lines: str) -> tuple[Reach, Reach]:
    text = START + "".join(f"  {line}\n" for line in lines)
    loaded = load_text(text, "f.yaml")
    assert loaded.problems == ()
    library = Library.read().with_file(loaded).workflows
    found = Spans(WriteTable(Places(library), shapes)).of_workflow("flow")
    return found.through, found.out


@pytest.mark.parametrize(
    ("lines", "fewest", "most"),
    [
        ([], 2, 2),
        (
            ["- {state: B, crew: BuilderCrew, conditions: [{field: graph.status, operator: exists, on_fail: skip}]}"],
            2,
            3,
        ),
        (["- {state: B, crew: BuilderCrew, conditions: [{field: graph.status, operator: exists}]}"], 3, 3),
        (["- parallel: [{state: B, crew: BuilderCrew}, {state: C, crew: LaunchCrew}]"], 4, 4),
        (
            [
                "- parallel:",
                "    - {state: B, crew: BuilderCrew, conditions: [{field: graph.status, operator: exists}]}",
                "    - {state: C, crew: LaunchCrew}",
            ],
            3,
            4,
        ),
        (["- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 4, on_exhausted: continue}"], 6, 6),
        (
            [
                "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 4,",
                "    break_conditions: [{field: feedback.approved, operator: exists}]}",
            ],
            3,
            6,
        ),
        (["- foreach: {over: graph.tasks, as: t, step: {state: B, crew: BuilderCrew}}"], 2, 3),
        (["- foreach: {over: graph.few, as: t, step: {state: B, crew: BuilderCrew}}"], 2, 5),
        (["- approval: {state: B, prompt: Go?}"], 2, 2),
        (["- call: {workflow: just_the_build}"], 4, 4),
        (["- sequence: [{state: B, crew: BuilderCrew}, {state: C, crew: LaunchCrew}]"], 4, 4),
    ],
)
def test_the_shortest_and_the_longest_way_through_are_counted(lines: list[str], fewest: int, most: int) -> None:
    through, _ = span(*lines)
    assert (through.fewest, through.most) == (fewest, most)


def test_ways_out_count_where_they_end_well() -> None:
    through, out = span(
        "- {state: COMPLETED, conditions: [{field: graph.status, operator: exists, on_fail: skip}]}",
        "- {state: B, crew: BuilderCrew, conditions:",
        "    [{field: graph.status, operator: exists, on_fail: {escalate_to: just_the_build}}]}",
        "- {state: REJECTED}",
    )
    assert not through.is_met
    assert (out.fewest, out.most) == (2, 4)


def test_time_is_that_of_the_slowest_branch_and_of_every_iteration() -> None:
    through, _ = span(
        "- parallel: [{state: B, crew: BuilderCrew, timeout: 100}, {state: C, crew: LaunchCrew, timeout: 50}]",
        "- loop: {state_prefix: L, crew: FeedbackCrew, max_iterations: 3, timeout: 10, on_exhausted: continue}",
        "- approval: {state: D, prompt: Go?, timeout: 1000}",
        "- foreach: {over: graph.few, as: t, max_parallel: 2, step: {state: E, crew: HardwareCrew, timeout: 7}}",
    )
    assert through.seconds == 600 + 600 + 100 + 30 + 1000 + 14


def test_the_step_cap_and_the_deadline_are_arguments() -> None:
    flow = load_text(START, "f").workflows["flow"]
    assert codes(list(check(flow, {}, shapes, max_steps=2))) == []
    assert codes(list(check(flow, {}, shapes, max_steps=1))) == ["ZTS401"]
    assert codes(list(check(flow, {}, shapes, deadline_s=1199))) == ["ZTS403"]
    assert codes(list(check(flow, {}, shapes, deadline_s=1200))) == []


# -- the whole


def test_a_submit_looks_at_every_workflow_that_can_be_reached() -> None:
    loaded = load_text(
        """
root:
  sequence: [{call: {workflow: leaf}}]
leaf:
  sequence: [{state: A, crew: NobodyCrew}]
other:
  sequence: [{state: A, crew: SomebodyCrew}]
""",
        "f.yaml",
    )
    found = check_reachable("root", Library().with_file(loaded), shapes)
    assert [(problem.code, problem.path, problem.file, problem.line) for problem in found] == [
        ("ZTS101", "leaf/sequence[0]/crew", "f.yaml", 5)
    ]


@pytest.mark.parametrize("name", sorted(Library.read().workflows))
def test_a_shipped_workflow_has_no_problem(name: str) -> None:
    library = Library.read()
    assert library.problems == ()
    assert check_reachable(name, library, shapes, deadline_s=86_400) == ()


@pytest.mark.parametrize("name", sorted(Library.read().workflows))
def test_a_shipped_workflow_has_no_problem_with_the_crews_as_they_are(name: str) -> None:
    assert check_reachable(name, Library.read(), find_shape, deadline_s=86_400) == ()


def test_the_seven_workflows_are_shipped_with_their_metadata() -> None:
    workflows = Library.read().workflows
    assert sorted(workflows) == [
        "default_software_build",
        "enterprise_workflow",
        "hardware_prototype",
        "just_the_build",
        "marketing_focus",
        "rapid_prototype",
        "validation_and_launch",
    ]
    keys = {"description", "compliance", "audit", "visualize", "complexity", "estimated_duration"}
    for workflow in workflows.values():
        assert workflow.metadata.keys() == keys


def test_a_large_workflow_is_checked_in_one_pass_over_it() -> None:
    calls: list[str] = []

    def counting(name: str) -> CrewShape | None:
        calls.append(name)
        return SHAPES.get(name)

    steps = "".join(
        f"  - {{state: S{n}, crew: GraphCrew, conditions: [{{field: graph.status, operator: exists}}]}}\n"
        for n in range(1000)
    )
    flow = load_text(START + steps, "f").workflows["flow"]
    assert check(flow, {}, counting, max_steps=2000) == ()
    assert sorted(calls) == ["GraphCrew", "ValidatorCrew"]


def test_severities_follow_the_codes() -> None:
    (found,) = gate("{field: validation.confidence, operator: '>=', value: 0}")
    assert found.severity is Severity.WARNING
