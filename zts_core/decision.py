"""Decides what a decision says: the steps to send, the questions to ask, the ledger lines, the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zts_core.run import Ending, Ref, RunState


@dataclass(frozen=True, slots=True)
class StepStart:
    """A step to record and send. `join`: the frame whose join is all that its end counts down; else 0."""

    seq: int
    state: str
    path: str
    crew: str
    timeout: float
    retry_attempts: int
    values: Mapping[str, Any]
    inputs: Mapping[str, Ref]
    workflow: str
    item: tuple[str, str, int] | None = None
    """In a foreach: the name of the item, the field it comes from, its index (from 0)."""
    join: int = 0
    max_concurrent: int = 0
    """How many steps of its crew may be at work at once, in all runs; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class ApprovalStart:
    """A question to a person. `timeout` in seconds, None to wait until the run's deadline."""

    seq: int
    state: str
    path: str
    prompt: str
    timeout: float | None
    on_timeout: str


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger."""

    kind: str
    seq: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reused:
    """A step whose effect is taken over from an earlier run, where its number was `origin`."""

    start: StepStart
    origin: int
    namespace: str
    output: Mapping[str, Any]
    artifacts: Mapping[str, tuple[str, int]]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """A message as the broker keeps it, for a store that is the broker too and pushes it with the decision."""

    queue: str
    payload: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is next. `visits` are (place, data) pairs for the loop history; `consumed` the settlements it used up."""

    state: RunState
    starts: tuple[StepStart, ...] = ()
    approvals: tuple[ApprovalStart, ...] = ()
    visits: tuple[str, ...] = ()
    consumed: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    closed: tuple[int, ...] = ()
    """Approvals that nobody has to answer any more, because the run is ending."""
    finish: Ending | None = None
    asks_only: bool = False
    """Nothing but approvals is open: the run waits for people and holds no worker."""
    reused: tuple[Reused, ...] = ()
    """In a replay: the effects of an earlier run that stand for steps of this one."""
    push: tuple[Packed, ...] = ()
    """The wave's messages where recording and sending are one step; empty where the wave is sent afterwards."""
    keeps: bool = False
    """Whoever decides works on the first step itself: that one is not sent."""
    window: int = 0
    """How many steps of the wave are sent at once; each that is claimed lets the next one in. 0 for all."""

    @property
    def waits(self) -> bool:
        """Nothing starts and nothing ends: the run waits for what is at work."""
        return not (self.starts or self.approvals or self.finish or self.state.ending)
