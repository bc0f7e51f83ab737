"""Decides what a node sees from where it stands: its data, its name, the values around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from zts_core.merging import digest_of
from zts_core.run import Frame, Held, Ref, RunState
from zts_core.workflow.conditions import MISSING
from zts_core.workflow.model import Approval, Call, Foreach, Loop, Step, Terminal
from zts_core.workflow.plan import Kind, Plan, PlanNode


@dataclass(frozen=True, slots=True)
class Position:
    """A plan and a run's place in it; `frame_id` and `slot` name a node's place everywhere below."""

    plan: Plan
    state: RunState

    def kind(self, frame: Frame) -> Kind:
        return self.plan.nodes[frame.path].kind

    def fact(self, field: str, frame_id: int, slot: int) -> Any:
        """The value of a field (`namespace.path`) that conditions read; `MISSING` where nothing produced it."""
        namespace, _, path = field.partition(".")
        held = self.held(namespace, frame_id, slot)
        return MISSING if held is None else held.facts.get(path, MISSING)

    def data_at(self, frame_id: int, slot: int) -> dict[str, Held]:
        """The data a node writes: its branch's own until the join, the run's outside of every parallel block."""
        while (frame := self.state.frames.get(frame_id)) is not None:
            if self.kind(frame) is Kind.PARALLEL:
                return frame.branches.setdefault(slot, {})
            frame_id, slot = frame.parent, frame.slot
        return self.state.data

    def held(self, namespace: str, frame_id: int, slot: int) -> Held | None:
        """What a node sees in a namespace: its own branch first, then the scopes around it."""
        while (frame := self.state.frames.get(frame_id)) is not None:
            if self.kind(frame) is Kind.PARALLEL:
                found = frame.branches.get(slot, {}).get(namespace)
                if found is not None:
                    return found
            frame_id, slot = frame.parent, frame.slot
        return self.state.data.get(namespace)

    def visible(self, frame_id: int, slot: int) -> dict[str, Held]:
        """All namespaces a node sees."""
        layers: list[Mapping[str, Held]] = []
        while (frame := self.state.frames.get(frame_id)) is not None:
            if self.kind(frame) is Kind.PARALLEL:
                layers.append(frame.branches.get(slot, {}))
            frame_id, slot = frame.parent, frame.slot
        merged = dict(self.state.data)
        for layer in reversed(layers):
            merged.update(layer)
        return merged

    def inputs(self, frame_id: int, slot: int) -> dict[str, Ref]:
        return {namespace: held.ref for namespace, held in self.visible(frame_id, slot).items()}

    def chain(self, frame_id: int) -> list[Frame]:
        """The frames around a node, innermost first."""
        found = []
        while (frame := self.state.frames.get(frame_id)) is not None:
            found.append(frame)
            frame_id = frame.parent
        return found

    def label(self, node: PlanNode, parent: int) -> str:
        """The state's name: `<prefix>_<n>` in a loop, with its own name where the loop has several nodes."""
        own = _own_name(node)
        frames = self.chain(parent)
        prefixes = [self.prefix(frame) for frame in reversed(frames) if self.has_prefix(frame)]
        alone = (
            bool(frames)
            and node.kind is Kind.STEP
            and self.plan.nodes[frames[0].path].kind is Kind.LOOP
            and len(self.plan.nodes[frames[0].path].children) == 1
        )
        return ".".join(prefixes if alone else [*prefixes, own])

    def item_label(self, node: PlanNode, parent: int, slot: int) -> str:
        """The state's name, with the item's number from 1 in a foreach."""
        return self.label(node, parent) + (f"[{slot + 1}]" if self.item(parent, slot) else "")

    def has_prefix(self, frame: Frame) -> bool:
        return self.plan.nodes[frame.path].kind in (Kind.LOOP, Kind.CALL)

    def prefix(self, frame: Frame) -> str:
        model = self.plan.nodes[frame.path].model
        if isinstance(model, Loop):
            return f"{model.loop.state_prefix}_{frame.iteration}"
        return cast(Call, model).call.workflow

    def call_values(self, parent: int) -> dict[str, Any]:
        """The `with` values of the calls around a step; an inner call's win."""
        values: dict[str, Any] = {}
        for frame in reversed(self.chain(parent)):
            model = self.plan.nodes[frame.path].model
            if isinstance(model, Call):
                values.update(model.call.with_)
        return values

    def item(self, parent: int, slot: int) -> tuple[str, str, int] | None:
        frame = self.state.frames.get(parent)
        if frame is None or self.plan.nodes[frame.path].kind is not Kind.FOREACH:
            return None
        body = cast(Foreach, self.plan.nodes[frame.path].model).foreach
        return (body.as_, body.over, slot)

    def join_of(self, parent: int) -> int:
        """The frame whose open children a step's end only counts down; 0 where something follows from its end alone."""
        frame = self.state.frames.get(parent)
        if frame is None:
            return 0
        kind = self.plan.nodes[frame.path].kind
        counts_down = kind is Kind.PARALLEL or (kind is Kind.FOREACH and frame.cursor == frame.total)
        return frame.id if counts_down else 0

    def visit(self, node: PlanNode, frame_id: int, slot: int) -> str | None:
        """Place and data of a step inside a loop; None outside, where a run cannot come back to."""
        frames = self.chain(frame_id)
        if not any(self.kind(frame) is Kind.LOOP for frame in frames):
            return None
        place = "/".join([*(frame.path for frame in reversed(frames)), node.path, str(slot)])
        seen = self.visible(frame_id, slot)
        return f"{place} {digest_of(*(f'{name}={seen[name].digest}' for name in sorted(seen)))}"


def _own_name(node: PlanNode) -> str:
    model = node.model
    if isinstance(model, Step | Terminal):
        return model.state
    if isinstance(model, Loop):
        return model.loop.state_prefix
    if isinstance(model, Approval):
        return model.approval.state
    if isinstance(model, Foreach):
        return model.foreach.step.state
    return model.call.workflow if isinstance(model, Call) else node.kind
