"""Measures the workflow language: loading and checking the shipped workflows, and the heart on 1,000 nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.measuring import Figure, figure, timed
from zts_core.advance import advance
from zts_core.catalogue import find_shape
from zts_core.run import RunState, Settled, SettledAs
from zts_core.workflow.checks import check
from zts_core.workflow.library import Library
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan

NODES = 1_000


def figures() -> Iterator[Figure]:
    """All figures of the language."""
    milliseconds = [1000 * seconds for seconds in timed(_load_and_check_shipped, rounds=10)]
    yield figure("load and check the seven workflows", "ms", milliseconds, note="YAML read, all static checks")
    milliseconds = [1000 * seconds for seconds in timed(_compile_and_check_wide, rounds=10)]
    yield figure(f"compile and check {NODES} nodes", "ms", milliseconds, note="models in memory")
    yield figure("advance() in a plan of 1,000 nodes", "ms", _decisions(), note="one decision, 1,000 in a row")


def _load_and_check_shipped() -> None:
    library = Library.read()
    for workflow in library.workflows.values():
        check(workflow, library.workflows, find_shape, max_steps=50, deadline_s=86_400)


def _long_workflow() -> Workflow:
    steps = [{"state": f"STEP_{number}", "crew": "ValidatorCrew"} for number in range(NODES)]
    return Workflow.model_validate({"name": "long", "sequence": steps})


_LONG = _long_workflow()


def _compile_and_check_wide() -> Plan:
    check(_LONG, {"long": _LONG}, find_shape, max_steps=10_000, deadline_s=None)
    return compile_plan("long", {"long": _LONG})


def _decisions() -> list[float]:
    plan = compile_plan("long", {"long": _LONG})
    decision = advance(plan, RunState(max_steps=10_000))
    found = []
    while not decision.finish:
        settled = Settled(decision.starts[0].seq, SettledAs.DONE, "validation", "0" * 16, {})
        started = time.perf_counter()
        decision = advance(plan, decision.state, [settled])
        found.append(1000 * (time.perf_counter() - started))
    return found
