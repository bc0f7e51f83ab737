"""The prototype with a model: what its agents add compiles, is tested, and never leaves less than the rules make."""

from __future__ import annotations

from typing import Any

from tests.unit.workshop.scripted import DONE, move
from zts_core.errors import AgentFailed
from zts_worker.crews.hardware import HardwareCrew
from zts_worker.crews.prototype import Prototype, PrototypeCrew
from zts_worker.testing import ScriptedModels, TestContext, run_crew

IDEA = (
    "A smart plant pot with a soil moisture sensor and a small pump that waters the plant when the moisture is below "
    "30 percent. It is USB powered."
)
PLAN = {"changes": [{"title": title, "detail": "d"} for title in ("Say when it is dry", "Never rest")]}


def made(script: ScriptedModels | None = None) -> tuple[Prototype, dict[str, bytes]]:
    design = run_crew(HardwareCrew, idea=IDEA)
    context = TestContext(idea=IDEA, models=script, earlier={"design": design})
    try:
        return run_crew(PrototypeCrew, context), context.artifacts.files
    finally:
        context.close()


def write(path: str, *lines: str) -> dict[str, Any]:
    return move("write", path=path, lines=list(lines))


def test_agents_extend_the_simulation_and_what_breaks_it_is_left_out() -> None:
    _, derived = made()
    test = ("import unittest", "from simulation.dry import dry", "class Dry(unittest.TestCase):")
    test += ("    def test_ten_percent_is_dry(self):", "        self.assertTrue(dry(10))")
    moves = [
        write("simulation/dry.py", "def dry(moisture: float) -> bool:", "    return moisture < 30"),
        write("tests/test_dry.py", *test),
        write("wiring.json", "{}"),
        DONE,
        write("firmware/control.c", "int nothing;"),
        DONE,
    ]
    script = ScriptedModels({"prototype/architect": [PLAN], "prototype/engineer": moves})
    output, files = made(script)
    assert (output.mode, output.ready) == ("model", True)
    assert [(item.title, item.kept) for item in output.model_changes] == [
        ("Say when it is dry", True),
        ("Never rest", False),
    ]
    assert output.made_by_model == ["simulation/dry.py", "tests/test_dry.py"]
    assert {path for path in files if files[path] != derived.get(path)} == {
        "prototype/simulation/dry.py",
        "prototype/tests/test_dry.py",
    }
    assert "wiring.json is kept" in script.given("prototype/engineer")[3]["Moves so far"]


def test_a_weak_model_leaves_the_derived_prototype() -> None:
    _, derived = made()
    output, files = made(ScriptedModels({"prototype/architect": [AgentFailed("no valid answer")]}))
    assert (files, output.ready, output.model_changes[0].reason) == (derived, True, "no valid answer")
