"""Decides how `zts workflows simulate` reads what is given and tells what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from zts_core.catalogue import find_crew
from zts_core.errors import BadInput
from zts_core.ports import LedgerEntry
from zts_core.settings import read_settings
from zts_core.workflow.closest import suggestion
from zts_core.workflow.model import Step
from zts_core.workflow.plan import Plan
from zts_producer.cli.output import print_json
from zts_producer.library import checked_plan
from zts_producer.narrate import Narrator
from zts_producer.simulation import Given, Simulation, fields_read, simulate, states

_NUMBER = re.compile(r"_\d+$|\[\d+\]$")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulation, and the fields that conditions read and nobody gave."""

    simulation: Simulation
    not_given: tuple[str, ...]


def run_simulation(
    workflow: str,
    pairs: Sequence[tuple[str, Any]],
    *,
    failing: Sequence[str],
    rejected: Sequence[str],
    max_steps: int,
) -> Simulated:
    """Play a workflow with what is given; BadInput where the workflow or what is given does not fit."""
    plan, _ = checked_plan(read_settings(), workflow, max_steps=max_steps)
    known = set(fields_read(plan))
    outputs: dict[str, dict[str, Any]] = {}
    by_state: dict[str, dict[str, dict[str, Any]]] = {}
    for name, value in pairs:
        state, _, path = name.rpartition(":")
        namespace, dot, rest = path.partition(".")
        if not dot or not rest or not namespace:
            raise BadInput(f"{path!r} is no field; write --given namespace.field=value, as in graph.status=generated")
        target = by_state.setdefault(state, {}) if state else outputs
        _put(target.setdefault(namespace, {}), rest, value)
    _must_be_states(plan, [*failing, *rejected, *by_state])
    given = Given(outputs, by_state, frozenset(failing), frozenset(rejected), _namespaces(plan))
    simulation = simulate(plan, given, max_steps=max_steps)
    return Simulated(simulation, tuple(sorted(known - {name.rpartition(":")[2] for name, _ in pairs})))


def print_simulation(found: Simulated, *, as_json: bool) -> None:
    """The waves and decisions in order, then the outcome."""
    simulation = found.simulation
    if as_json:
        print_json({**asdict(simulation), "not_given": list(found.not_given)})
        return
    narrator = Narrator()
    for number, line in enumerate(_told(simulation, narrator), 1):
        click.echo(f"{number:3} {line}")
    if found.not_given:
        click.echo(f"not given, so every comparison with them is false: {', '.join(found.not_given)}")
    click.echo(f"{simulation.outcome} after {simulation.steps} steps: {simulation.reason}")


def _told(simulation: Simulation, narrator: Narrator) -> list[str]:
    entries = [
        LedgerEntry("", 0, event.kind, event.seq, event.detail)
        for event in simulation.events
        if event.kind != "run_finished"
    ]
    return [narrator.tell(entry) for entry in entries]


def _must_be_states(plan: Plan, named: Sequence[str]) -> None:
    """BadInput where a name is no state of the workflow: it would be given to nobody, and the answer be a wrong one."""
    known = set(states(plan))
    for name in named:
        # An iteration has its number at the end, an item of a foreach its place.
        if unknown := [part for part in name.split(".") if part not in known and _NUMBER.sub("", part) not in known]:
            cure = suggestion(
                unknown[0], known, otherwise="name one of " + ", ".join(sorted(filter(str.isupper, known)))
            )
            raise BadInput(f"{plan.root} has no state {name}; {cure}")


def _namespaces(plan: Plan) -> Mapping[str, str]:
    crews = {node.model.crew for node in plan.nodes.values() if isinstance(node.model, Step)}
    return {crew: find_crew(crew).namespace for crew in crews}


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
        if not isinstance(target, dict):
            raise BadInput(f"{path!r} goes into {parent!r}, which was given as a value; give one of the two")
    target[last] = value
