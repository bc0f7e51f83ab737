"""The heart against a naive interpreter of the language: same steps, same sights, same data, same end.

`ZTS_REFERENCE_EXAMPLES=10000` tries more workflows.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.heart.playing import Play, Raw
from tests.unit.heart.random_workflows import Maker, answer, fate
from tests.unit.heart.reference import Reference
from zts_core.advance import SAME_VISITS
from zts_core.decision import Decision
from zts_core.run import Ending, Outcome, Settled, SettledAs
from zts_core.workflow.plan import Plan

seeds = st.integers(0, 2**32 - 1)
orders = st.integers(0, 2**32 - 1).map(random.Random)
many = settings(
    max_examples=int(os.environ.get("ZTS_REFERENCE_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class WatchedPlay(Play):
    """A run whose loop history is kept as a store keeps it: a decision with a third visit is replaced by an end."""

    def __init__(self, plan: Plan, **options: Any) -> None:
        self.seen: Counter[str] = Counter()
        super().__init__(plan, **options)

    def move(self, *settled: Settled, stop: Ending | None = None) -> Decision:
        before = (self.text, self.open.copy(), self.starts.copy(), self.waves[:], self.events[:], self.finish)
        decision = super().move(*settled, stop=stop)
        self.seen.update(decision.visits)
        if all(self.seen[visit] < SAME_VISITS for visit in decision.visits):
            return decision
        self.text, self.open, self.starts, self.waves, self.events, self.finish = before
        return super().move(*settled, stop=Ending(Outcome.HALTED_LOOP, "no progress"))

    def seen_by(self, seq: int) -> str:
        start = self.starts.get(seq)
        return repr(sorted(self.view(start.inputs).items())) if start else "{}"

    def settle_as(self, seed: int, seq: int) -> Settled:
        state = self.open[seq]
        if seq not in self.starts:
            return Settled(seq, SettledAs(answer(seed, state)))
        status, output = fate(seed, state)
        return self.settlement_of(seq, output if status == "done" else SettledAs.FAILED, reason="it failed")


def sight(data: dict[str, Any]) -> str:
    return repr(sorted(data.items()))


def play_both(seed: int, order: random.Random, *, max_steps: int, batches: bool) -> WatchedPlay:
    """One random workflow by the heart and by the reference, compared after every decision."""
    plan = Maker(random.Random(seed)).plan()
    play = WatchedPlay(plan, max_steps=max_steps)
    reference = Reference(plan.root, plan.workflows, max_steps=max_steps)
    while play.open:
        compare_open(play, reference)
        sorted_open = sorted(play.open, key=lambda seq: (play.open[seq], play.seen_by(seq)))
        chosen = order.sample(sorted_open, order.randint(1, len(sorted_open)) if batches else 1)
        answers: dict[int, tuple[str, Raw]] = {}
        for seq in chosen:
            ticket = ticket_of(reference, play, seq, taken=answers)
            asked = reference.open[ticket]
            answers[ticket] = fate(seed, asked.state) if asked.is_step else (answer(seed, asked.state), {})
        play.move(*(play.settle_as(seed, seq) for seq in chosen))
        reference.settle(answers)
    compare_open(play, reference)
    assert play.ended == reference.ended
    # A wave that is refused takes along what empty lists, passed on the way to it, would have left.
    halted = play.ended in ("halted_loop", "halted_step_cap")
    passed = {name for name, value in reference.data.items() if halted and value.get("count") == 0}
    assert sight(without(play.data, passed)) == sight(without(reference.data, passed))
    assert play.state.started == len(reference.started) <= max_steps
    assert not play.state.frames
    return play


def without(data: Raw, names: set[str]) -> Raw:
    return {name: value for name, value in data.items() if name not in names}


def compare_open(play: WatchedPlay, reference: Reference) -> None:
    ours = Counter((state, play.seen_by(seq)) for seq, state in play.open.items())
    theirs = Counter((asked.state, sight(asked.sees) if asked.is_step else "{}") for asked in reference.open.values())
    assert ours == theirs


def ticket_of(reference: Reference, play: WatchedPlay, seq: int, *, taken: Any) -> int:
    """The reference's request for the same state with the same sights. Two that are alike may stand in for each other
    only if they stand at the same place, so among those the one that was asked first is taken."""
    wanted = (play.open[seq], play.seen_by(seq))
    alike = [s for s in sorted(play.open) if (play.open[s], play.seen_by(s)) == wanted]
    tickets = [
        ticket
        for ticket, asked in reference.open.items()
        if (asked.state, sight(asked.sees) if asked.is_step else "{}") == wanted
    ]
    return sorted(tickets)[alike.index(seq)]


@many
@given(seeds, orders)
def test_the_heart_and_the_reference_agree_step_by_step(seed: int, order: random.Random) -> None:
    play_both(seed, order, max_steps=60, batches=False)


@many
@given(seeds, orders)
def test_they_agree_when_several_steps_settle_before_anybody_decides(seed: int, order: random.Random) -> None:
    play_both(seed, order, max_steps=60, batches=True)


@many
@given(seeds, orders, st.integers(0, 12), st.booleans())
def test_they_agree_under_a_low_cap(seed: int, order: random.Random, max_steps: int, batches: bool) -> None:
    play_both(seed, order, max_steps=max_steps, batches=batches)


@many
@given(seeds, st.integers(0, 9), st.integers(0, 9))
def test_the_order_in_which_branches_settle_changes_nothing(seed: int, one: int, other: int) -> None:
    first, second = (
        play_both(seed, random.Random(f"{seed}:{order}"), max_steps=300, batches=order % 2 == 0)
        for order in (one, other)
    )
    assert first.ended == second.ended
    if first.ended != "halted_loop":  # then other branches are stopped wherever they happen to be
        assert sight(first.data) == sight(second.data)
        assert sights_of(first) == sights_of(second)


def sights_of(play: WatchedPlay) -> Counter[tuple[str, str]]:
    return Counter((start.state, play.seen_by(start.seq)) for start in play.starts.values())


@many
@given(seeds, orders, st.integers(1, 20))
def test_no_disorder_or_duplicate_ever_starts_more_than_the_cap(
    seed: int, order: random.Random, max_steps: int
) -> None:
    """Settlements come in any order, again and again, and with numbers that were never given out."""
    play = WatchedPlay(Maker(order).plan(), max_steps=max_steps)
    told: list[Settled] = []
    while play.open:
        fresh = [play.settle_as(seed, seq) for seq in order.sample(sorted(play.open), order.randint(1, len(play.open)))]
        old = order.sample(told, order.randint(0, min(3, len(told))))
        noise = [Settled(order.randint(500, 600), SettledAs.DONE, "a", "x")] * order.randint(0, 1)
        batch = fresh * order.randint(1, 2) + old + noise
        order.shuffle(batch)
        play.move(*batch)
        told += fresh
        assert len(play.starts) == play.state.started <= max_steps
    assert play.finish
    assert len({start.seq for start in play.starts.values()}) == len(play.starts)
