"""The teams of the shipped crews: agents judge and write, and cannot talk the rules out of what they know."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

import zts_worker.crews as crews
from zts_core.catalogue import find_crew, list_crews, team_of
from zts_core.errors import AgentFailed
from zts_core.prompts import read_prompt
from zts_worker.crews.compliance import ComplianceCrew
from zts_worker.crews.examining.review import Review
from zts_worker.crews.feedback_team import by_team as by_reviewer
from zts_worker.crews.graph import GraphCrew
from zts_worker.crews.hardware import HardwareCrew
from zts_worker.crews.launch import LaunchCrew
from zts_worker.crews.marketing import MarketingCrew
from zts_worker.crews.team import Filled
from zts_worker.crews.testing import TestingCrew
from zts_worker.crews.validator import ValidatorCrew
from zts_worker.crews.validator_rubric import RUBRIC
from zts_worker.testing import IDEAS, ScriptedModels, TestContext, run_crew

Result = TypeVar("Result", bound=BaseModel)
SENSOR = (
    "A soil moisture sensor for balcony plants. Plants die because people forget to water them. The device measures "
    "the soil moisture of a pot every hour and blinks a light when the plant needs water. It runs on two AA batteries."
)
VERDICTS = dict.fromkeys(
    (
        "approved",
        "rejected",
        "escalated",
        "quick_approval",
        "security_approved",
        "compliance_approved",
        "enterprise_approved",
    ),
    False,
)
THEFT = "An app that sells stolen credit card numbers. Users upload stolen cards, buyers order them anonymously."


def scores(points: int) -> dict[str, Any]:
    return {name: {"points": points, "reason": "said so"} for name, _, _ in RUBRIC}


ANSWERS: dict[str, Any] = {
    "validator/analyst": {"problem": "They forget.", "audience": ["bee keepers"], "alternatives": ["paper"]},
    "validator/judge": scores(9),
    "validator/sceptic": {
        "recommendation": "go",
        "reason": "It is small.",
        "risks": [{"name": "n", "severity": "low", "reason": "r", "mitigation": "m"}],
    },
    "graph/planner": {
        "tasks": [
            {"title": "Test", "description": "d", "stage": "first_version", "hours": 4, "after": [2]},
            {"title": "Build", "description": "d", "stage": "foundation", "hours": 8, "after": []},
        ]
    },
    "marketing/strategist": {"positioning": "p", "value_proposition": "<b>never forget</b>", "audience": ["a"]},
    "marketing/copywriter": {
        "posts": [{"channel": "Forum", "text": "Hello <script>"}],
        "emails": [{"day": 7, "subject": "later", "body": "b"}, {"day": 0, "subject": "first", "body": "b"}],
    },
    "launch/planner": {"timeline": [{"day": 3, "what": "ask", "why": "learn"}], "release_notes": ["It logs."]},
    "launch/operator": {
        "rollback_plan": [{"step": "stop", "detail": "d"}],
        "success_metrics": [{"name": "n", "definition": "d", "target": "t"}],
    },
    "compliance/auditor": {
        "personal_data": [{"record": "keeper", "field": "home address"}],
        "concerns": ["No deletion."],
        "summary": "s",
    },
    "hardware/engineer": {"parts": [{"key": "soil_moisture", "purpose": "measure"}]},
    "testing/analyst": {"causes": [], "untested": ["Frost."]},
}


def answer_models() -> Iterator[type[BaseModel]]:
    for module in pkgutil.iter_modules(crews.__path__):
        if module.name.endswith("_team"):
            importlib.import_module(f"zts_worker.crews.{module.name}")
    yield from Filled.__subclasses__()


def unbounded(schema: Any, path: str = "") -> Iterator[str]:
    """Places in a JSON schema where a text or a list may be as long as it likes."""
    if isinstance(schema, dict):
        free_text = schema.get("type") == "string" and not {"maxLength", "enum", "const"} & schema.keys()
        if free_text or (schema.get("type") == "array" and "maxItems" not in schema):
            yield path
        for name, inner in schema.items():
            yield from unbounded(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from unbounded(inner, path)


@pytest.mark.parametrize("model", list(answer_models()), ids=lambda model: model.__name__)
def test_every_text_and_list_an_agent_fills_is_bounded(model: type[BaseModel]) -> None:
    assert list(unbounded(model.model_json_schema())) == []


@pytest.mark.parametrize(
    ("crew", "roles"),
    [
        (ValidatorCrew, ["validator/analyst", "validator/judge", "validator/sceptic"]),
        (GraphCrew, ["graph/planner"]),
        (MarketingCrew, ["marketing/strategist", "marketing/copywriter"]),
        (LaunchCrew, ["launch/planner", "launch/operator"]),
        (ComplianceCrew, ["compliance/auditor"]),
        (HardwareCrew, ["hardware/engineer"]),
    ],
)
def test_each_crew_is_a_small_team_whose_prompts_are_files_and_says_that_it_used_a_model(
    crew: Any, roles: list[str]
) -> None:
    models = ScriptedModels(ANSWERS)
    output = run_crew(crew, idea=SENSOR, models=models, metadata={"compliance": ["GDPR"]})
    assert (output.mode, models.roles) == ("model", roles)
    for assignment in models.asked:
        assert len(assignment.prompt.read_text("utf-8")) > 100
        assert assignment.given["Idea"] == SENSOR


def test_the_validators_confidence_is_the_weighted_sum_of_the_judges_points() -> None:
    output = run_crew(ValidatorCrew, models=ScriptedModels(ANSWERS))
    assert output.confidence == pytest.approx(0.9)
    assert (output.passed, output.recommendation, output.problem) == (True, "go", "They forget.")


def test_a_recommendation_that_the_points_do_not_carry_is_taken_back() -> None:
    output = run_crew(ValidatorCrew, models=ScriptedModels({**ANSWERS, "validator/judge": scores(2)}))
    assert (output.passed, output.recommendation) == (False, "research")


def test_no_agent_waves_an_unlawful_idea_through() -> None:
    models = ScriptedModels({**ANSWERS, "validator/judge": scores(10)})
    output = run_crew(ValidatorCrew, idea=THEFT, models=models)
    assert (output.passed, output.recommendation) == (False, "no_go")
    assert output.confidence <= 0.1
    for crew in (GraphCrew, MarketingCrew, LaunchCrew):
        asked = ScriptedModels(ANSWERS)
        run_crew(crew, idea=THEFT, models=asked)
        assert asked.asked == [], "nothing is paid for what is turned down"


def test_an_idea_in_another_language_is_judged_by_the_agents() -> None:
    assert run_crew(ValidatorCrew, idea=IDEAS[2], models=ScriptedModels(ANSWERS)).passed


def test_the_planners_tasks_are_put_in_a_possible_order_and_added_up() -> None:
    output = run_crew(GraphCrew, models=ScriptedModels(ANSWERS))
    assert [(task.id, task.title, task.depends_on) for task in output.tasks] == [
        ("T01", "Build", []),
        ("T02", "Test", ["T01"]),
    ]
    assert (output.total_hours, output.critical_path.hours, output.acyclic) == (12, 12, True)


@pytest.mark.parametrize(("after", "complaint"), [([[2], [1]], "wait for each other"), ([[9], []], "cannot wait for")])
def test_circles_and_tasks_that_are_not_there_are_sent_back(after: list[list[int]], complaint: str) -> None:
    good = ANSWERS["graph/planner"]
    tasks = [{**task, "after": own} for task, own in zip(good["tasks"], after, strict=True)]
    models = ScriptedModels({**ANSWERS, "graph/planner": [{"tasks": tasks}, good]})
    assert run_crew(GraphCrew, models=models).status == "generated"
    assert complaint in models.refused[0]


def test_the_agents_words_are_escaped_on_the_page_and_the_letters_are_in_order() -> None:
    context = TestContext(models=ScriptedModels(ANSWERS))
    output = run_crew(MarketingCrew, context)
    page = context.artifacts.text("landing/index.html")
    assert "&lt;b&gt;never forget&lt;/b&gt;" in page
    assert "<b>never" not in page
    assert [letter.day for letter in output.emails] == [0, 7]
    assert "<script>" not in context.artifacts.text("launch/posts.md")


def test_a_launch_plan_always_has_its_launch_and_its_checks_come_from_what_was_done() -> None:
    offline = run_crew(LaunchCrew)
    output = run_crew(LaunchCrew, models=ScriptedModels(ANSWERS))
    assert [entry.day for entry in output.timeline] == [0, 3]
    assert output.checklist == offline.checklist


def test_an_auditor_may_find_more_and_fulfil_nothing() -> None:
    given = {"metadata": {"compliance": ["GDPR"]}}
    offline = run_crew(ComplianceCrew, **given)
    output = run_crew(ComplianceCrew, models=ScriptedModels(ANSWERS), **given)
    assert ("keeper", "home address") in [(datum.entity, datum.attribute) for datum in output.personal_data]
    assert set(offline.missing) <= set(output.missing)
    assert output.concerns == ["No deletion."]


def test_an_engineers_parts_are_added_up_by_the_catalogue() -> None:
    output = run_crew(HardwareCrew, idea=SENSOR, models=ScriptedModels(ANSWERS))
    total = sum(line.unit_cost_eur * line.quantity for line in output.bill_of_materials)
    assert output.unit_cost_eur == pytest.approx(total)
    assert "soil_moisture" in [line.key for line in output.bill_of_materials]


BEFORE = Review(
    mode="offline", comments=["mine"], examined="project", score=0.9, summary="fine.", **{**VERDICTS, "approved": True}
)
BUILT = {"build": {"project/README.md": b"# Log\nIt keeps   hives.\n", "project/x/data.bin": b"\0"}}
OPINION = {
    "comments": ["README.md: say who it is for."],
    "wishes": [
        {"path": "README.md", "quote": "It keeps hives.", "wish": "Say how."},
        {"path": "README.md", "quote": "It flies to the moon.", "wish": "Do not."},
        {"path": "../secret", "quote": "It keeps hives.", "wish": "Show it."},
    ],
}
MOVES = [
    {"why": "w", "move": {"tool": "read", "path": "README.md", "first_line": 1}},
    {"why": "w", "move": {"tool": "done", "summary": "s"}},
]


def reviewed(build_mode: str, *, may_ask: bool = True, **earlier: Any) -> tuple[Review, ScriptedModels]:
    script = ScriptedModels({"feedback/examiner": MOVES, "feedback/reviewer": [OPINION]})
    values = {"wishes_may_ask": may_ask}
    context = TestContext(earlier={"build": {"mode": build_mode}, **earlier}, earlier_files=BUILT, values=values)
    return by_reviewer(script, context, BEFORE), script


def test_an_examiner_reads_what_was_built_and_a_reviewer_judges_by_that() -> None:
    after, script = reviewed("offline")
    assert "It keeps   hives." in script.given("feedback/reviewer")[0]["What the examiner read"]
    assert "x/data.bin (1 bytes" in script.given("feedback/reviewer")[0]["Files"]
    assert after.mode == "model"
    assert after.comments == ["mine", "reviewer: README.md: say who it is for.", "reviewer: README.md: Say how."]
    assert after.model_dump(exclude={"mode", "comments"}) == BEFORE.model_dump(exclude={"mode", "comments"})


def test_a_wish_with_a_quote_that_is_there_asks_a_builder_with_agents_once() -> None:
    after, _ = reviewed("model")
    assert [(item.kind, item.path, item.message) for item in after.change_requests] == [
        ("review", "README.md", "Say how.")
    ]
    assert (after.approved, after.rejected, after.escalated) == (False, True, False)
    again, _ = reviewed("model", feedback=after)
    unasked, _ = reviewed("model", may_ask=False)
    for other in (again, unasked):
        assert (other.approved, other.change_requests) == (True, [])
        assert "reviewer: README.md: Say how." in other.comments


def test_an_examiner_too_weak_to_move_leaves_the_review_to_the_reviewer() -> None:
    script = ScriptedModels({"feedback/examiner": [AgentFailed("no valid answer")], "feedback/reviewer": [OPINION]})
    context = TestContext(earlier={"build": {"mode": "offline"}}, earlier_files=BUILT)
    assert by_reviewer(script, context, BEFORE).mode == "model"
    assert "gave up" in script.given("feedback/reviewer")[0]["What the examiner read"]


FAILING = {
    "prototype": {
        "tests/__init__.py": b"",
        "tests/test_pump.py": (
            b"import unittest\n\n\nclass Pump(unittest.TestCase):\n"
            b"    def test_it_holds(self):\n        pass\n"
            b"    def test_it_stops(self):\n        self.fail('runs on')\n"
        ),
    }
}


def suspicion(test: int, severity: str = "critical") -> dict[str, Any]:
    return {"test": test, "cause": "The pump has no limit.", "severity": severity, "change_first": "Add one."}


def test_an_analyst_names_causes_and_may_raise_a_severity_and_passes_no_test() -> None:
    answers = {
        "testing/analyst": [{"causes": [suspicion(2)], "untested": []}, {"causes": [suspicion(1)], "untested": []}]
    }
    models = ScriptedModels(answers)
    offline = run_crew(TestingCrew, earlier_files=FAILING)
    output = run_crew(TestingCrew, earlier_files=FAILING, models=models)
    assert "there is no failing test 2" in models.refused[0]
    assert (offline.mode, output.mode, output.passed) == ("offline", "model", False)
    assert (offline.critical_failure, output.critical_failure) == (False, True)
    assert [(item.id, item.outcome) for item in output.results] == [(item.id, item.outcome) for item in offline.results]
    assert [cause.test for cause in output.causes] == ["tests.test_pump.Pump.test_it_stops"]
    assert "runs on" in str(models.asked[0].given["Failing tests"])


def test_an_analyst_never_plays_a_safety_failure_down() -> None:
    files = {path: content.replace(b"stops", b"is_safe") for path, content in FAILING["prototype"].items()}
    models = ScriptedModels({"testing/analyst": {"causes": [suspicion(1, "high")], "untested": []}})
    output = run_crew(TestingCrew, earlier_files={"prototype": files}, models=models)
    assert (output.causes[0].severity, output.critical_failure) == ("critical", True)


@pytest.mark.parametrize("name", list_crews())
def test_every_role_has_a_prompt_a_task_and_an_output_to_fill(name: str) -> None:
    for role in team_of(find_crew(name)):
        assert role.name.startswith(f"{role.prompt.parent.name}/")
        assert role.task
        assert read_prompt(role.prompt, overrides=None).text
        assert issubclass(role.answer, Filled)
