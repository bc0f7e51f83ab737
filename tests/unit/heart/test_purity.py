"""The heart knows no clock, no network and no framework, and the same arguments give the same decision."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zts_core
from tests.unit.heart.playing import Play, foreach, loop, parallel, plan_of, sequence, step, when
from zts_core.advance import advance
from zts_core.run import RunState, Settled, SettledAs

ADAPTERS = ("redis", "celery", "kombu", "neo4j", "prometheus_client", "yaml")
HEART = ("advance", "position", "merging", "decision", "run")
ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "json",
    "re",
    "typing",
    "zts_core",
}


@pytest.mark.parametrize("module", ["advance", "dispatch", "ports", "crew", "errors", "run", "workflow.plan"])
def test_the_core_can_be_imported_without_any_adapter(module: str) -> None:
    code = f"import sys, zts_core.{module}; print(sorted(set({ADAPTERS!r}) & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("module", HEART)
def test_the_heart_imports_nothing_that_could_tell_the_time_or_reach_outside(module: str) -> None:
    tree = ast.parse((Path(zts_core.__file__).parent / f"{module}.py").read_text())
    imported = {
        (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= ALLOWED
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"open", "print", "input", "exec", "eval", "__import__", "hash", "id"}


def busy_play() -> Play:
    block = parallel(
        sequence(step("A"), step("A2")), loop("L", step("S"), times=3), foreach("p.items", step("F"), max_parallel=2)
    )
    play = Play(plan_of(step("P"), block, step("Z", conditions=[when("s.n", 3)])))
    play.done("P", items=[1, 2, 3])
    play.done("A", n=1)
    play.done("F[1]", n=1)
    play.done("L_1", n=1)
    return play


def test_the_same_arguments_give_the_same_decision() -> None:
    play = busy_play()
    settled = [play.settlement("A2", {"n": 5}), play.settlement("F[2]", {"n": 6})]
    first, second = (advance(play.plan, play.state, settled) for _ in range(2))
    assert first == second


def test_a_decision_does_not_depend_on_earlier_ones_made_from_the_same_position() -> None:
    play = busy_play()
    before = play.text
    advance(play.plan, play.state, [play.settlement("A2", {})])
    assert advance(play.plan, play.state).waits
    assert play.text == before


def test_a_plan_that_was_written_down_decides_the_same() -> None:
    play = busy_play()
    settled = [play.settlement("A2", {"n": 5})]
    again = type(play.plan).from_json(play.plan.to_json())
    assert again.digest == play.plan.digest
    assert advance(again, play.state, settled) == advance(play.plan, play.state, settled)


def test_a_position_holds_only_what_is_active() -> None:
    play = Play(plan_of(loop("L", step("A"), step("B"), times=300)), max_steps=10_000)
    sizes = []
    while play.open:
        play.done(next(iter(play.open.values())), n=len(play.starts))
        sizes.append(len(play.text))
    assert len(sizes) == 600
    assert max(sizes) < min(sizes[1:]) + 100


def test_a_position_survives_texts_of_any_script() -> None:
    play = Play(plan_of(step("A", on_error="continue"), parallel(step("B"), step("C"))))
    play.fail("A", 'наука 🚀 "quoted" \\ \x00 \u2028')
    play.fail("B", "第一")
    assert RunState.from_json(play.text.encode()) == play.state


def test_a_settlement_survives_being_written_down() -> None:
    settled = Settled(7, SettledAs.DONE, "a", "d", {"x.y": [1, None, {"z": 0.5}]}, "наука")
    assert Settled.from_json(settled.to_json().encode()) == settled
