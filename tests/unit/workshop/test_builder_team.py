"""The builder with a model: its agents' work is proved in the sandbox, and never leaves less than the rules make."""

from __future__ import annotations

from typing import Any

from tests.unit.workshop.scripted import DONE, move
from zts_core.errors import AgentFailed
from zts_worker.crews.builder import BuilderCrew
from zts_worker.crews.building.built import Build
from zts_worker.crews.feedback import FeedbackCrew
from zts_worker.testing import ScriptedModels, TestContext, run_crew

IDEA = "A log for bee hives. Bee keepers record inspections. An inspection has a date, notes and a count of frames."
PLAN = {"changes": [{"title": "Say which hive is weak", "detail": "A function weak(frames) in weak.py."}]}
WEAK = {
    "builder/architect": [PLAN],
    "builder/engineer": [AgentFailed("tiny gave no valid answer")],
}


def built(script: ScriptedModels | None = None, **given: Any) -> tuple[Build, dict[str, bytes]]:
    context = TestContext(idea=IDEA, models=script, **given)
    try:
        return run_crew(BuilderCrew, context), context.artifacts.files
    finally:
        context.close()


def test_a_weak_model_leaves_what_the_rules_make_and_the_build_says_so() -> None:
    _, derived = built()
    output, files = built(ScriptedModels(WEAK))
    assert (output.mode, output.status, files) == ("model", "completed", derived)
    (change,) = output.model_changes
    assert (change.title, change.kept, change.reason) == (
        "Say which hive is weak",
        False,
        "tiny gave no valid answer",
    )
    assert {item.by for item in output.files} == {"rules"}
    assert output.tests_passed


def test_agents_add_what_holds_and_what_breaks_the_project_is_left_out() -> None:
    _, derived = built()
    package = next(path.split("/")[1] for path in derived if path.endswith("__main__.py"))
    test = ["import unittest", "", f"from {package}.weak import weak", "", "", "class Weak(unittest.TestCase):"]
    test += ["    def test_few_frames_are_weak(self):", "        self.assertTrue(weak(3))"]
    plan = {
        "changes": [*PLAN["changes"], {"title": "Faster fields", "detail": "d"}, {"title": "Run text", "detail": "d"}]
    }
    moves = [
        move("write", path=f"{package}/weak.py", lines=["def weak(frames: int) -> bool:", "    return frames < 5"]),
        move("write", path="tests/test_weak.py", lines=test),
        move("test"),
        DONE,
        move("write", path=f"{package}/fields.py", lines=["nothing = 1"]),
        *[DONE] * 2,
        move("write", path=f"{package}/run.py", lines=["def run(text):", "    return eval(text)"]),
        DONE,
    ]
    script = ScriptedModels({"builder/architect": [plan], "builder/engineer": moves})
    output, files = built(script)
    assert [(item.title, item.kept) for item in output.model_changes] == [
        ("Say which hive is weak", True),
        ("Faster fields", False),
        ("Run text", False),
    ]
    assert "eval" in output.model_changes[2].reason
    assert {item.path for item in output.files if item.by == "model"} == {f"{package}/weak.py", "tests/test_weak.py"}
    assert {f"project/{item.path}" for item in output.files} == set(files)
    assert files[f"project/{package}/fields.py"] == derived[f"project/{package}/fields.py"]
    told = script.given("builder/engineer")[3]["Moves so far"]
    assert f"{output.tests_passed} of {output.tests_passed} tests hold" in told


def test_an_agent_carries_out_a_reviews_requests_and_the_rules_do_where_it_cannot() -> None:
    first, files = built(values={"plant_fault": "wrong_total"})
    review = run_crew(FeedbackCrew, idea=IDEA, earlier={"build": first}, earlier_files={"build": files})
    assert review.rejected
    package = first.package
    given: dict[str, Any] = {"earlier": {"build": first, "feedback": review}, "earlier_files": {"build": files}}
    mend = move(
        "replace", path=f"{package}/store.py", find=_line(files, package), lines=_line(files, package, mended=True)
    )
    output, after = built(ScriptedModels({"builder/engineer": [mend, DONE]}), **given)
    applied = {item.id: item.action for item in output.change_requests_applied}
    assert set(applied) == {request.id for request in review.change_requests}
    assert "changed by an agent" in applied.values()
    _, derived = built()
    assert after == derived
    by_rules, after = built(ScriptedModels(WEAK), **given)
    assert after == derived
    assert {item.action for item in by_rules.change_requests_applied} == {"derived anew"}


def _line(files: dict[str, bytes], package: str, *, mended: bool = False) -> list[str]:
    text = files[f"project/{package}/store.py"].decode()
    line = next(line for line in text.splitlines() if "total=int(total) + 1" in line)
    return [line.replace("int(total) + 1", "int(total)") if mended else line]
