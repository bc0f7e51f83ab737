"""Decides what a run consists of: its position, its steps, its outcomes, and how they are written down.

A run's `RunState` is all that the heart needs to decide what is next. It holds only what is active, so its size
follows the width of the workflow at this moment, never the length of the run's history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JsonValue = Any
_REPEATED = re.compile(r"_\d+(?=\.|$)|\[\d+\]")
Ref = int | Mapping[str, Any]
"""Which output a namespace holds: a step's number, `{"merge": policy, "of": [refs]}` or `{"items": [[a, b], ...]}`."""


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    """It reached its end."""
    REJECTED = "rejected"
    """A gate or a person turned it down."""
    EXHAUSTED = "exhausted"
    """A loop used up its iterations."""
    FAILED = "failed"
    """A step failed for good."""
    HALTED_STEP_CAP = "halted_step_cap"
    """The next wave would have passed the step cap."""
    HALTED_LOOP = "halted_loop"
    """It went round without progress."""
    HALTED_BUDGET = "halted_budget"
    """The next call would have passed its budget."""
    TIMED_OUT = "timed_out"
    """It passed its deadline."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """Steps are queued or at work."""
    WAITING = "waiting"
    """Nothing but approvals is open: no worker is held."""
    PAUSED = "paused"
    """No further attempt starts until it is resumed."""
    ENDING = "ending"
    """Its outcome is decided; steps at work are let end."""
    FINISHED = "finished"
    """It has its one outcome."""


class Priority(StrEnum):
    """Which runs' steps workers take first, in this order."""

    HIGH = "high"
    """Before all others."""
    NORMAL = "normal"
    """In the order in which they were sent."""
    LOW = "low"
    """Only when nothing else waits."""


class StepStatus(StrEnum):
    """Where a step stands."""

    QUEUED = "queued"
    """Sent, waiting for a worker."""
    RUNNING = "running"
    """A worker holds its lease."""
    RETRYING = "retrying"
    """Backing off after a transient error; holds no worker."""
    WAITING = "waiting"
    """An approval that nobody has answered yet."""
    DONE = "done"
    """Its effect is committed."""
    FAILED = "failed"
    """It failed for good."""
    CANCELLED = "cancelled"
    """Its run was stopped before it could end."""


class SettledAs(StrEnum):
    """What came of a step, as the heart sees it."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Settled:
    """A step's end. `facts` are the output's fields that the plan's conditions read, by path inside the namespace."""

    seq: int
    status: SettledAs
    namespace: str = ""
    digest: str = ""
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> str:
        return dumps([self.seq, self.status, self.namespace, self.digest, self.facts, self.reason])

    @staticmethod
    def from_json(text: str | bytes) -> Settled:
        seq, status, namespace, digest, facts, reason = json.loads(text)
        return Settled(seq, SettledAs(status), namespace, digest, facts, reason)


@dataclass(frozen=True, slots=True)
class Held:
    """What a namespace holds: where the output is, its digest, and the facts that conditions read."""

    ref: Ref
    digest: str
    facts: Mapping[str, JsonValue]


class SignalKind(StrEnum):
    """What a node tells the node around it when it is left."""

    OK = "ok"
    FAILED = "failed"
    REJECTED = "rejected"
    ESCALATE = "escalate"
    END = "end"


@dataclass(frozen=True, slots=True)
class Signal:
    """How a node was left. `target` is a workflow for ESCALATE and an outcome for END."""

    kind: SignalKind
    reason: str = ""
    target: str = ""


OK = Signal(SignalKind.OK)


@dataclass(slots=True)
class Frame:
    """An active composite node.

    `cursor` is the child at work (sequence, loop) or the next item (foreach); `open` counts children that have not
    settled (parallel, foreach); `first` is the step number of a foreach's item 0; `signals` and `branches` hold what
    children in a slot told and wrote until the join.
    """

    id: int
    path: str
    parent: int
    slot: int
    cursor: int = 0
    iteration: int = 0
    open: int = 0
    total: int = 0
    first: int = 0
    signals: dict[int, Signal] = field(default_factory=dict)
    branches: dict[int, dict[str, Held]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An active step or approval: its node and its place in the frame around it."""

    path: str
    frame: int
    slot: int


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome that is decided before everything at work has settled."""

    outcome: Outcome
    reason: str


@dataclass(slots=True)
class RunState:
    """The position of a run. `seq` is the last step number given out, `started` counts against `max_steps`."""

    max_steps: int
    begun: bool = False
    seq: int = 0
    started: int = 0
    last_frame: int = 0
    route: list[str] = field(default_factory=list)
    data: dict[str, Held] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    ending: Ending | None = None

    def to_json(self) -> str:
        return dumps(
            {
                "cap": self.max_steps,
                "begun": self.begun,
                "seq": self.seq,
                "started": self.started,
                "last_frame": self.last_frame,
                "route": self.route,
                "data": _held_out(self.data),
                "frames": [_frame_out(frame) for frame in self.frames.values()],
                "leaves": [[seq, leaf.path, leaf.frame, leaf.slot] for seq, leaf in self.leaves.items()],
                "ending": [self.ending.outcome, self.ending.reason] if self.ending else None,
            }
        )

    @staticmethod
    def from_json(text: str | bytes) -> RunState:
        raw = json.loads(text)
        frames = [_frame_in(entry) for entry in raw["frames"]]
        return RunState(
            max_steps=raw["cap"],
            begun=raw["begun"],
            seq=raw["seq"],
            started=raw["started"],
            last_frame=raw["last_frame"],
            route=raw["route"],
            data=_held_in(raw["data"]),
            frames={frame.id: frame for frame in frames},
            leaves={seq: Leaf(path, frame, slot) for seq, path, frame, slot in raw["leaves"]},
            ending=Ending(Outcome(raw["ending"][0]), raw["ending"][1]) if raw["ending"] else None,
        )


# Made once: `json.dumps` makes one for each call whose options are not its defaults.
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def family_of(state: str) -> str:
    """A state's name without the number of a loop's iteration or of an item."""
    return _REPEATED.sub(lambda found: "_n" if found[0].startswith("_") else "[n]", state)


def dumps(value: JsonValue) -> str:
    """Compact JSON, the one form in which this project writes data down."""
    return _compact.encode(value)


def _held_out(data: Mapping[str, Held]) -> dict[str, list[JsonValue]]:
    return {namespace: [held.ref, held.digest, held.facts] for namespace, held in data.items()}


def _held_in(raw: Mapping[str, list[JsonValue]]) -> dict[str, Held]:
    return {namespace: Held(*entry) for namespace, entry in raw.items()}


_FRAME_NUMBERS = ("id", "parent", "slot", "cursor", "iteration", "open", "total", "first")


def _frame_out(frame: Frame) -> dict[str, JsonValue]:
    raw: dict[str, JsonValue] = {name: value for name in _FRAME_NUMBERS if (value := getattr(frame, name))}
    raw["path"] = frame.path
    if frame.signals:
        raw["signals"] = {slot: [told.kind, told.reason, told.target] for slot, told in frame.signals.items()}
    if frame.branches:
        raw["branches"] = {slot: _held_out(data) for slot, data in frame.branches.items()}
    return raw


def _frame_in(raw: dict[str, JsonValue]) -> Frame:
    numbers = {name: raw.get(name, 0) for name in _FRAME_NUMBERS}
    frame = Frame(path=raw["path"], **numbers)
    for slot, (kind, reason, target) in raw.get("signals", {}).items():
        frame.signals[int(slot)] = Signal(SignalKind(kind), reason, target)
    for slot, data in raw.get("branches", {}).items():
        frame.branches[int(slot)] = _held_in(data)
    return frame
