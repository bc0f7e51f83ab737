"""Decides whether a workflow may be run: every static check, with the place of each complaint where it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from zts_core.workflow import codes
from zts_core.workflow.check_data import check_data
from zts_core.workflow.check_names import check_names
from zts_core.workflow.check_structure import check_structure
from zts_core.workflow.model import Approval, Step, Workflow
from zts_core.workflow.plan import targets_of
from zts_core.workflow.problems import Problem
from zts_core.workflow.spans import Spans
from zts_core.workflow.spots import line_of
from zts_core.workflow.walk import Placed, Places
from zts_core.workflow.writes import ShapeOf, WriteTable

MAX_STEPS = 50
"""The step cap where nobody names another."""


class Shelf(Protocol):
    """Workflows with the file and the lines each comes from, such as a `Library`."""

    @property
    def workflows(self) -> Mapping[str, Workflow]:
        """All workflows by name."""

    def file(self, name: str) -> str:
        """The file that defines a workflow, empty where it is unknown."""

    def lines(self, name: str) -> Mapping[str, int]:
        """The line of each node path in that file."""


def check(
    workflow: Workflow,
    library: Mapping[str, Workflow],
    shapes: ShapeOf,
    *,
    max_steps: int = MAX_STEPS,
    deadline_s: float | None = None,
    file: str = "",
    lines: Mapping[str, int] | None = None,
) -> tuple[Problem, ...]:
    """All errors and warnings of one workflow, from top to bottom.

    `library` holds the workflows that it may call or escalate into, and those that lead into it; `shapes` gives a
    crew's shape by name, None or a `BadInput` where there is no such crew. `lines` are the lines of node paths.
    """
    name = workflow.name
    places = Places({**library, name: workflow})
    table = WriteTable(places, shapes)
    spans = Spans(table)
    found = [
        *_crews(places.all(name), table),
        *check_names(name, places),
        *check_data(name, table),
        *check_structure(name, table, spans),
        *_limits(name, spans, max_steps, deadline_s),
    ]
    if deadline_s is None:
        found += _endless_waits(places.all(name))
    where = lines or {}
    located = [replace(problem, file=file, line=line_of(where, problem.path)) for problem in found]
    return tuple(sorted(located, key=lambda problem: problem.line)) if where else tuple(located)


def check_reachable(
    root: str,
    library: Shelf,
    shapes: ShapeOf,
    *,
    max_steps: int = MAX_STEPS,
    deadline_s: float | None = None,
) -> tuple[Problem, ...]:
    """The problems of a workflow and of every workflow it can call or escalate into: what a submit looks at."""
    found: list[Problem] = []
    pending, seen = [root], {root}
    while pending:
        name = pending.pop(0)
        workflow = library.workflows[name]
        found += check(
            workflow,
            library.workflows,
            shapes,
            max_steps=max_steps,
            deadline_s=deadline_s,
            file=library.file(name),
            lines=library.lines(name),
        )
        targets = sorted(targets_of(workflow) & library.workflows.keys() - seen)
        seen.update(targets)
        pending += targets
    return tuple(found)


def _crews(places: list[Placed], table: WriteTable) -> Iterator[Problem]:
    for place in places:
        if isinstance(place.node, Step) and table.crew(place.node.crew) is None:
            name = place.node.crew
            message, _, cure = table.broken.get(name, f"no crew is called {name}").partition("; ")
            cure = cure or "name an announced crew, or one by package.module:Class"
            yield codes.UNKNOWN_CREW.at(f"{place.path}/crew", message, cure)


def _limits(name: str, spans: Spans, max_steps: int, deadline_s: float | None) -> Iterator[Problem]:
    whole = spans.of_workflow(name).either
    if whole.is_met and whole.fewest > max_steps:
        message = f"even the shortest path takes {whole.fewest} steps, and a run may start {max_steps}"
        yield codes.OVER_STEP_CAP.at(name, message, "raise --max-steps, or split the workflow")
    elif whole.most > max_steps:
        message = f"the longest path takes {whole.most} steps, and a run may start {max_steps}"
        yield codes.MAY_PASS_STEP_CAP.at(name, message, "raise --max-steps, or allow fewer iterations")
    if deadline_s is not None and whole.seconds > deadline_s:
        message = (
            f"the time-outs on the longest path add up to {whole.seconds:g} s, past the deadline of {deadline_s:g} s"
        )
        yield codes.OVER_DEADLINE.at(name, message, "shorten the time-outs, or allow the run more time")


def _endless_waits(places: list[Placed]) -> Iterator[Problem]:
    for place in places:
        if isinstance(place.node, Approval) and place.node.approval.timeout is None:
            message = "nobody may ever answer, and the run has no deadline"
            yield codes.ENDLESS_WAIT.at(f"{place.path}/approval", message, "give the approval a `timeout`")
