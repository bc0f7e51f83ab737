"""What a command that follows a run says of outages, of old pauses, and of steps that failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.producer.producer_world import IDEA, World
from zts_core.errors import ServiceUnavailable
from zts_core.ports import DeadLetter, LedgerEntry
from zts_producer.cli import following
from zts_producer.cli.dead_letters import told
from zts_producer.cli.following import PlainWatcher
from zts_producer.narrate import Narrator
from zts_producer.outage import OUTAGE_S, Outage

AWAY = ServiceUnavailable("Redis at h does not answer: refused; start it, or correct REDIS_URL")


def outage(said: list[str], *times: float) -> Outage:
    ticks: Iterator[float] = iter(times)
    return Outage(said.append, clock=lambda: next(ticks))


def test_an_outage_that_lasts_is_told_once_and_so_is_its_end() -> None:
    said: list[str] = []
    seen = outage(said, 0.0, 1.0, 2.5, 3.0)
    assert [seen.may_go_on(AWAY) for _ in range(4)] == [True] * 4
    seen.is_over()
    assert [line.partition(";")[0] for line in said] == [
        "Redis at h does not answer: refused",
        "Redis answers again",
    ]


def test_an_outage_of_a_moment_is_not_worth_a_word_and_an_endless_one_is_given_up() -> None:
    said: list[str] = []
    seen = outage(said, 0.0, 100.0, 100.0 + OUTAGE_S, 101.0 + OUTAGE_S)
    assert seen.may_go_on(AWAY)
    seen.is_over()
    assert said == []
    assert [seen.may_go_on(AWAY) for _ in range(3)] == [True, True, False]


def test_what_a_person_could_have_done_about_an_old_pause_is_not_said_of_a_run_that_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(following, "notice", said.append)
    world = World(tmp_path)
    with world.client as client:
        record = client.submit(IDEA, "just_the_build")
        client.pause(record.run_id)
        client.resume(record.run_id)
        client.cancel(record.run_id)
        following._look_until_over(client, record.run_id, PlainWatcher())
    assert said == []


def entry(kind: str, **detail: Any) -> LedgerEntry:
    return LedgerEntry("1-0", 0, kind, 1, detail)


def test_a_failure_names_its_state_once() -> None:
    narrator = Narrator()
    narrator.tell(LedgerEntry("0-0", 0, "wave", 0, {"seqs": [1], "states": ["F"]}))
    assert narrator.tell(entry("step_failed", error="F failed: broken")) == "F failed: broken"
    assert narrator.tell(entry("step_failed", error="F failed after 2 tries: busy")) == "F failed after 2 tries: busy"
    assert narrator.tell(entry("step_failed", error="its worker died 4 times")) == "F failed: its worker died 4 times"


def test_a_step_that_failed_for_good_is_shown_with_its_traceback_line_by_line() -> None:
    letter = DeadLetter(
        "r1", 1, "F", "FailCrew", 0, 1, 1, 0, "F failed: broken", 'Traceback:\n  File "x"\x1b[2J\n', {"stack": "flask"},
        history=(entry("step_failed", error="F failed: broken"),),
    )  # fmt: skip
    lines = list(told(letter))
    assert lines[0] == "r1 F, FailCrew: 1 attempt"
    assert 'with: {"stack": "flask"}' in lines
    assert lines[-2:] == ["  Traceback:", '    File "x" [2J']
    assert lines[3].endswith("F failed: broken")
