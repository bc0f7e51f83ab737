"""Which of an agent's changes stay, and how each way of getting nowhere ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.workshop.scripted import DONE, move
from zts_core.crew import Models
from zts_core.errors import AgentFailed, BudgetExceeded, PermanentError, StepAbandoned, TransientError
from zts_worker.crews.builder_team import ENGINEER
from zts_worker.crews.workshop.improving import MOST_TASKS, REPAIRS, Improved, Proof, Site, Task, improve
from zts_worker.crews.workshop.working import MOST_SHOWN, MOST_TESTS
from zts_worker.testing import ScriptedModels, TestContext

FILES = {"app/a.py": b"one\n", "tests/test_a.py": b"test\n"}
TASK = Task("Say two", "app/a.py says one.")
ROLE = "builder/engineer"


def prove(files: Mapping[str, bytes]) -> Proof:
    """Everything holds but files that say `wrong`; a file that says `test` is a test."""
    troubles = {path: f"{path} is wrong" for path, content in files.items() if b"wrong" in content}
    return Proof(troubles, tests=sum(b"test" in content for content in files.values()))


def improved(models: Models, *tasks: Task, context: TestContext | None = None, files: Any = FILES) -> Improved:
    site = Site(
        ENGINEER,
        is_kept=lambda path: path.startswith("tests/"),
        prove=prove,
        test=lambda files: "1 of 1 tests hold",
        given={"Idea": "i"},
    )
    return improve(models, context or TestContext(), site, files, tasks or (TASK,))


def write(text: str, path: str = "app/a.py") -> dict[str, Any]:
    return move("write", path=path, lines=[text])


def test_a_change_after_which_everything_holds_stays() -> None:
    script = ScriptedModels(
        {ROLE: [move("list"), move("read", path="app/a.py", first_line=1), write("two"), move("test"), DONE]}
    )
    done = improved(script)
    assert done.files["app/a.py"] == b"two\n"
    assert [(item.kept, item.files) for item in done.outcomes] == [(True, ("app/a.py",))]
    memory = script.given(ROLE)[-1]["Moves so far"]
    for told in (
        "1. list (because)",
        "tests/test_a.py (5 bytes, kept)",
        "\none\n",
        "app/a.py replaced",
        "1 of 1 tests",
    ):
        assert told in memory


def test_a_failed_proof_is_told_and_repaired() -> None:
    script = ScriptedModels({ROLE: [write("wrong"), DONE, write("right"), DONE]})
    done = improved(script)
    assert (done.files["app/a.py"], done.outcomes[0].kept) == (b"right\n", True)
    assert "The proof failed" in script.given(ROLE)[2]["Moves so far"]
    assert "app/a.py is wrong" in script.given(ROLE)[2]["Moves so far"]


def test_what_is_never_right_is_left_out_after_a_bounded_number_of_repairs() -> None:
    script = ScriptedModels({ROLE: [step for n in range(9) for step in (write(f"wrong {n}"), DONE)]})
    done = improved(script)
    assert done.files == FILES
    assert done.outcomes[0].reason == "left out: app/a.py is wrong"
    assert len(script.asked) == 2 * (1 + REPAIRS)


def test_an_agent_that_repairs_nothing_gave_up() -> None:
    script = ScriptedModels({ROLE: [write("wrong"), DONE]})
    assert improved(script).files == FILES
    assert len(script.asked) == 3


def test_one_task_that_fails_takes_nothing_from_the_one_before() -> None:
    script = ScriptedModels({ROLE: [write("two"), DONE, write("wrong"), DONE]})
    done = improved(script, TASK, Task("b", ""))
    assert (done.files["app/a.py"], [item.kept for item in done.outcomes]) == (b"two\n", [True, False])


def test_an_agent_that_goes_on_without_end_is_stopped_and_what_holds_stays() -> None:
    script = ScriptedModels({ROLE: [write("two"), move("list")]})
    done = improved(script)
    assert len(script.asked) == ENGINEER.most_calls
    assert done.outcomes[0].kept


def test_tests_are_run_a_bounded_number_of_times() -> None:
    script = ScriptedModels({ROLE: [move("test")]})
    improved(script)
    memory = script.given(ROLE)[-1]["Moves so far"]
    assert "refused: the tests cannot be run again" in memory
    ran = sum("1 of 1 tests hold" in str(given["Moves so far"].rpartition("\n\n")[2]) for given in script.given(ROLE))
    assert ran == MOST_TESTS


def test_moves_that_cannot_be_made_are_refused_and_change_nothing() -> None:
    script = ScriptedModels(
        {ROLE: [write("x", "../x"), write("x", "tests/test_a.py"), write("x", "/etc/passwd"), DONE]}
    )
    done = improved(script)
    assert (done.files, done.outcomes[0].reason) == (FILES, "left out: nothing was changed")
    assert script.given(ROLE)[3]["Moves so far"].count("refused") == 3


def test_a_long_talk_is_remembered_from_its_end() -> None:
    script = ScriptedModels(
        {ROLE: [*[write("y" * 150, f"app/{n}.py") for n in range(9)], move("read", path="app/a.py", first_line=1)]}
    )
    files = {**FILES, "app/a.py": b"line of code\n" * 400}
    improved(script, files=files)
    memory = script.given(ROLE)[-1]["Moves so far"]
    assert len(memory) < MOST_SHOWN + 7000
    assert "earlier moves are no longer shown" in memory


@pytest.mark.parametrize("error", [AgentFailed("gave no valid answer"), AgentFailed("refuses")])
def test_a_model_too_weak_ends_the_work_and_not_the_step(error: AgentFailed) -> None:
    script = ScriptedModels({ROLE: [write("two"), DONE, write("three"), error]})
    done = improved(script, TASK, TASK, TASK)
    assert done.files["app/a.py"] == b"two\n"
    assert [(item.kept, item.reason) for item in done.outcomes] == [
        (True, ""),
        (False, str(error)),
        (False, str(error)),
    ]
    assert len(script.asked) == 4, "nothing more is asked of it"


@pytest.mark.parametrize(
    "error", [TransientError("429"), BudgetExceeded("over"), PermanentError("wrong key"), StepAbandoned("cancelled")]
)
def test_what_the_engine_has_to_know_is_let_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        improved(ScriptedModels({ROLE: [write("two"), error]}))


def test_a_cancel_ends_the_work_between_two_moves() -> None:
    context = TestContext(cancelled=True)
    with pytest.raises(StepAbandoned):
        improved(ScriptedModels({ROLE: [DONE]}), context=context)


def test_no_task_is_begun_without_time_and_no_more_than_a_few() -> None:
    short = improved(ScriptedModels({ROLE: [write("two"), DONE]}), context=TestContext(timeout=20))
    assert (short.files, short.outcomes[0].reason) == (FILES, "no time was left in this step")
    many = improved(ScriptedModels({ROLE: [DONE]}), *[TASK] * (MOST_TASKS + 2))
    assert [item.reason for item in many.outcomes[MOST_TASKS:]] == ["3 tasks at most"] * 2


def test_what_was_wrong_before_is_nobodys_fault_but_has_to_go_where_the_task_is_about_it() -> None:
    files = {**FILES, "app/b.py": b"wrong\n"}
    other = improved(ScriptedModels({ROLE: [write("two"), DONE]}), files=files)
    assert other.outcomes[0].kept
    asked = Task("repair b", "", must_clear="app/b.py")
    assert not improved(ScriptedModels({ROLE: [write("two"), DONE]}), asked, files=files).outcomes[0].kept
    assert improved(ScriptedModels({ROLE: [write("good", "app/b.py"), DONE]}), asked, files=files).outcomes[0].kept


def test_an_agent_that_is_out_of_time_is_asked_no_more_and_what_holds_stays() -> None:
    class Late(TestContext):
        @property
        def seconds_left(self) -> float:
            return 300.0 if len(script.asked) < 2 else 60.0

    script = ScriptedModels({ROLE: [write("two"), move("list")]})
    done = improved(script, TASK, TASK, context=Late())
    assert len(script.asked) == 2
    assert [item.kept for item in done.outcomes] == [True, False]
    assert done.outcomes[1].reason == "no time was left in this step"
