"""Decides what happens to messages on their way: chords and single messages that get lost, doubled, late, reordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.faults import Nemesis
from tests.simulation.kernel import Kernel
from zts_core.decision import Packed
from zts_core.ports import StepMessage

WINDOW = 2
"""Steps of a wave in the broker at once: so few that the small waves of the simulation have a line."""


@dataclass
class Chord:
    """Counts its header down; its body is the watchdog of a run."""

    run_id: str
    left: int


@dataclass(frozen=True)
class Message:
    """A step to run, or (with `seq` 0) a run to look after."""

    run_id: str
    seq: int = 0
    joined: bool = False
    chord: Chord | None = None


class Broker:
    """A StepQueue that behaves as the one on Celery does, over a network that does not."""

    def __init__(self, kernel: Kernel, nemesis: Nemesis) -> None:
        self.kernel = kernel
        self.nemesis = nemesis
        self.chords = False
        """Whether waves are sent as with ZTS_WATCHDOG=chord."""
        self.waiting: list[Message] = []

    def send(self, messages: Sequence[StepMessage]) -> None:
        if not self.chords or len({message.run_id for message in messages}) > 1:
            for message in messages:
                self.put(Message(message.run_id, message.seq))
            return
        alone = len(messages) == 1
        chord = Chord(messages[0].run_id, len(messages))
        for message in messages:
            self.put(Message(message.run_id, message.seq, alone or message.counts_down, chord))

    def pack(self, messages: Sequence[StepMessage]) -> Sequence[Packed]:
        """Nothing: a broker beside the store, where what is recorded has to be sent afterwards, can lose more."""
        return ()

    def depth(self) -> int:
        return len(self.waiting)

    def put(self, message: Message) -> None:
        if self.nemesis.strikes("lose"):
            return
        for _ in range(2 if self.nemesis.strikes("double") else 1):
            late = self.kernel.rng.choice([0.3, 2.0, 15.0]) if self.nemesis.strikes("delay") else 0.0
            self.kernel.after(late, lambda: self._arrive(message))

    def take(self) -> Message | None:
        if not self.waiting:
            return None
        first = self.kernel.rng.randrange(len(self.waiting)) if self.nemesis.strikes("reorder") else 0
        return self.waiting.pop(first)

    def ended(self, message: Message) -> None:
        """A worker is through with a message; the last of a header sends the body."""
        if message.chord is not None:
            message.chord.left -= 1
            if message.chord.left == 0:
                self.put(Message(message.chord.run_id))

    def _arrive(self, message: Message) -> None:
        self.waiting.append(message)
        self.kernel.wake_one()
