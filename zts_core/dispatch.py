"""Decides in which order a decision is recorded and sent: record first, then send.

What was recorded and not sent is found by the reaper, which comes back through `send_again` and `advance_run`: there
is one door into the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from zts_core.advance import advance
from zts_core.crash_points import AFTER_CREATE, AFTER_RECORD, AFTER_SEND, BEFORE_RECORD, reach
from zts_core.decision import Decision
from zts_core.errors import ServiceUnavailable
from zts_core.ports import Created, NewRun, RecordVerdict, RunStore, StepMessage, StepQueue
from zts_core.run import Ending, Outcome, Priority, RunState, RunStatus
from zts_core.workflow.model import Step
from zts_core.workflow.plan import Plan

log = logging.getLogger(__name__)

READ_AGAIN = 100
"""How often one call reads a position that others keep moving before it leaves the run to them."""


WINDOW = 20
"""Steps of one wide wave that wait in the broker at once: enough that workers are never short of them, few enough that
another run's step is not far behind."""


def messages_of(run_id: str, decision: Decision, priority: Priority) -> list[StepMessage]:
    """What the queue needs to know of a decision's wave, but for a step that its decider keeps."""
    return [
        StepMessage(run_id, start.seq, start.state, start.crew, counts_down=start.join > 0, priority=priority)
        for start in decision.starts[decision.keeps :]
    ]


def _meets_the_cap(decision: Decision) -> bool:
    return decision.state.ending is not None and decision.state.ending.outcome is Outcome.HALTED_STEP_CAP


class Dispatcher:
    """Starts runs and moves them on, over one store and one queue."""

    def __init__(self, store: RunStore, queue: StepQueue, *, window: int = WINDOW) -> None:
        """`window`: how many steps of one wave wait in the broker at once."""
        self.store = store
        self.queue = queue
        self.window = window
        self.plan_of = lru_cache(maxsize=128)(store.plan)
        self.priority_of = lru_cache(maxsize=1024)(lambda run_id: store.run(run_id).priority)

    def start_run(self, new: NewRun, plan: Plan) -> Created:
        """Record a run with its first wave, then send it; the same key gives the first run again."""
        decision = replace(advance(plan, RunState(max_steps=new.max_steps)), window=self.window)
        if not new.paused:
            decision = self.packed(new.run_id, decision, new.priority)
        created = self.store.create(new, plan, decision)
        if not (created.existed or new.paused):
            reach(AFTER_CREATE)
            self.send_wave(created.run_id, decision, new.priority)
        return created

    def start_runs(self, news: Sequence[NewRun], plan: Plan) -> Sequence[Created]:
        """The same for several runs of one plan, with the same limits, in one call to the store."""
        if not news:
            return ()
        first = replace(advance(plan, RunState(max_steps=news[0].max_steps)), window=self.window)
        runs = [(new, self.packed(new.run_id, first, new.priority)) for new in news]
        created = self.store.create_many(runs, plan)
        reach(AFTER_CREATE)
        for (new, decision), run in zip(runs, created, strict=True):
            if not run.existed:
                self.send_wave(run.run_id, decision, new.priority)
        return created

    def advance_run(self, run_id: str, *, stop: Ending | None = None) -> Decision | None:
        """Decide on all that has settled; None where there was nothing to decide.

        Whoever comes second finds the position moved, reads again, and does nothing where nothing is left.
        """
        for _ in range(READ_AGAIN):
            position = self.store.position(run_id)
            stop = position.stopping or stop
            if position.status is RunStatus.FINISHED or not (position.settled or stop):
                return None
            decision = advance(self.plan_of(position.plan_digest), position.state, position.settled, stop=stop)
            partly = _meets_the_cap(decision) and len(position.settled) > 1
            if partly:
                # What several settlements lead to may pass the cap together and not one by one.
                position = self.store.position(run_id)
                plan = self.plan_of(position.plan_digest)
                decision = advance(plan, position.state, position.settled[:1], stop=position.stopping or stop)
            decision = self.packed(run_id, decision, position.priority)
            reach(BEFORE_RECORD)
            verdict, place = self.store.record(run_id, decision, version=position.version)
            if verdict is RecordVerdict.RECORDED:
                reach(AFTER_RECORD)
                self.send_wave(run_id, decision, position.priority)
                if not partly:
                    return decision
            if verdict is RecordVerdict.LOOP:
                stop = self.loop_ending(run_id, place, self.plan_of(position.plan_digest))
        log.warning("run %s: others move it on all the time, left to the reaper", run_id)
        return None

    def loop_ending(self, run_id: str, place: str, plan: Plan) -> Ending:
        """The end of a run that goes round without progress, with the cycle as evidence."""
        waves = [entry.detail["states"] for entry in self.store.ledger(run_id) if entry.kind == "wave"]
        model = plan.nodes[place.partition(" ")[0].split("/")[-2]].model
        node = model.state if isinstance(model, Step) else model
        cycle = " → ".join(", ".join(states) for states in waves[-6:])
        reason = f"no progress: {node} was about to start a third time with the same data (last waves: {cycle})"
        return Ending(Outcome.HALTED_LOOP, reason)

    def packed(self, run_id: str, decision: Decision, priority: Priority) -> Decision:
        """The decision with its window and its wave's messages, where the store can push them with it."""
        decision = replace(decision, window=self.window)
        try:
            return replace(decision, push=tuple(self.queue.pack(messages_of(run_id, decision, priority))))
        except ServiceUnavailable:
            return decision

    def send_wave(self, run_id: str, decision: Decision, priority: Priority) -> None:
        """Send what a decision started, unless that was one step with recording it.

        A broker that is away loses nothing: the wave is on record.
        """
        if not decision.push:
            self.send_again(messages_of(run_id, decision, priority)[: decision.window or None])

    def wake(self, *, prune: bool = False) -> None:
        """Send the steps that have got a slot of their crew now: first of all, for they have waited their turn."""
        for run_id, seq in self.store.wake(prune=prune):
            self.send_again([StepMessage(run_id, seq, priority=Priority.HIGH)])

    def send_again(self, messages: Sequence[StepMessage]) -> None:
        """Send steps that the store has on record as queued."""
        if not messages:
            return
        try:
            self.queue.send(self.named(messages))
            reach(AFTER_SEND)
        except ServiceUnavailable as error:
            log.warning("recorded but not sent, the reaper will send it: %s", error)

    def named(self, messages: Sequence[StepMessage]) -> Sequence[StepMessage]:
        """The messages with what people know their steps by; who sends one again knows but its number."""
        unnamed = [message for message in messages if not message.state]
        if not unnamed:
            return messages
        seqs: dict[str, list[int]] = {}
        for message in unnamed:
            seqs.setdefault(message.run_id, []).append(message.seq)
        known = {run_id: self.store.names(run_id, of_run) for run_id, of_run in seqs.items()}
        return [_with_name(message, known.get(message.run_id, {}).get(message.seq)) for message in messages]


def _with_name(message: StepMessage, name: tuple[str, str, int] | None) -> StepMessage:
    if message.state or name is None:
        return message
    state, crew, attempts = name
    return replace(message, state=state, crew=crew, attempts=attempts)
