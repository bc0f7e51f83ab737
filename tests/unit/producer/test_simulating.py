from __future__ import annotations

import pytest

from zts_core.errors import BadInput
from zts_core.run import Outcome
from zts_producer.cli.simulating import Simulated, run_simulation

GOOD = [
    ("validation.confidence", 0.9),
    ("validation.is_technically_feasible", True),
    ("graph.status", "generated"),
    ("build.status", "completed"),
]


def play(*pairs: tuple[str, object], workflow: str = "default_software_build", **more: object) -> Simulated:
    options = {"failing": (), "rejected": (), "max_steps": 50, **more}
    return run_simulation(workflow, pairs, **options)  # type: ignore[arg-type]


def test_the_happy_path_is_walked_wave_by_wave() -> None:
    found = play(*GOOD, ("feedback.approved", True)).simulation
    assert found.outcome is Outcome.COMPLETED
    assert found.waves[3] == ("MARKETING_PREPARATION", "LAUNCH_PREPARATION")
    assert found.steps == 6


def test_a_result_may_be_given_for_one_state_only() -> None:
    found = play(
        *GOOD, ("feedback.rejected", True), ("FEEDBACK_ITERATION_2.FEEDBACK_REVIEW:feedback.approved", True)
    ).simulation
    assert found.path[-2:] == ("FEEDBACK_ITERATION_2.REWORK", "FEEDBACK_ITERATION_2.FEEDBACK_REVIEW")
    assert found.outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    "typo",
    [{"failing": ("TASK_EXECUTON",)}, {"rejected": ("SIGN_OF",)}, {"failing": ("FEEDBACK_ITERATION_1.REVIEW_",)}],
)
def test_a_state_that_the_workflow_does_not_have_is_refused_and_not_passed_over(
    typo: dict[str, tuple[str, ...]],
) -> None:
    with pytest.raises(BadInput, match="has no state") as refused:
        play(*GOOD, **typo)
    assert "TASK_EXECUTION" in str(refused.value)
    with pytest.raises(BadInput, match="did you mean FEEDBACK_REVIEW"):
        play(*GOOD, ("FEEDBACK_ITERATION_2.FEEDBACK_REVEW:feedback.approved", True))


def test_without_an_approval_the_loop_is_exhausted() -> None:
    found = play(*GOOD, ("feedback.approved", False)).simulation
    assert found.outcome is Outcome.EXHAUSTED


def test_fields_nobody_gave_are_named_and_make_comparisons_false() -> None:
    found = play(("validation.confidence", 0.9))
    assert "validation.is_technically_feasible" in found.not_given
    assert "validation.confidence" not in found.not_given
    assert found.simulation.route[:2] == ("default_software_build", "validation_and_launch")


def test_a_failing_state_fails_the_run_and_the_cap_halts_it() -> None:
    assert play(*GOOD, failing=("TASK_EXECUTION",)).simulation.outcome is Outcome.FAILED
    assert play(*GOOD, max_steps=5).simulation.outcome is Outcome.HALTED_STEP_CAP


@pytest.mark.parametrize("name", ["confidence", "validation.", ".x", "STATE:confidence"])
def test_what_is_no_field_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="--given"):
        play((name, 1))
