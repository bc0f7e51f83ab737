"""Decides what a run's ledger means in the graph: each line becomes rows, in order, and never depends on a clock.

The same lines give the same rows, so that delivering a run again, from any point, changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from zts_core.graph.contents import add_contents
from zts_core.graph.port import Changes
from zts_core.graph.values import LONGEST_TEXT, key, scalar, scalars, text
from zts_core.likeness import words
from zts_core.outbox import UNREADABLE, Pending
from zts_core.ports import LedgerEntry, StepResult
from zts_core.run import Ref, dumps

MOST_EDGES = 200
"""How many steps one step is said to have used, and to have led to, at most: a foreach may have thousands."""

_IN_A_LOOP = re.compile(r"_\d+([.\[]|$)")
"""States inside of loops are recorded as `<prefix>_<iteration>`, alone or before a dot or an item's number."""

_END = ("outcome", "reason", "finished_ms")
_UNENDED = {"ended_ms": None, "error": None}


class Translator:
    """Turns the lines of one run into changes; `memory` is what the run's next lines need."""

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.run = pending.run
        self.changes = Changes()
        memory = json.loads(pending.memory) if pending.memory else {}
        self._steps: list[int] = memory.get("steps", [])
        self._before: list[int] = memory.get("before", [])
        self._decisions: list[str] = memory.get("decisions", [])
        self._open: dict[str, int] = memory.get("open", {})
        self._newest: dict[str, int] = memory.get("newest", {})
        self._source: str = memory.get("source", "")
        self._ended: list[str] = memory.get("ended", [])
        self._ids: dict[int, str] = {}

    @property
    def memory(self) -> str:
        """What settled and was decided since the last wave, what is open, each node's newest step, the last end."""
        return dumps(
            {
                "steps": self._steps,
                "before": self._before,
                "decisions": self._decisions,
                "open": self._open,
                "newest": self._newest,
                **({"source": self._source} if self._source else {}),
                **({"ended": self._ended} if self._ended else {}),
            }
        )

    def add(self, entries: Sequence[LedgerEntry]) -> Changes:
        """The rows of these lines; raises ValueError, KeyError or TypeError for a line that makes no sense."""
        for entry in entries:
            if meaning := _MEANINGS.get(entry.kind):
                meaning(self, entry)
        return self.changes

    # the run

    def begin(self, entry: LedgerEntry) -> None:
        run, idea = self.run, self.pending.idea
        digest = hashlib.sha256(idea.encode("utf-8", "surrogatepass")).hexdigest()
        workflow = self.workflow(run.workflow)
        project = key(" ".join(run.title.split()) or digest)
        self.changes.node("ideas", digest, {"title": text(run.title), "text": text(idea), "words": words(text(idea))})
        self.changes.node("projects", project, {"title": project})
        props = {
            "title": text(run.title),
            "workflow": text(run.workflow),
            "plan": run.plan_digest,
            "created_ms": entry.at_ms,
            "max_steps": run.max_steps,
            "key": text(run.key),
            "values": text(dumps(run.values)),
            "status": "running",
        }
        self.changes.node("runs", run.run_id, props, line=place(entry), idea=digest, project=project, workflow=workflow)
        self.changes.edge("came_from", project, digest)

    def replay(self, entry: LedgerEntry) -> None:
        """The run goes on from the results of an earlier one."""
        source = key(entry.detail["of"])
        props = {"replay_of": source, "replay_from": text(entry.detail["from"])}
        self.changes.node("runs", self.run.run_id, props, line=place(entry))
        self.changes.edge("replays", self.run.run_id, source)
        self._source = source

    def reopen(self, entry: LedgerEntry) -> None:
        """A run that had ended goes on: its newest end is the run's, the earlier ones are told by decisions."""
        outcome, reason = self._ended or (entry.detail["outcome"], "")
        self.changes.node("runs", self.run.run_id, {"status": "running", **dict.fromkeys(_END)}, line=place(entry))
        again = [int(seq) for seq in entry.detail["seqs"]]
        settled = [seq for seq in self._steps if seq not in again]
        self._steps = again or settled
        decision = self.decision(entry, "reopened", f"it had ended as {outcome}: {reason}", outcome=str(outcome))
        for seq in again:
            self.changes.node("steps", self.step_id(seq), {"status": "queued", **_UNENDED}, line=place(entry))
            self.changes.edge("led_to_step", decision, self.step_id(seq))
            self._open[str(seq)] = 0
        self._steps = settled

    def end(self, entry: LedgerEntry) -> None:
        props: dict[str, Any] = {
            "status": "finished",
            "outcome": str(entry.detail["outcome"]),
            "reason": text(entry.detail["reason"]),
            "finished_ms": entry.at_ms,
        }
        self.changes.node("runs", self.run.run_id, props, line=place(entry))
        for seq, attempt in self._open.items():
            self.give_up(entry, int(seq), attempt)
        self._open = {}
        self._ended = [props["outcome"], props["reason"]]

    def give_up(self, entry: LedgerEntry, seq: int, attempt: int) -> None:
        """A run that has ended leaves nothing open: what had not started never will, what was at work was given up."""
        step = self.step_id(seq)
        self.changes.node("steps", step, {"status": "cancelled", "ended_ms": entry.at_ms}, line=place(entry))
        if attempt:
            ended = {"status": "lost", "ended_ms": entry.at_ms}
            self.changes.node("attempts", key(step, attempt), ended, line=place(entry), step=step)

    def pause(self, entry: LedgerEntry) -> None:
        status = "paused" if entry.kind == "paused" else "running"
        self.changes.node("runs", self.run.run_id, {"status": status}, line=place(entry))

    def workflow(self, name: str) -> str:
        """The workflow of this name as this run knows it."""
        workflow = key(name, self.run.plan_digest)
        self.changes.node("workflows", workflow, {"name": text(name), "digest": self.run.plan_digest})
        return workflow

    # steps and attempts

    def start(self, entry: LedgerEntry) -> None:
        seqs: list[int] = list(entry.detail["seqs"])
        for seq in seqs:
            self.begin_step(entry, seq, self.pending.steps[seq], status="queued")
        causes = self._steps or self._before
        for earlier, seq in _pairs(causes, seqs):
            self.changes.edge("next", self.step_id(earlier), self.step_id(seq))
        for decision, seq in _pairs(self._decisions, seqs):
            self.changes.edge("led_to_step", decision, self.step_id(seq))
        self._steps, self._before, self._decisions = [], causes[-MOST_EDGES:], []

    def ask(self, entry: LedgerEntry) -> None:
        self.begin_step(entry, entry.seq, self.pending.steps[entry.seq], status="waiting")
        for earlier in (self._steps or self._before)[-MOST_EDGES:]:
            self.changes.edge("next", self.step_id(earlier), self.step_id(entry.seq))

    def begin_step(self, entry: LedgerEntry, seq: int, static: Mapping[str, Any], *, status: str) -> None:
        step, crew, item = self.step_id(seq), text(static["crew"]), static.get("item")
        props = {
            "run": self.run.run_id,
            "seq": seq,
            "state": text(static["state"]),
            "path": text(static["path"]),
            "crew": crew,
            "status": status,
            "queued_ms": entry.at_ms,
        }
        self._open[str(seq)] = 0
        if item:
            props["item"] = item[2]
        if prompt := static.get("prompt"):
            props["prompt"] = text(prompt)
        self.changes.node("steps", step, props, line=place(entry), run=self.run.run_id, crew=key(crew))
        for used in self.used(static.get("inputs") or {}):
            self.changes.edge("used", step, self.step_id(used))

    def used(self, inputs: Mapping[str, Ref]) -> list[int]:
        """Steps whose outputs a step was given, the newest where there are too many."""
        return sorted({seq for ref in inputs.values() for seq in seqs_of(ref)})[-MOST_EDGES:]

    def step(self, entry: LedgerEntry, **props: Any) -> None:
        self.changes.node("steps", self.step_id(entry.seq), props, line=place(entry))

    def attempt(self, entry: LedgerEntry, **props: Any) -> None:
        number = int(entry.detail["attempt"])
        name = key(self.step_id(entry.seq), number)
        step = self.step_id(entry.seq)
        self.changes.node("attempts", name, {"number": number, **props}, line=place(entry), step=step)

    def begin_attempt(self, entry: LedgerEntry) -> None:
        number = int(entry.detail["attempt"])
        worker = text(entry.detail.get("worker", ""))
        self.step(entry, status="running", started_ms=entry.at_ms, attempts=number)
        self.attempt(entry, status="running", started_ms=entry.at_ms, worker=worker)
        self._open[str(entry.seq)] = number

    def fail_attempt(self, entry: LedgerEntry) -> None:
        error = text(entry.detail.get("error", ""))
        self.step(entry, status="retrying", error=error)
        self.attempt(entry, status="failed", ended_ms=entry.at_ms, error=error, transient=True)
        self._open[str(entry.seq)] = 0

    def lose_attempt(self, entry: LedgerEntry) -> None:
        error = "its worker was lost"
        self.step(entry, status="queued", error=error)
        self.attempt(entry, status="lost", ended_ms=entry.at_ms, error=error)
        self._open[str(entry.seq)] = 0

    def settle(self, entry: LedgerEntry) -> None:
        status = entry.kind.removeprefix("step_")
        ended: dict[str, Any] = {"status": status, "ended_ms": entry.at_ms}
        if error := entry.detail.get("error"):
            ended["error"] = text(error)
        costs = {name: scalar(entry.detail[name]) for name in ("cost", "tokens") if name in entry.detail}
        self.step(entry, **ended, **costs)
        self.settled(entry.seq)
        if status != "done":
            self.attempt(entry, **ended, **costs)
            return
        result = self.pending.results[entry.seq]
        output = dumps(result.output)
        shown = {"output": text(output)} if len(output) <= LONGEST_TEXT else {}
        effect = {"effective": True, "digest": str(entry.detail.get("digest", "")), "output_bytes": len(output)}
        self.attempt(entry, **ended, **costs, **shown, **effect)
        self.take_effect(entry, result)

    def reuse(self, entry: LedgerEntry) -> None:
        """A step of a replay whose effect is an earlier run's: nothing was done, so it has no attempt."""
        static = self.pending.steps[entry.seq]
        origin = key(self._source, entry.detail["origin"])
        self.begin_step(entry, entry.seq, static, status="done")
        self.step(entry, ended_ms=entry.at_ms, reused_from=origin)
        self.changes.edge("reuses", self.step_id(entry.seq), origin)
        self.settled(entry.seq)
        self.take_effect(entry, self.pending.results[entry.seq])

    def take_effect(self, entry: LedgerEntry, result: StepResult) -> None:
        effect = {"namespace": text(result.namespace), "digest": str(entry.detail.get("digest", "")), "effective": True}
        self.step(entry, **effect, **scalars("out_", result.output))
        add_contents(self.changes, self.step_id(entry.seq), result)
        self.supersede(entry)

    def supersede(self, entry: LedgerEntry) -> None:
        """An iteration takes the place of the one before: of the same node and, in a foreach, the same item."""
        static = self.pending.steps[entry.seq]
        item = static.get("item")
        node = f"{static['path']}#{item[2]}" if item else static["path"]
        before = self._newest.get(node, 0)
        if before > entry.seq:
            self.step(entry, effective=False)
            return
        if before and before != entry.seq:
            self.changes.node("steps", self.step_id(before), {"effective": False}, line=place(entry))
        if item is None or _IN_A_LOOP.search(static["state"]):  # items of a foreach outside of loops come once
            self._newest[node] = entry.seq

    def settled(self, seq: int) -> None:
        self._open.pop(str(seq), None)
        self._steps = [*self._steps, seq][-MOST_EDGES:]

    # decisions

    def answer(self, entry: LedgerEntry) -> None:
        approved = bool(entry.detail["approved"])
        by, comment = text(entry.detail.get("by", "")), text(entry.detail.get("comment", ""))
        self.step(entry, status="done" if approved else "failed", ended_ms=entry.at_ms)
        said = f"{'approved' if approved else 'rejected'} by {by}{': ' if comment else ''}{comment}"
        self.settled(entry.seq)
        self.decision(entry, "approval", said, approved=approved, by=by, comment=comment)

    def gate(self, entry: LedgerEntry) -> None:
        self.decision(entry, "gate", entry.detail["why"])

    def pass_gate(self, entry: LedgerEntry) -> None:
        self.decision(entry, "gate", entry.detail["why"], then="pass")

    def stop(self, entry: LedgerEntry) -> None:
        self.decision(entry, "stop", entry.detail["reason"], outcome=str(entry.detail["outcome"]))

    def leave_loop(self, entry: LedgerEntry) -> None:
        self.decision(entry, "break", entry.detail["why"])

    def exhaust_loop(self, entry: LedgerEntry) -> None:
        self.decision(entry, "exhausted", "all its iterations are used")

    def escalate(self, entry: LedgerEntry) -> None:
        to = text(entry.detail["to"])
        decision = self.decision(entry, "escalation", entry.detail["why"], to=to)
        self.changes.edge("escalated_to", decision, self.workflow(to))

    def halt(self, entry: LedgerEntry) -> None:
        self.decision(entry, "halt", entry.detail["reason"], outcome=str(entry.detail["outcome"]))

    def tolerate(self, entry: LedgerEntry) -> None:
        self.decision(entry, "tolerated", entry.detail["why"])

    def decision(self, entry: LedgerEntry, kind: str, reason: object, **props: Any) -> str:
        """A decision, joined to what led to it: its own step, else the steps that have settled since the last wave."""
        decision = key(self.run.run_id, entry.id)
        told = {name: text(entry.detail[name]) for name in ("state", "then") if name in entry.detail}
        common = {"run": self.run.run_id, "kind": kind, "reason": text(reason), "at_ms": entry.at_ms}
        self.changes.node("decisions", decision, {**common, **told, **props}, run=self.run.run_id)
        for seq in [entry.seq] if entry.seq else self._steps or self._before:
            self.changes.edge("led_to_decision", self.step_id(seq), decision)
        self._decisions = [*self._decisions, decision][-MOST_EDGES:]
        return decision

    def refuse(self, entry: LedgerEntry) -> None:
        raise ValueError(entry.detail["error"])

    def step_id(self, seq: int) -> str:
        if seq not in self._ids:
            self._ids[seq] = key(self.run.run_id, seq)
        return self._ids[seq]


_MEANINGS: Mapping[str, Callable[[Translator, LedgerEntry], None]] = {
    "run_created": Translator.begin,
    "run_finished": Translator.end,
    "replayed": Translator.replay,
    "run_reopened": Translator.reopen,
    "paused": Translator.pause,
    "resumed": Translator.pause,
    "wave": Translator.start,
    "approval_asked": Translator.ask,
    "approval_answered": Translator.answer,
    "attempt_started": Translator.begin_attempt,
    "attempt_failed": Translator.fail_attempt,
    "lease_expired": Translator.lose_attempt,
    "step_done": Translator.settle,
    "step_reused": Translator.reuse,
    "step_failed": Translator.settle,
    "step_cancelled": Translator.settle,
    "gate": Translator.gate,
    "gate_passed": Translator.pass_gate,
    "stopping": Translator.stop,
    "loop_left": Translator.leave_loop,
    "loop_exhausted": Translator.exhaust_loop,
    "escalated": Translator.escalate,
    "halted": Translator.halt,
    "failure_tolerated": Translator.tolerate,
    UNREADABLE: Translator.refuse,
}
"""Lines of other kinds (what crews say, messages sent again) tell the graph nothing."""


def place(entry: LedgerEntry) -> int:
    """A line's place in the ledger as one number, in the order of the lines: milliseconds, then 20 bits of number."""
    ms, _, number = entry.id.partition("-")
    return int(ms) << 20 | min(int(number or 0), (1 << 20) - 1)


def seqs_of(ref: Ref) -> Iterator[int]:
    """The steps behind a reference to outputs, newest first, MOST_EDGES of each range at most."""
    if isinstance(ref, int):
        yield ref
    elif "of" in ref:
        for each in ref["of"]:
            yield from seqs_of(each)
    else:
        for first, last in ref.get("items", ()):
            yield from range(last, max(first, last - MOST_EDGES + 1) - 1, -1)


def _pairs(causes: Sequence[Any], seqs: Sequence[int]) -> Iterator[tuple[Any, int]]:
    """Every cause with every step; where those are many, enough to keep all of them joined."""
    if not causes or not seqs:
        return
    if len(causes) * len(seqs) <= MOST_EDGES:
        yield from ((cause, seq) for cause in causes for seq in seqs)
        return
    yield from ((cause, seqs[0]) for cause in causes)
    yield from ((causes[-1], seq) for seq in seqs[1:])
