"""Decides where an error of pydantic points: its location in models, turned into a place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from zts_core.workflow import model
from zts_core.workflow.model import Workflow
from zts_core.workflow.spots import Spot, extend

_BODIES: Mapping[str, type[BaseModel]] = {
    "loop": model.LoopBody,
    "foreach": model.ForeachBody,
    "approval": model.ApprovalBody,
    "call": model.CallBody,
    "step": model.Step,
    "on_fail": model.EscalateTo,
    "on_exhausted": model.EscalateTo,
}


class Place:
    """Where a detail points: the node path, the spot there (or nearest), and the model that was expected."""

    def __init__(self, location: Sequence[str | int], raw: Any, spot: Spot, label: str) -> None:
        self.path = label
        self.spot = spot
        self.key = ""
        self.model: type[BaseModel] = Workflow
        self.data: Any = raw
        for part in location:
            self.step(part)

    def step(self, part: str | int) -> None:
        """One part of pydantic's location: a member of the data, or the name of the alternative it tried."""
        inner = self.spot.child(part)
        if inner is None:
            found = getattr(model, part, None) if isinstance(part, str) and part[:1].isupper() else None
            if isinstance(found, type) and issubclass(found, BaseModel):
                self.model = found
            return
        self.path = extend(self.path, part)
        self.spot = inner
        self.data = self.data[part]
        if isinstance(part, str):
            self.key = part
            self.model = _BODIES.get(part, self.model)
