"""Decides how what a line says of a run, its steps and its attempts is written as rows."""

from __future__ import annotations

from typing import Any

from zts_core.graph.memory import Memory
from zts_core.graph.port import Changes
from zts_core.graph.values import key, text
from zts_core.outbox import Pending
from zts_core.ports import LedgerEntry


class RunRows:
    """The rows of one run's lines, in their order; `line` is the place of the line that is being told."""

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.run = pending.run
        self.changes = Changes()
        self.memory = Memory.from_json(pending.memory)
        self.line = 0
        self._ids: dict[int, str] = {}

    def step_id(self, seq: int) -> str:
        if seq not in self._ids:
            self._ids[seq] = key(self.run.run_id, seq)
        return self._ids[seq]

    def tell_run(self, **props: Any) -> None:
        self.changes.node("runs", self.run.run_id, props, line=self.line)

    def tell_step(self, seq: int, **props: Any) -> None:
        self.changes.node("steps", self.step_id(seq), props, line=self.line)

    def tell_attempt(self, seq: int, number: int, *, begun: bool = False, **props: Any) -> None:
        """`begun` where the line is the attempt's first one."""
        step = self.step_id(seq)
        joined = {"step": step, "begun": True} if begun else {"step": step}
        self.changes.node("attempts", key(step, number), {"number": number, **props}, line=self.line, **joined)

    def tell_workflow(self, name: str) -> str:
        """The workflow of this name as this run knows it; its id."""
        workflow = key(name, self.run.plan_digest)
        self.changes.node("workflows", workflow, {"name": text(name), "digest": self.run.plan_digest})
        return workflow

    def tell_decision(self, entry: LedgerEntry, kind: str, reason: object, **props: Any) -> str:
        """A decision, joined to what led to it: its own step, else the steps that have settled since the last wave."""
        decision = key(self.run.run_id, entry.id)
        told = {name: text(entry.detail[name]) for name in ("state", "then") if name in entry.detail}
        common = {"run": self.run.run_id, "kind": kind, "reason": text(reason), "at_ms": entry.at_ms}
        self.changes.node("decisions", decision, {**common, **told, **props}, run=self.run.run_id)
        for seq in [entry.seq] if entry.seq else self.memory.causes:
            self.changes.edge("led_to_decision", self.step_id(seq), decision)
        self.memory.decided(decision)
        return decision
