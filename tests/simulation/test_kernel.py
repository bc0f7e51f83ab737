"""The simulation's own machinery: the same seed tells the same story, and what goes wrong in an actor is seen."""

from __future__ import annotations

import pytest

from tests.simulation.kernel import Kernel
from tests.simulation.story import Story


def history(seed: int) -> list[object]:
    story = Story(seed)
    story.tell()
    entries = [entry for run in story.store.known.values() for entry in run.ledger]
    return [*entries, *story.crews.calls, sorted(story.nemesis.done.items())]


def test_the_same_seed_tells_the_same_story() -> None:
    assert history(5) == history(5)
    assert history(5) != history(6)


def test_all_kinds_of_faults_happen() -> None:
    done: set[str] = set()
    for seed in range(12):
        story = Story(seed)
        story.tell()
        done |= set(story.nemesis.done)
    assert done == {"kill", "freeze", "slow", "away", "repeat", "lose", "double", "delay", "reorder"}


def test_an_actor_that_fails_fails_the_test_and_not_the_clock() -> None:
    kernel = Kernel(0)
    kernel.start("waits", lambda: kernel.sleep(100))
    kernel.start("parks", kernel.park)
    kernel.start("fails", _fail, after_s=2)
    with pytest.raises(KeyError, match="nothing"):
        kernel.run(until=lambda: False, limit_s=10)
    kernel.close()
    assert kernel.now_s == 1002


def test_time_passes_only_in_the_calendar() -> None:
    kernel = Kernel(0)
    seen: list[float] = []
    for delay in (5.0, 1.0, 3.0):
        kernel.start(f"after {delay}", lambda: seen.append(kernel.now_s), after_s=delay)
    assert kernel.run(until=lambda: len(seen) == 3, limit_s=10)
    assert seen == [1001.0, 1003.0, 1005.0]
    assert not kernel.run(until=lambda: False, limit_s=10)
    kernel.close()


def _fail() -> None:
    raise KeyError("nothing")
