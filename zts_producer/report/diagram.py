"""Decides how the road a run took is drawn as Mermaid text: every node, coloured by what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zts_core.workflow.plan import Kind
from zts_producer.view import NodeStatus, NodeView

CLASSES = {
    "done": "fill:#d8f3dc,stroke:#2d6a4f,color:#081c15",
    "bad": "fill:#ffd9d9,stroke:#b00020,color:#3b0008",
    "turned": "fill:#fff1c9,stroke:#9a6700,color:#3d2900",
    "busy": "fill:#d6e9ff,stroke:#0b63ce,color:#06264f",
    "unseen": "fill:#f2f2f2,stroke:#9a9a9a,color:#6a6a6a,stroke-dasharray:4 3",
}
CLASS_OF = {
    NodeStatus.DONE: "done",
    NodeStatus.FAILED: "bad",
    NodeStatus.REJECTED: "bad",
    NodeStatus.CANCELLED: "turned",
    NodeStatus.ESCALATED: "turned",
    NodeStatus.SKIPPED: "turned",
    NodeStatus.RUNNING: "busy",
    NodeStatus.QUEUED: "busy",
    NodeStatus.RETRYING: "busy",
    NodeStatus.WAITING: "busy",
    NodeStatus.PENDING: "unseen",
    NodeStatus.NOT_REACHED: "unseen",
}


def mermaid(trees: Sequence[NodeView]) -> str:
    """A flowchart of one tree per workflow the run went through."""
    drawing = _Drawing()
    last: list[str] = []
    for tree in trees:
        first, ends = drawing.draw(tree)
        drawing.link(last, first, dotted=True)
        last = ends
    classes = [f"  classDef {name} {style}" for name, style in CLASSES.items()]
    return "\n".join(["flowchart TD", *drawing.lines, *classes])


@dataclass
class _Drawing:
    """Lines drawn so far; a node gives the ids where arrows enter it and where they leave it."""

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def draw(self, node: NodeView) -> tuple[list[str], list[str]]:
        if not node.children or node.kind is Kind.FOREACH:
            here = self.box(node)
            return [here], [here]
        if node.kind is Kind.PARALLEL:
            ends = [self.draw(child) for child in node.children]
            return [first for enter, _ in ends for first in enter], [last for _, leave in ends for last in leave]
        if node.kind in (Kind.LOOP, Kind.CALL):
            return self.framed(node)
        return self.chain(node)

    def framed(self, node: NodeView) -> tuple[list[str], list[str]]:
        note = f": {node.note}" if node.note else ""
        self.lines.append(f'  subgraph {self.new_id()}["{_label(node.label + note)}"]')
        first, last = self.chain(node)
        if node.kind is Kind.LOOP:
            self.link(last[:1], first[:1], dotted=True)
        self.lines.append("  end")
        return first, last

    def chain(self, node: NodeView) -> tuple[list[str], list[str]]:
        first: list[str] = []
        last: list[str] = []
        for child in node.children:
            enter, leave = self.draw(child)
            first = first or enter
            self.link(last, enter)
            last = leave
        return first, last

    def box(self, node: NodeView) -> str:
        here = self.new_id()
        shape = ("([", "])") if node.kind is Kind.TERMINAL else ("[", "]")
        words = "<br/>".join(_label(line) for line in _words(node))
        self.lines.append(f'  {here}{shape[0]}"{words}"{shape[1]}:::{CLASS_OF[node.status]}')
        return here

    def link(self, sources: Sequence[str], targets: Sequence[str], *, dotted: bool = False) -> None:
        arrow = "-.->" if dotted else "-->"
        self.lines.extend(f"  {source} {arrow} {target}" for source in sources for target in targets)

    def new_id(self) -> str:
        self.count += 1
        return f"n{self.count}"


def _words(node: NodeView) -> Iterator[str]:
    yield node.label
    if node.crew:
        yield node.crew
    times = f", {len(node.steps)} times" if len(node.steps) > 1 else ""
    yield f"{node.status}{times}"


def _label(text: str) -> str:
    """Text inside a quoted label: Mermaid knows characters by their number."""
    return "".join(letter if letter not in '"<>#&;`' else f"#{ord(letter)};" for letter in " ".join(text.split()))
