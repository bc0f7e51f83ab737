"""What every RunStore must do: keep a chain over an audited run's lines, and drop a run that has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import plan_of, step
from zts_core.audit import AuditTrail, faults
from zts_core.errors import UnknownRun
from zts_core.workflow.plan import Plan


def audited(*nodes: dict[str, object]) -> Plan:
    plan = plan_of(*nodes)
    main = plan.workflows["main"].model_copy(update={"metadata": {"audit": True}})
    return Plan(plan.root, {**plan.workflows, "main": main}, plan.namespaces)


def played(world: World) -> AuditTrail:
    """A run with a step, whose crew said something long, and its end."""
    plan = audited(step("A"))
    world.create(plan)
    world.claimed()
    for length in range(40):
        world.store.say("r1", 1, attempt=1, line="ä" * length + "x" * (3 * length))
    world.settle()
    world.advance(plan)
    return world.store.audit_trail("r1")


def test_every_line_of_an_audited_run_has_its_link(world: World) -> None:
    trail = played(world)
    assert len(trail.chain) == len(trail.lines) == len(world.kinds()) > 40
    assert faults(trail) == []
    assert trail.seal(3) == replace(trail, lines=trail.lines[:3]).seal(3) != trail.seal(4)


def test_a_run_whose_workflow_does_not_ask_for_it_has_no_chain(world: World) -> None:
    world.submit(step("A"))
    assert world.store.audit_trail("r1").chain == ()


@pytest.mark.parametrize("at", [0, 3, -1])
def test_a_line_that_was_changed_removed_or_moved_is_found(world: World, at: int) -> None:
    trail = played(world)
    lines = list(trail.lines)
    changed = [*lines]
    detail = lines[at].detail.replace(":", ": ", 1) + " "
    changed[at] = replace(lines[at], detail=detail, kept=lines[at].kept and f"{lines[at].kept}=")
    assert faults(replace(trail, lines=tuple(changed)))
    removed = [line for line in lines if line is not lines[at]]
    assert any("gone" in fault for fault in faults(replace(trail, lines=tuple(removed))))
    moved = [*lines[1:], lines[0]]
    assert faults(replace(trail, lines=tuple(moved)))
    assert any("added" in fault for fault in faults(replace(trail, lines=(*lines, lines[at]))))


def test_an_output_that_was_changed_or_dropped_is_found(world: World) -> None:
    trail = played(world)
    assert faults(replace(trail, effects={1: "0" * 64})) == ["the output of step 1 is not the one that was committed"]
    assert faults(replace(trail, effects={})) == ["the output of step 1 is gone"]


def test_a_run_that_has_ended_can_be_dropped_and_its_key_used_again(world: World) -> None:
    plan = plan_of(step("A"))
    world.create(plan, key="monday")
    assert not world.store.delete("r1")
    world.claimed()
    world.settle()
    world.advance(plan)
    assert world.store.delete("r1")
    assert not world.store.delete("r1")
    with pytest.raises(UnknownRun):
        world.store.run("r1")
    assert not world.store.runs(limit=9)
    assert world.create(plan, run_id="r2", key="monday") == "r2"
