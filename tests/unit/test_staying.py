"""When a worker goes on with a run's next step by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import Clock
from zts_worker import leaving, staying
from zts_worker.staying import Staying


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def of_process(clock: Clock) -> Iterator[Staying]:
    yield Staying(0.1, clock=lambda: clock.now_ms / 1000)
    staying.watch(on=False)
    leaving.stay()


def test_a_crew_that_was_quick_is_gone_on_with(of_process: Staying) -> None:
    of_process.took("quick", 0.001)
    assert of_process.goes_on("quick", until=of_process.begun())


def test_a_crew_nobody_knows_yet_goes_through_the_queue(of_process: Staying) -> None:
    assert not of_process.goes_on("unknown", until=of_process.begun())


def test_a_crew_that_took_long_the_last_time_waits_its_turn(of_process: Staying) -> None:
    of_process.took("slow", 0.001)
    of_process.took("slow", 0.06)
    assert not of_process.goes_on("slow", until=of_process.begun())


def test_after_a_while_others_get_their_turn(of_process: Staying, clock: Clock) -> None:
    of_process.took("quick", 0.001)
    until = of_process.begun()
    clock.advance(0.1)
    assert not of_process.goes_on("quick", until=until)


def test_while_somebody_watches_every_step_goes_through_the_broker(of_process: Staying) -> None:
    of_process.took("quick", 0.001)
    staying.watch(on=True)
    assert not of_process.goes_on("quick", until=of_process.begun())
    staying.watch(on=False)
    assert of_process.goes_on("quick", until=of_process.begun())


def test_a_worker_that_was_told_to_stop_takes_nothing_more(of_process: Staying) -> None:
    of_process.took("quick", 0.001)
    leaving.leave_within(60)
    assert not of_process.goes_on("quick", until=of_process.begun())


def test_without_time_to_stay_every_step_goes_through_the_broker(clock: Clock) -> None:
    never = Staying(0.0, clock=lambda: clock.now_ms / 1000)
    never.took("quick", 0.0)
    assert not never.goes_on("quick", until=never.begun())


def test_in_a_wide_wave_others_get_their_turn_sooner(of_process: Staying, clock: Clock) -> None:
    of_process.took("quick", 0.001)
    until = of_process.begun()
    assert of_process.goes_on("quick", until=until, wide=True)
    clock.advance(0.03)
    assert of_process.goes_on("quick", until=until)
    assert not of_process.goes_on("quick", until=until, wide=True)
