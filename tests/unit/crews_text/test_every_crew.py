"""What holds for every crew of this folder, whatever it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from zts_core.crew import StepContext
from zts_worker.crews.compliance import ComplianceCrew
from zts_worker.crews.graph import GraphCrew
from zts_worker.crews.hardware import HardwareCrew
from zts_worker.crews.launch import LaunchCrew
from zts_worker.crews.marketing import MarketingCrew
from zts_worker.crews.validator import ValidatorCrew

from .context import FakeContext
from .ideas import FOREIGN, ILLEGAL, SAMPLES, UNREADABLE, example_texts

CREWS: tuple[Any, ...] = (ValidatorCrew, GraphCrew, MarketingCrew, LaunchCrew, ComplianceCrew, HardwareCrew)
FIELDS: dict[Any, dict[str, type]] = {
    ValidatorCrew: {
        "confidence": float,
        "passed": bool,
        "is_technically_feasible": bool,
        "compliance_ready": bool,
        "security_approved": bool,
    },
    GraphCrew: {"status": str, "tasks": list},
    MarketingCrew: {"ready": bool},
    LaunchCrew: {"ready": bool},
    ComplianceCrew: {"passed": bool},
    HardwareCrew: {"approved": bool},
}
NAMESPACES = {
    ValidatorCrew: "validation",
    GraphCrew: "graph",
    MarketingCrew: "marketing",
    LaunchCrew: "launch",
    ComplianceCrew: "compliance",
    HardwareCrew: "design",
}
FRAMEWORKS = {"compliance": ["GDPR", "CCPA", "SOC2", "HIPAA"]}
TEXTS = {
    **example_texts(),
    **{sample.name: sample.text for sample in SAMPLES},
    **{f"unreadable {at}": text for at, text in enumerate(UNREADABLE)},
    **{f"illegal {at}": text for at, text in enumerate(ILLEGAL)},
    **FOREIGN,
}


def _run(crew: Any, text: str, folder: Path) -> tuple[Any, FakeContext]:
    context = FakeContext(text, folder, metadata=FRAMEWORKS)
    return crew().run(context), context


@pytest.mark.parametrize("crew", CREWS)
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_idea_gets_an_answer_that_conforms_and_goes_through_json(crew: Any, name: str, tmp_path: Path) -> None:
    output, context = _run(crew, TEXTS[name], tmp_path)
    assert isinstance(output, crew.Output)
    plain = json.loads(json.dumps(output.model_dump(mode="json")))
    assert crew.Output.model_validate(plain) == output
    assert plain["mode"] == "offline"
    assert sorted(plain.get("files", context.artifacts.files)) == sorted(context.artifacts.files)


@pytest.mark.parametrize("crew", CREWS)
def test_every_crew_has_its_namespace_and_the_fields_that_workflows_read(crew: Any, tmp_path: Path) -> None:
    output, _ = _run(crew, TEXTS["bee_hive_log"], tmp_path)
    assert crew.namespace == NAMESPACES[crew]
    assert crew.name == crew.__name__
    for field, kind in FIELDS[crew].items():
        assert isinstance(getattr(output, field), kind)


@pytest.mark.parametrize("crew", CREWS)
def test_the_same_idea_gets_the_same_answer_and_files(crew: Any, tmp_path: Path) -> None:
    one, first = _run(crew, TEXTS["tool_lending"], tmp_path)
    other, second = _run(crew, TEXTS["tool_lending"], tmp_path)
    assert one == other
    assert first.artifacts.files == second.artifacts.files


@pytest.mark.parametrize("crew", CREWS)
def test_an_output_cannot_be_changed_and_says_what_was_not_judged(crew: Any, tmp_path: Path) -> None:
    output, _ = _run(crew, TEXTS["plant_moisture_sensor"], tmp_path)
    assert output.not_judged
    with pytest.raises(ValidationError):
        output.mode = "model"


@pytest.mark.parametrize("crew", [crew for crew in CREWS if crew is not ComplianceCrew])
def test_what_is_illegal_is_helped_by_no_crew(crew: Any, tmp_path: Path) -> None:
    for text in ILLEGAL:
        output, context = _run(crew, text, tmp_path)
        verdict = getattr(output, next(iter({"passed", "status", "ready", "approved"} & FIELDS[crew].keys())))
        assert verdict in (False, "failed")
        assert not context.artifacts.files


@pytest.mark.parametrize("crew", CREWS)
def test_importing_a_crew_brings_no_template_engine_server_or_file_format(crew: Any) -> None:
    code = f"import sys, {crew.__module__}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"jinja2", "celery", "redis", "yaml", "neo4j", "prometheus_client", "click", "rich"}
    assert not heavy & set(done.stdout.split())


def test_the_fake_context_is_a_step_context(tmp_path: Path) -> None:
    assert isinstance(FakeContext("", tmp_path), StepContext)


def test_crews_that_run_one_after_the_other_use_what_was_found_before(tmp_path: Path) -> None:
    text = "Clinics lose patients. Each patient has a name and a diagnosis. Nurses record patients. It is a website."
    validation, _ = _run(ValidatorCrew, text, tmp_path)
    earlier = {"validation": validation.model_dump(mode="json")}
    alone = GraphCrew().run(FakeContext(text, tmp_path))
    informed = GraphCrew().run(FakeContext(text, tmp_path, earlier=earlier))
    assert {task.title for task in alone.tasks} < {task.title for task in informed.tasks}
    assert any("encryption" in task.title for task in informed.tasks)
