"""Decides how a workflow looks as a tree of lines for a terminal."""

from __future__ import annotations

from zts_core.workflow.model import (
    Approval,
    Call,
    Foreach,
    Loop,
    LoopBody,
    Parallel,
    Step,
    Terminal,
    Workflow,
)
from zts_core.workflow.plain_text import one_line
from zts_core.workflow.walk import Placed, placed
from zts_core.workflow.wording import consequence, in_words


def tree(workflow: Workflow) -> list[str]:
    """The workflow as lines: one for each node, those inside it indented, conditions below their node."""
    places = placed(workflow.sequence, f"{workflow.name}/sequence")
    return [workflow.name, *_branches(places)]


def _branches(places: list[Placed]) -> list[str]:
    lines = []
    for index, place in enumerate(places):
        last = index == len(places) - 1
        lines.append(f"{'└─ ' if last else '├─ '}{one_line(_title(place))}")
        rail = "   " if last else "│  "
        inner = [] if _is_one_step_loop(place) else _branches(place.children)
        lines += [f"{rail}{line}" for line in [*map(one_line, _notes(place)), *inner]]
    return lines


def _is_one_step_loop(place: Placed) -> bool:
    return isinstance(place.node, Loop) and not place.node.loop.sequence


def _title(place: Placed) -> str:
    match place.node:
        case Step():
            return f"{place.node.state} · {_work(place.node)}"
        case Terminal():
            return f"{place.node.state}{f': {place.node.reason}' if place.node.reason else ''}"
        case Parallel():
            return f"parallel{f', merge: {place.node.merge}' if place.node.merge else ''}"
        case Loop():
            work = f" · {_work(place.node.loop)}" if _is_one_step_loop(place) else ""
            return f"loop {place.node.loop.state_prefix}, up to {place.node.loop.max_iterations} times{work}"
        case Foreach():
            body = place.node.foreach
            width = f", {body.max_parallel} at a time" if body.max_parallel else ""
            return f"for each {body.as_} in {body.over}{width}"
        case Approval():
            return f"{place.node.approval.state} asks: {place.node.approval.prompt}"
        case Call():
            return f"call {place.node.call.workflow}"
        case _:
            return "sequence"


def _work(step: Step | LoopBody) -> str:
    noun = "retry" if step.retry_attempts == 1 else "retries"
    retries = f", {step.retry_attempts} {noun}" if step.retry_attempts else ""
    tolerant = ", may fail" if step.on_error == "continue" else ""
    return f"{step.crew}, {step.timeout:g} s{retries}{tolerant}"


def _notes(place: Placed) -> list[str]:
    """What stands at a node's door, and at the end of a loop's iteration."""
    notes = [
        f"· if {in_words(condition)}, else {consequence(place.on_fail(condition))}" for condition in place.conditions
    ]
    if isinstance(place.node, Loop):
        body = place.node.loop
        for condition in body.break_conditions:
            then = "" if condition.then == "continue" else f", then {consequence(condition.then)}"
            notes.append(f"· until {in_words(condition)}{then}")
        used_up = "stop as exhausted" if body.on_exhausted == "stop" else consequence(body.on_exhausted)
        notes.append(f"· used up: {used_up}")
    if isinstance(place.node, Approval):
        patience = place.node.approval.timeout
        if patience is not None:
            notes.append(f"· after {patience:g} s: {place.node.approval.on_timeout}")
    return notes
