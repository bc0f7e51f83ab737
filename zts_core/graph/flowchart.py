"""Decides how boxes and arrows become a Mermaid flowchart, each box drawn by what became of it."""

from __future__ import annotations

from zts_core.workflow.mermaid import STYLES, quoted

LOOKS = {**STYLES, "reused": "fill:#efe6fb,stroke:#6a3fb5,color:#33195f"}
"""Besides the looks of a workflow's states: what an earlier run had done."""

_AS = {"cancelled": "skipped", "lost": "failed", "queued": "running", "retrying": "running", "waiting": "running"}
"""Statuses that look like another one."""


class Flowchart:
    """A flowchart from left to right, core syntax only, every label escaped."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lines: list[str] = []
        self._arrows: dict[str, None] = {}
        self._looks: dict[str, list[str]] = {}

    def box(self, key: str, *lines: str, shape: str = "[]", status: str = "") -> None:
        """A box that arrows find by `key`; `shape` is what Mermaid puts around its label."""
        name = self._names[key] = f"n{len(self._names) + 1}"
        half = len(shape) // 2
        self._lines.append(f"  {name}{shape[:half]}{quoted(*filter(None, lines))}{shape[half:]}")
        look = _AS.get(status, status)
        if look in LOOKS:
            self._looks.setdefault(look, []).append(name)

    def arrow(self, source: str, target: str, *, dashed: bool = False) -> None:
        """From box to box, once; nothing where one of them is not drawn."""
        if source in self._names and target in self._names:
            self._arrows[f"  {self._names[source]} {'-.->' if dashed else '-->'} {self._names[target]}"] = None

    def __str__(self) -> str:
        styles = [f"  classDef {look} {LOOKS[look]}" for look in self._looks]
        marks = [f"  class {','.join(names)} {look}" for look, names in self._looks.items()]
        return "\n".join(["flowchart LR", *self._lines, *self._arrows, *styles, *marks])
