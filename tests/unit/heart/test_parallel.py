"""Parallel blocks: branches wait for each other only at the join, and what they tell is held until then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.heart.playing import Play, approval, call, loop, parallel, plan_of, sequence, step, terminal, when


def test_all_children_start_in_one_wave_and_the_join_waits_for_the_last() -> None:
    play = Play(plan_of(parallel(step("A"), step("B"), step("C")), step("D")))
    assert play.waves == [["A", "B", "C"]]
    play.done("B")
    play.done("A")
    assert play.waves == [["A", "B", "C"]]
    play.done("C")
    assert play.last == ["D"]


def test_a_join_fires_once_when_everything_settles_together() -> None:
    play = Play(plan_of(parallel(step("A"), step("B")), step("D")))
    play.all_done("B", "A")
    assert play.waves == [["A", "B"], ["D"]]


def test_branches_go_on_without_waiting_for_each_other() -> None:
    play = Play(
        plan_of(parallel(sequence(step("A1"), step("A2"), step("A3")), sequence(step("B1"), step("B2"))), step("J"))
    )
    play.done("A1")
    play.done("A2")
    play.done("B1")
    play.done("A3")
    assert play.waves == [["A1", "B1"], ["A2"], ["A3"], ["B2"]]
    play.done("B2")
    assert play.last == ["J"]


def test_a_branch_sees_its_own_writes_and_those_before_the_block_but_not_its_siblings() -> None:
    block = parallel(sequence(step("A1", "a"), step("A2", "x")), sequence(step("B1", "b"), step("B2", "y")))
    play = Play(plan_of(step("P", "p"), block, step("J", "j")))
    play.done("P", n=0)
    play.done("A1", n=1)
    play.done("B1", n=2)
    assert play.sees("A2") == {"p": {"n": 0}, "a": {"n": 1}}
    assert play.sees("B2") == {"p": {"n": 0}, "b": {"n": 2}}
    play.done("A2", n=3)
    play.done("B2", n=4)
    assert play.sees("J") == {name: {"n": n} for name, n in [("p", 0), ("a", 1), ("b", 2), ("x", 3), ("y", 4)]}


def test_a_branchs_conditions_read_what_the_branch_sees() -> None:
    gate = [when("a.ok", on_fail="skip")]
    block = parallel(sequence(step("A1", "a"), step("A2", conditions=gate)), step("B1", conditions=gate))
    play = Play(plan_of(step("P", "a"), block))
    play.done("P", ok=False)
    assert play.last == ["A1"]
    play.done("A1", ok=True)
    assert play.last == ["A2"]


@pytest.mark.parametrize("order", [("A", "B", "C"), ("C", "B", "A"), ("B", "C", "A")])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, {"n": 1, "tags": ["c"], "deep": {"c": 1}, "ok": False, "only": "b"}),
        ("last", {"n": 1, "tags": ["c"], "deep": {"c": 1}, "ok": False}),
        ("first", {"n": 3, "tags": ["a"], "deep": {"a": 1}, "ok": False}),
        ("union", {"n": 1, "tags": ["a", "b", "c"], "deep": {"a": 1, "b": 1, "c": 1}, "ok": False, "only": "b"}),
        ("max", {"n": 3, "tags": ["c"], "deep": {"a": 1, "b": 1, "c": 1}, "ok": True, "only": "b"}),
    ],
)
def test_branches_that_write_one_namespace_are_merged_in_branch_order(
    order: tuple[str, ...], policy: Any, expected: dict[str, Any]
) -> None:
    outputs = {
        "A": {"n": 3, "tags": ["a"], "deep": {"a": 1}, "ok": False},
        "B": {"n": 2, "tags": ["b"], "deep": {"b": 1}, "ok": True, "only": "b"},
        "C": {"n": 1, "tags": ["c"], "deep": {"c": 1}, "ok": False},
    }
    fields = {"merge": policy} if policy else {}
    play = Play(plan_of(parallel(step("A", "w"), step("B", "w"), step("C", "w"), **fields), step("J")))
    for state in order:
        play.done(state, **outputs[state])
    if policy is None:
        expected = outputs["C"]
    assert play.sees("J") == {"w": expected}


def test_conditions_read_merged_outputs() -> None:
    gates = [when("w.n", 3), when("w.tags", "a", "contains"), when("w.late", "missing", "!=")]
    play = Play(plan_of(parallel(step("A", "w"), step("B", "w"), merge="max"), step("J", conditions=gates[:1])))
    play.done("A", n=3, tags=["a"])
    play.done("B", n=1, tags=["b"])
    assert play.last == ["J"]


@pytest.mark.parametrize(
    "child",
    [
        lambda gate: step("B", conditions=gate),
        lambda gate: sequence(step("B"), conditions=gate),
        lambda gate: loop("B", step("X"), times=2, conditions=gate),
        lambda gate: parallel(step("B"), conditions=gate),
        lambda gate: approval("B", conditions=gate),
        lambda gate: call("other", conditions=gate),
        lambda gate: terminal("REJECTED", conditions=gate),
    ],
    ids=["step", "sequence", "loop", "parallel", "approval", "call", "terminal"],
)
def test_a_false_condition_without_on_fail_skips_that_child_only(child: Any) -> None:
    gate = [when("p.ok")]
    play = Play(plan_of(step("P"), parallel(step("A"), child(gate)), step("J"), other=[step("E")]))
    play.done("P", ok=False)
    assert play.last == ["A"]
    play.done("A")
    assert play.last == ["J"]


def test_a_block_whose_every_child_is_skipped_is_passed() -> None:
    gate = [when("p.ok")]
    play = Play(plan_of(step("P"), parallel(step("A", conditions=gate), step("B", conditions=gate)), step("J")))
    play.done("P", ok=False)
    assert play.last == ["J"]


def test_a_false_condition_inside_a_branchs_sequence_rejects_the_run_at_the_join() -> None:
    branch = sequence(step("B"), step("B2", conditions=[when("b.ok")]))
    play = Play(plan_of(parallel(sequence(step("A"), step("A2")), branch), step("J")))
    play.done("B", ok=False)
    assert play.ended == "still going"
    play.done("A")
    assert play.last == ["A2"]
    play.done("A2")
    assert play.ended == "rejected"
    assert "B2" in play.reason


TOLD = {
    "failed": step("X", "x"),
    "rejected": sequence(step("X", "x"), step("X2", conditions=[when("x.ok", on_fail="stop")])),
    "escalate": sequence(step("X", "x"), step("X2", conditions=[when("x.ok", on_fail={"escalate_to": "other"})])),
    "end": sequence(step("X", "x"), terminal("COMPLETED", reason="enough")),
}


def told(kind: str, name: str) -> dict[str, Any]:
    """A branch that ends its own way, with states of its own."""
    return dict(json.loads(json.dumps(TOLD[kind]).replace("X", name).replace('"x', f'"{name.lower()}')))


@pytest.mark.parametrize(
    ("kinds", "ended"),
    [
        (["end", "escalate", "rejected", "failed"], "failed"),
        (["end", "escalate", "rejected"], "rejected"),
        (["end", "rejected"], "rejected"),
        (["end", "failed"], "failed"),
        (["escalate", "failed"], "failed"),
        (["end"], "completed"),
    ],
)
def test_a_join_tells_the_worst_its_branches_told(kinds: list[str], ended: str) -> None:
    names = "UVWY"[: len(kinds)]
    blocks = [told(kind, name) for kind, name in zip(kinds, names, strict=True)]
    play = Play(plan_of(parallel(step("A"), *blocks), step("J"), other=[step("E")]))
    for kind, name in zip(kinds, names, strict=True):
        assert play.ended == "still going"
        play.fail(name) if kind == "failed" else play.done(name, ok=False)
    play.done("A")
    assert play.ended == ended
    assert "J" not in [state for wave in play.waves for state in wave]


def test_an_escalation_of_a_branch_outranks_an_end_of_another() -> None:
    play = Play(plan_of(parallel(told("end", "U"), told("escalate", "V")), step("J"), other=[step("E")]))
    play.done("U")
    play.done("V", ok=False)
    assert play.last == ["E"]


def test_of_two_that_told_the_same_the_first_branch_counts() -> None:
    play = Play(plan_of(parallel(step("A"), step("B"))))
    play.fail("B", "second branch")
    play.fail("A", "first branch")
    assert "first branch" in play.reason


def test_a_terminal_in_a_branch_takes_effect_at_the_join() -> None:
    play = Play(
        plan_of(parallel(sequence(step("A"), terminal("REJECTED")), sequence(step("B"), step("B2"))), step("J"))
    )
    play.done("A")
    assert play.ended == "still going"
    play.done("B")
    assert play.last == ["B2"]
    play.done("B2")
    assert play.ended == "rejected"


def test_what_branches_wrote_is_kept_when_the_block_fails() -> None:
    play = Play(plan_of(parallel(step("A"), step("B"))))
    play.done("A", n=1)
    play.fail("B")
    assert (play.ended, play.data) == ("failed", {"a": {"n": 1}})


def test_a_tolerated_failure_of_a_branch_does_not_fail_the_block() -> None:
    play = Play(plan_of(parallel(step("A", on_error="continue"), step("B")), step("J")))
    play.fail("A")
    play.done("B")
    assert play.last == ["J"]


def test_nested_blocks_join_from_the_inside_out() -> None:
    inner = sequence(parallel(step("A", "a"), step("B", "b")), step("C", "c"))
    play = Play(plan_of(parallel(inner, step("D", "d")), step("J")))
    assert play.last == ["A", "B", "D"]
    play.done("A", n=1)
    play.done("B", n=2)
    assert play.last == ["C"]
    assert play.sees("C") == {"a": {"n": 1}, "b": {"n": 2}}
    play.done("D", n=4)
    play.done("C", n=3)
    assert play.sees("J") == {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}, "d": {"n": 4}}


def test_a_step_whose_end_only_counts_down_a_join_is_marked() -> None:
    play = Play(plan_of(parallel(step("A"), sequence(step("B"), step("C"))), step("J")))
    assert {start.state: start.join > 0 for start in play.starts.values()} == {"A": True, "B": False}
    play.all_done("A", "B")
    play.done("C")
    assert {start.state: start.join > 0 for start in play.starts.values()} == {
        "A": True,
        "B": False,
        "C": False,
        "J": False,
    }


def test_the_innermost_write_of_a_namespace_is_the_one_a_step_sees() -> None:
    inner = parallel(sequence(step("B", "w"), step("C", "c"), step("D", conditions=[when("w.n", 2)])), step("X"))
    play = Play(plan_of(step("P", "w"), parallel(sequence(step("A", "w"), inner), step("Y")), step("Z")))
    play.done("P", n=0)
    play.done("A", n=1)
    play.done("B", n=2)
    assert play.sees("B") == {"w": {"n": 1}}
    assert play.sees("C") == {"w": {"n": 2}}
    play.done("C")
    assert play.last == ["D"]


def test_the_digest_of_merged_outputs_tells_what_was_merged() -> None:
    def digest(first: int, second: int) -> str:
        play = Play(plan_of(parallel(step("A", "w"), step("B", "w"), merge="union"), step("Z")))
        play.done("A", n=first)
        play.done("B", n=second)
        return play.state.data["w"].digest

    assert digest(1, 2) == digest(1, 2)
    assert len({digest(1, 2), digest(2, 1), digest(1, 3), digest(3, 2)}) == 4
