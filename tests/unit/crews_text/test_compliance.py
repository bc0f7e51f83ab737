from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zts_worker.crews.compliance import ComplianceCrew, FrameworkResult
from zts_worker.crews.compliance_frameworks import FRAMEWORKS, framework_named

from .context import FakeContext
from .ideas import example_texts

CLINIC = "Clinics lose track. Each patient has a name, a diagnosis and a birthday. Nurses record patients on a website."
BUILD = {
    "status": "completed",
    "data_model": {
        "entities": [{"name": "patient", "attributes": [{"name": "birthday", "personal": True}, {"name": "ward"}]}]
    },
}


class Built:
    """Committed files of the build."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def paths(self, namespace: str) -> tuple[str, ...]:
        return tuple(sorted(self.files)) if namespace == "build" else ()

    def read_bytes(self, namespace: str, path: str) -> bytes:
        return self.files[path].encode()

    def extract(self, namespace: str, folder: Path) -> None:
        return None


def _check(text: str, folder: Path, *names: str, **more: Any) -> tuple[ComplianceCrew.Output, FakeContext]:
    context = FakeContext(text, folder, metadata={"compliance": list(names)}, earlier=more.get("earlier"))
    if "files" in more:
        context.earlier_artifacts = Built(more["files"])
    return ComplianceCrew().run(context), context


def _states(result: FrameworkResult) -> dict[str, str]:
    return {requirement.article: requirement.status for requirement in result.requirements}


def test_a_careless_idea_misses_what_each_framework_asks(tmp_path: Path) -> None:
    output, _ = _check(CLINIC, tmp_path, "GDPR", "CCPA", "SOC2", "HIPAA")
    assert not output.passed
    assert {result.name for result in output.frameworks if not result.passed} == {"GDPR", "CCPA", "SOC2", "HIPAA"}
    assert "HIPAA 164.312(a): Access control with unique users" in output.missing
    assert all(r.cure for result in output.frameworks for r in result.requirements if r.status == "missing")


def test_a_promise_counts_as_promised_and_what_is_built_as_met(tmp_path: Path) -> None:
    text = CLINIC + " Patients can delete their data."
    files = {"project/app/store.py": "def delete_patient(): ...", "project/tests/test_store.py": "def test_x(): ..."}
    promised, _ = _check(text, tmp_path, "GDPR")
    built, _ = _check(text, tmp_path, "GDPR", earlier={"build": BUILD}, files=files)
    assert _states(promised.frameworks[0])["Art. 17"] == "promised"
    assert _states(built.frameworks[0])["Art. 17"] == "met"
    erasure = next(r for r in built.frameworks[0].requirements if r.article == "Art. 17")
    assert erasure.evidence == "Built: project/app/store.py"


def test_the_personal_data_is_that_of_the_build_where_there_is_one(tmp_path: Path) -> None:
    before, _ = _check(CLINIC, tmp_path, "GDPR")
    after, _ = _check(CLINIC, tmp_path, "GDPR", earlier={"build": BUILD})
    assert {(d.entity, d.attribute, d.source) for d in after.personal_data} == {("patient", "birthday", "build")}
    assert ("patient", "diagnosis") in {(d.entity, d.attribute) for d in before.personal_data}


def test_hipaa_is_not_asked_without_health_data_nor_gdpr_without_personal_data(tmp_path: Path) -> None:
    text = "Each rock has a weight and a colour. Geologists log rocks on a website."
    output, _ = _check(text, tmp_path, "GDPR", "HIPAA")
    assert output.passed
    assert [result.applicable for result in output.frameworks] == [False, False]


def test_a_careful_idea_with_tests_built_passes_all_four(tmp_path: Path) -> None:
    text = example_texts()["invoice_reminder"]
    output, _ = _check(text, tmp_path, *FRAMEWORKS, files={"project/tests/test_app.py": "def test_x(): ..."})
    assert output.passed, output.missing


def test_each_framework_gets_its_document(tmp_path: Path) -> None:
    output, context = _check(CLINIC, tmp_path, "GDPR", "SOC 2")
    assert output.files == ["compliance/gdpr.md", "compliance/soc2.md"]
    assert "privacy notice" in context.artifacts.text("compliance/gdpr.md")
    assert "legal advice" in context.artifacts.text("compliance/soc2.md")


def test_an_unknown_framework_is_not_passed_because_nobody_looked(tmp_path: Path) -> None:
    output, _ = _check(CLINIC, tmp_path, "PCI-DSS <b>")
    assert not output.passed
    assert "not known here" in output.frameworks[0].reason
    assert output.files == ["compliance/pcidssb.md"]


def test_without_a_framework_there_is_nothing_to_check(tmp_path: Path) -> None:
    output, _ = _check(CLINIC, tmp_path)
    assert output.passed
    assert output.reason == "The workflow names no framework."


def test_what_only_people_can_show_is_left_to_them(tmp_path: Path) -> None:
    output, _ = _check(example_texts()["invoice_reminder"], tmp_path, "GDPR")
    assert _states(output.frameworks[0])["Art. 33"] == "not_judged"


@pytest.mark.parametrize("written", ["SOC2", "SOC 2", "soc-2", "Soc2"])
def test_a_framework_is_known_however_it_is_written(written: str) -> None:
    found = framework_named(written)
    assert found is not None
    assert found.name == "SOC2"
