"""Decides how a workflow looks as a Mermaid flowchart, with the way a run took marked where it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from zts_core.workflow.model import (
    Approval,
    Call,
    EscalateTo,
    Foreach,
    Loop,
    OnExhausted,
    OnFail,
    Parallel,
    Sequence,
    Step,
    Terminal,
    Workflow,
)
from zts_core.workflow.plain_text import cut, one_line
from zts_core.workflow.walk import Placed, placed
from zts_core.workflow.wording import all_in_words, in_words

STYLES: Mapping[str, str] = {
    "done": "fill:#d9f2e3,stroke:#1b7f4b,color:#0b3d24",
    "failed": "fill:#fbdcdc,stroke:#b3261e,color:#5c0f0b",
    "skipped": "fill:#f1f1f1,stroke:#9a9a9a,color:#6b6b6b,stroke-dasharray:4 3",
    "running": "fill:#dbe9fb,stroke:#1f5fae,color:#0c2f5a",
}
"""How a state that has been worked on looks, by what became of it; the later ones weigh more for a loop's state."""

_WEIGHTS = ("skipped", "done", "running", "failed")
_ITERATION = re.compile(r"(.+)_[1-9]\d*\Z")
_ITEM = re.compile(r"\[\d+\]\Z")
_SPECIAL = re.compile(r'["#&<>`;\\|{}\[\]()]')

MAX_LABEL = 160
"""Longest line of a label, in characters."""

Loose = tuple[str, str]
"""An id from which the next node is still to be reached, and what stands at that edge."""


def mermaid(workflow: Workflow, path_taken: Mapping[str, str] | None = None) -> str:
    """The workflow as the text of a Mermaid flowchart (core syntax only, every label escaped).

    `path_taken` says what became of states (`done`, `failed`, `skipped`, `running`) by the name under which the run
    recorded them, such as `FEEDBACK_ITERATION_2.FEEDBACK_REVIEW`; give only those that belong to this workflow.
    """
    chart = _Chart()
    start = chart.node("start", '(("start"))')
    ends = chart.sequence(placed(workflow.sequence, workflow.name), [(start, "")])
    if ends:
        chart.join(ends, chart.end("COMPLETED"))
    beyond = (f"  {node}" for node in chart.outside.values())
    return "\n".join(["flowchart TD", *chart.lines, *beyond, *chart.edges, *chart.marks(path_taken or {}), ""])


@dataclass
class _Chart:
    """A flowchart as it comes, and the ids that states were given. `loops` has the state that each prefix stands for.

    Edges, and nodes outside of the workflow's own, come last: Mermaid draws whatever a subgraph mentions inside it.
    """

    lines: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    loops: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    count: int = 0
    depth: int = 1

    # -- lines

    def say(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)

    def node(self, state: str, shape: str) -> str:
        self.count += 1
        name = f"n{self.count}"
        self.say(f"{name}{shape}")
        if state:
            self.states.setdefault(state, name)
        return name

    def edge(self, source: str, target: str, label: str = "", *, dashed: bool = False) -> None:
        arrow = "-.->" if dashed else "-->"
        self.edges.append(f"  {source} {arrow}|{quoted(label)}| {target}" if label else f"  {source} {arrow} {target}")

    def join(self, loose: list[Loose], target: str) -> None:
        for source, label in loose:
            self.edge(source, target, label)

    def end(self, outcome: str) -> str:
        """The one node of an outcome."""
        return self.beyond(outcome, f"([{quoted(outcome)}])")

    def elsewhere(self, workflow: str) -> str:
        """The one node of a workflow that the run may go on in."""
        return self.beyond(workflow, f"[[{quoted(workflow)}]]")

    def beyond(self, state: str, shape: str) -> str:
        if state not in self.outside:
            self.count += 1
            self.outside[state] = f"n{self.count}{shape}"
            self.states.setdefault(state, f"n{self.count}")
        return self.outside[state].removesuffix(shape)

    def open(self, title: str) -> None:
        self.count += 1
        self.say(f"subgraph s{self.count}[{quoted(title)}]")
        self.depth += 1

    def close(self) -> None:
        self.depth -= 1
        self.say("end")

    # -- nodes: each takes the loose ends before it and gives those after it

    def sequence(self, places: list[Placed], loose: list[Loose]) -> list[Loose]:
        for place in places:
            loose = self.place(place, loose)
        return loose

    def place(self, place: Placed, loose: list[Loose]) -> list[Loose]:
        past: list[Loose] = []
        if place.conditions:
            loose, past = self.door(place, loose)
        return [*self.inside(place, loose), *past]

    def door(self, place: Placed, loose: list[Loose]) -> tuple[list[Loose], list[Loose]]:
        """A diamond at a node's door: the way in, and the way past it where a condition skips."""
        door = self.node("", f"{{{quoted(all_in_words(place.conditions))}}}")
        self.join(loose, door)
        past: list[Loose] = []
        for choice in dict.fromkeys(_key(place.on_fail(condition)) for condition in place.conditions):
            if choice == "skip":
                past.append((door, "no: skip"))
            elif choice == "stop":
                self.edge(door, self.end("REJECTED"), "no")
            else:
                self.edge(door, self.elsewhere(choice), "no", dashed=True)
        return [(door, "yes")], past

    def inside(self, place: Placed, loose: list[Loose]) -> list[Loose]:
        match place.node:
            case Step():
                node = self.node(place.node.state, f"[{quoted(place.node.state, place.node.crew)}]")
            case Terminal():
                self.join(loose, self.end(place.node.state))
                return []
            case Call():
                node = self.node(place.node.call.workflow, f"[[{quoted(place.node.call.workflow)}]]")
            case Approval():
                return self.approval(place.node, loose)
            case Parallel():
                return self.parallel(place, loose)
            case Foreach():
                return self.foreach(place.node, loose)
            case Loop():
                return self.loop(place, place.node, loose)
            case Sequence():
                return self.sequence(place.children, loose)
        self.join(loose, node)
        return [(node, "")]

    def approval(self, node: Approval, loose: list[Loose]) -> list[Loose]:
        body = node.approval
        name = self.node(body.state, f"[/{quoted(body.state, body.prompt)}/]")
        self.join(loose, name)
        self.edge(name, self.end("REJECTED"), "rejected")
        return [(name, "approved")]

    def parallel(self, place: Placed, loose: list[Loose]) -> list[Loose]:
        self.open("at once")
        fork = self.node("", '(("+"))')
        after = [end for child in place.children for end in self.place(child, [(fork, "")])]
        together = self.node("", '(("="))')
        self.join(after, together)
        self.close()
        self.join(loose, fork)
        return [(together, "")] if after else []

    def foreach(self, node: Foreach, loose: list[Loose]) -> list[Loose]:
        body = node.foreach
        width = f", {body.max_parallel} at a time" if body.max_parallel else ""
        self.open(f"for each {body.as_} in {body.over}{width}")
        entry = self.node("", '(("each"))')
        after = self.place(Placed("", body.step, beside=True), [(entry, "")])
        self.close()
        self.join(loose, entry)
        return after

    def loop(self, place: Placed, node: Loop, loose: list[Loose]) -> list[Loose]:
        body = node.loop
        children = place.children
        lone = children[0].node if len(children) == 1 else None
        self.loops[body.state_prefix] = lone.state if isinstance(lone, Step) else body.state_prefix
        self.open(f"{body.state_prefix}: up to {body.max_iterations} times")
        entry = self.node("", '(("again"))')
        inside = self.sequence(place.children, [(entry, "")])
        after: list[Loose] = []
        if inside:
            after = self.breaks(node, entry, inside)
        self.close()
        self.join(loose, entry)
        return after

    def breaks(self, node: Loop, entry: str, inside: list[Loose]) -> list[Loose]:
        """The diamond after an iteration, and the ways out of it."""
        body = node.loop
        after: list[Loose] = []
        several = len(body.break_conditions) > 1
        question = "leave the loop?" if several else all_in_words(body.break_conditions) or "used up?"
        door = self.node("", f"{{{quoted(question)}}}")
        self.join(inside, door)
        self.edge(door, entry, "no")
        for condition in body.break_conditions:
            label = in_words(condition) if several else "yes"
            if condition.then == "continue":
                after.append((door, label))
            else:
                self.edge(door, self.end({"reject": "REJECTED", "fail": "FAILED"}[condition.then]), label)
        used_up = f"used up {body.max_iterations}"
        if body.on_exhausted == "continue":
            after.append((door, used_up))
        elif body.on_exhausted == "stop":
            self.edge(door, self.end("EXHAUSTED"), used_up)
        else:
            self.edge(door, self.elsewhere(_key(body.on_exhausted)), used_up, dashed=True)
        return after

    # -- the way a run took

    def marks(self, path_taken: Mapping[str, str]) -> list[str]:
        found: dict[str, str] = {}
        for recorded, became in path_taken.items():
            state = self.own_state(recorded)
            if state in self.states and became in _WEIGHTS:
                found[state] = max(became, found.get(state, became), key=_WEIGHTS.index)
        styles = [f"  classDef {style} {STYLES[style]}" for style in dict.fromkeys(found.values())]
        return [*styles, *(f"  class {self.states[state]} {became}" for state, became in found.items())]

    def own_state(self, recorded: str) -> str:
        """The state of this workflow that a recorded name belongs to; a called workflow's states are the call's."""
        parts = [_ITEM.sub("", part) for part in recorded.split(".")]
        called = next((part for part in parts if part[:1].islower()), None)
        if called is not None:
            return called
        iteration = _ITERATION.match(parts[-1])
        return self.loops.get(iteration[1], parts[-1]) if iteration else parts[-1]


def _key(choice: OnFail | OnExhausted) -> str:
    return choice.escalate_to if isinstance(choice, EscalateTo) else choice


def quoted(*lines: str) -> str:
    """Lines as a quoted label. Whatever means something to Mermaid or HTML becomes an entity code."""
    return f'"{"<br/>".join(_escaped(line) for line in lines)}"'


def _escaped(line: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", cut(one_line(line), MAX_LABEL))
