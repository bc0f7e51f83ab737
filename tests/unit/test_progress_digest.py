"""What counts as progress of a loop."""

from __future__ import annotations

from zts_core.ports import StepResult
from zts_worker.effects import digest_of_effect


def test_the_time_a_review_took_is_no_progress() -> None:
    first = StepResult("feedback", {"approved": False, "tests": {"passed": 3, "seconds": 1.2}})
    second = StepResult("feedback", {"approved": False, "tests": {"passed": 3, "seconds": 1.9}})
    assert digest_of_effect(first) == digest_of_effect(second)


def test_another_result_is_progress() -> None:
    first = StepResult("feedback", {"tests": [{"passed": 3, "seconds": 1.2}]})
    second = StepResult("feedback", {"tests": [{"passed": 4, "seconds": 1.2}]})
    assert digest_of_effect(first) != digest_of_effect(second)
