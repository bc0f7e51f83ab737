"""Each of the seven workflows takes each of its paths in the pure engine, to the outcome that is due."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from seven_paths import PATHS, Path

from zts_core.catalogue import find_crew
from zts_core.run import Outcome
from zts_core.workflow.library import Library
from zts_core.workflow.model import EscalateTo, Loop, Parallel, Step
from zts_core.workflow.plan import Plan, PlanNode, compile_plan
from zts_producer.simulation import Given, Simulation, simulate

WORKFLOWS = sorted(Library.read().workflows)
HAPPY = {path.workflow: path for path in reversed(PATHS) if path.outcome is Outcome.COMPLETED and not path.route}


@cache
def plan_of(name: str) -> Plan:
    return compile_plan(name, Library.read().workflows)


def played(path: Path, *, failing: frozenset[str] = frozenset(), max_steps: int = 50) -> Simulation:
    plan = plan_of(path.workflow)
    outputs: dict[str, dict[str, object]] = {}
    by_state: dict[str, dict[str, dict[str, object]]] = {}
    for name, value in path.given.items():
        state, _, field = name.rpartition(":")
        namespace, _, rest = field.partition(".")
        (by_state.setdefault(state, {}) if state else outputs).setdefault(namespace, {})[rest] = value
    crews = {node.model.crew for node in plan.nodes.values() if isinstance(node.model, Step)}
    namespaces = {crew: find_crew(crew).namespace for crew in crews}
    return simulate(plan, Given(outputs, by_state, failing, frozenset(), namespaces), max_steps=max_steps)


def named(path: Path) -> str:
    return f"{path.workflow}: {path.what}"


@pytest.mark.parametrize("path", PATHS, ids=named)
def test_a_path_leads_through_its_states_to_its_outcome(path: Path) -> None:
    found = played(path)
    assert ["+".join(wave) for wave in found.waves] == path.waves.split()
    assert (found.outcome, found.route) == (path.outcome, path.workflows)
    assert path.reason in found.reason


def test_there_are_seven() -> None:
    assert len(WORKFLOWS) == 7


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_table_covers_every_gate_escalation_and_way_out_of_a_loop(workflow: str) -> None:
    """Each of them is asked for by the workflow itself, so a new gate without a path is found here."""
    seen = {sign for path in PATHS if workflow in path.workflows for sign in _signs(played(path))}
    missing = set(_asked_for(plan_of(workflow), workflow)) - seen
    assert missing == set()


def _signs(found: Simulation) -> Iterator[str]:
    yield from (f"entered {state.rpartition('.')[2]}" for state in found.path)
    for event in found.events:
        if event.kind == "gate":
            yield f"stopped {event.detail['state'].rpartition('.')[2]}"
        elif event.kind == "loop_left":
            yield f"left {_without_number(event.detail['state'])} by {event.detail['why'].partition(' ')[0]}"
        elif event.kind == "loop_exhausted":
            yield f"exhausted {_without_number(event.detail['state'])}"
        elif event.kind == "escalated":
            yield f"escalated to {event.detail['to']}"


def _asked_for(plan: Plan, workflow: str) -> Iterator[str]:
    for node in plan.nodes.values():
        if node.path.partition(".")[0] != workflow:
            continue
        if isinstance(node.model, Loop):
            yield from _ways_out(node.model)
        elif isinstance(node.model, Step) and not _loops_only_step(plan, node):
            yield f"entered {node.model.state}"
            yield from (f"stopped {node.model.state}" for condition in node.conditions if not _unreached(node))
        for condition in node.conditions:
            if isinstance(condition.on_fail, EscalateTo):
                yield f"escalated to {condition.on_fail.escalate_to}"


def _ways_out(loop: Loop) -> Iterator[str]:
    prefix = loop.loop.state_prefix
    yield f"exhausted {prefix}"
    for condition in loop.loop.break_conditions:
        first = condition if hasattr(condition, "field") else condition.all[0]  # type: ignore[union-attr]
        yield f"left {prefix} by {first.field}"


def _loops_only_step(plan: Plan, node: PlanNode) -> bool:
    parent = plan.nodes.get(node.path.rpartition(".")[0])
    return parent is not None and isinstance(parent.model, Loop) and not parent.model.loop.sequence


def _unreached(node: PlanNode) -> bool:
    """validation_and_launch asks for `validation.passed` at the block's door and again at both children."""
    return node.path.startswith("validation_and_launch.1.")


def _without_number(state: str) -> str:
    return state.rpartition("_")[0]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_step_that_fails_for_good_fails_the_run_wherever_it_stands(workflow: str) -> None:
    path = HAPPY[workflow]
    for state in played(path).path:
        found = played(path, failing=frozenset({state}))
        assert found.outcome is Outcome.FAILED, state
        assert state in found.reason


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_no_step_starts_beyond_the_cap_and_the_halt_says_which_was_next(workflow: str) -> None:
    path = HAPPY[workflow]
    whole = played(path)
    for cap in range(1, whole.steps):
        found = played(path, max_steps=cap)
        assert found.outcome is Outcome.HALTED_STEP_CAP
        assert found.steps <= cap
        assert f"step cap of {cap} reached" in found.reason
    assert played(path, max_steps=whole.steps).outcome is Outcome.COMPLETED


def test_parallel_branches_that_fail_let_the_others_end_first() -> None:
    path = HAPPY["enterprise_workflow"]
    block = next(node for node in plan_of(path.workflow).nodes.values() if isinstance(node.model, Parallel))
    found = played(path, failing=frozenset({"COMPLIANCE_CHECK"}))
    assert len(found.waves[-1]) == len(block.children)
    assert found.outcome is Outcome.FAILED
