"""The review: what is wrong is found, asked for, and gone after the next build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zts_core.errors import StepAbandoned
from zts_worker.crews.builder import BuilderCrew
from zts_worker.crews.building.faults import FAULTS
from zts_worker.crews.examining import running
from zts_worker.crews.feedback import FeedbackCrew, Review

from .context import FakeRun
from .ideas import TENANTS

AWS_KEY = "AKIA" + "J4QX7LZP2VWN5RTC"
PACKAGE = "platform_where_tenants_report_broken"


@pytest.fixture(autouse=True)
def _quick_install(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip takes longer than all the rest together: only tests that say so use it."""
    if "with_pip" not in request.node.name:
        monkeypatch.setattr(running, "find_spec", lambda name: None)


def built(tmp_path: Path) -> tuple[FakeRun, Path]:
    run = FakeRun(TENANTS, tmp_path)
    run.step(BuilderCrew())
    return run, run.artifacts.of("build") / "project"


EXTRA = {"project/deploy.env"}


def files_of(run: FakeRun) -> dict[str, bytes]:
    return {path: run.artifacts.read_bytes("build", path) for path in run.artifacts.paths("build")}


def kinds(review: Review) -> set[str]:
    return {request.kind for request in review.change_requests}


def test_a_sound_build_is_approved_with_the_proofs(tmp_path: Path) -> None:
    run, _ = built(tmp_path)
    review = run.step(FeedbackCrew())
    assert review.approved, review.change_requests
    assert (review.rejected, review.escalated, review.quick_approval, review.enterprise_approved) == (
        False,
        False,
        True,
        True,
    )
    assert run.said[-1] == review.summary, "whoever looks later reads the verdict"
    assert review.install is not None
    assert review.install.ok
    assert review.starts is not None
    assert (review.starts.ok, review.starts.status) == (True, 200)
    assert review.tests.ran == review.tests.passed > 20
    assert review.scope.covered == ["report", "tenant"]
    assert "resource limits" in review.isolation
    assert review.score == 1.0


def test_the_loop_of_review_and_rework_ends_approved(tmp_path: Path) -> None:
    run = FakeRun(TENANTS, tmp_path)
    run.step(BuilderCrew(), plant_fault="missing_file")
    verdicts = []
    for _ in range(3):
        if run.outputs.get("feedback", {}).get("rejected"):
            run.step(BuilderCrew(), plant_fault="missing_file")
        verdicts.append(run.step(FeedbackCrew()).approved)
        if verdicts[-1]:
            break
    assert verdicts == [False, True]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_the_next_build_repairs_it(fault: str, tmp_path: Path) -> None:
    run = FakeRun(TENANTS, tmp_path)
    assert run.step(BuilderCrew(), plant_fault=fault).planted_fault == fault
    first = run.step(FeedbackCrew())
    assert (first.approved, first.rejected) == (False, True)
    expected = {"wrong_total": "failing_test"}.get(fault, fault)
    assert expected in kinds(first)
    repaired = run.step(BuilderCrew(), plant_fault=fault)
    assert repaired.change_requests_left == []
    assert {change.id for change in repaired.change_requests_applied} == {item.id for item in first.change_requests}
    clean, _ = built(tmp_path / "clean")
    assert files_of(run) == files_of(clean)


def break_a_module(project: Path) -> None:
    (project / PACKAGE / "api.py").write_text("def answer(:\n")


def delete_a_file(project: Path) -> None:
    (project / PACKAGE / "security.py").unlink()


def evaluate_what_users_type(project: Path) -> None:
    path = project / PACKAGE / "forms.py"
    path.write_text(path.read_text() + "\n\ndef judged(typed: str) -> object:\n    return eval(typed)\n")


def leak_a_key(project: Path) -> None:
    path = project / PACKAGE / "store.py"
    path.write_text(path.read_text() + f'\nKEY = "{AWS_KEY}"\n')


def break_a_test(project: Path) -> None:
    path = project / "tests/test_fields.py"
    path.write_text(path.read_text().replace('"12.50", 1250', '"12.50", 1251'))


def delete_the_tests(project: Path) -> None:
    for path in (project / "tests").iterdir():
        path.unlink()


def break_the_installation(project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace("requires = []", 'requires = ["left-pad"]'))


def stop_it_from_starting(project: Path) -> None:
    path = project / PACKAGE / "server.py"
    path.write_text(path.read_text().replace("server.serve_forever(poll_interval=0.1)", "server.shutdown"))


def put_sql_together(project: Path) -> None:
    path = project / PACKAGE / "store.py"
    path.write_text(path.read_text() + "\n\ndef find(db, name):\n    return db.execute(f'SELECT {name}')\n")


def add_a_file_that_leaks(project: Path) -> None:
    (project / "deploy.env").write_text(f"AWS_ACCESS_KEY_ID={AWS_KEY}\n")


def add_a_dangerous_tool(project: Path) -> None:
    (project / "tools/wipe.py").write_text("import os\n\nos.system('rm -rf ' + input())\n")


Plant = tuple[Callable[[Path], None], str, str]
PLANTS: dict[str, list[Plant]] = {
    "syntax": [(break_a_module, "syntax_error", f"{PACKAGE}/api.py")],
    "deleted": [(delete_a_file, "missing_file", f"{PACKAGE}/security.py")],
    "test": [(break_a_test, "failing_test", "tests/test_fields.py")],
    "no tests and no installation": [
        (delete_the_tests, "no_tests", "tests"),
        (break_the_installation, "install_failed", "pyproject.toml"),
    ],
    "start": [(stop_it_from_starting, "does_not_start", f"{PACKAGE}/__main__.py")],
    "dangers": [
        (evaluate_what_users_type, "unsafe_call", f"{PACKAGE}/forms.py"),
        (leak_a_key, "secret", f"{PACKAGE}/store.py"),
        (put_sql_together, "unsafe_call", f"{PACKAGE}/store.py"),
        (add_a_file_that_leaks, "secret", "deploy.env"),
        (add_a_dangerous_tool, "unsafe_call", "tools/wipe.py"),
    ],
}


@pytest.mark.parametrize("plants", PLANTS.values(), ids=PLANTS.keys())
def test_what_somebody_broke_is_asked_for_and_repaired(plants: list[Plant], tmp_path: Path) -> None:
    run, project = built(tmp_path)
    clean = files_of(run)
    for plant, _, _ in plants:
        plant(project)
    review = run.step(FeedbackCrew())
    assert review.rejected
    asked = {(item.kind, item.path) for item in review.change_requests}
    assert {(kind, path) for _, kind, path in plants} <= asked
    repaired = run.step(BuilderCrew())
    assert repaired.change_requests_left == []
    assert {path: content for path, content in files_of(run).items() if path not in EXTRA} == clean


def test_no_secret_is_repeated_in_the_review(tmp_path: Path) -> None:
    run, project = built(tmp_path)
    leak_a_key(project)
    assert AWS_KEY not in run.step(FeedbackCrew()).model_dump_json()


def test_what_nobody_asked_to_change_stays_as_somebody_wrote_it(tmp_path: Path) -> None:
    run, project = built(tmp_path)
    (project / "README.md").write_text("# Ours\n")
    (project / "notes.md").write_text("ours too\n")
    evaluate_what_users_type(project)
    review = run.step(FeedbackCrew())
    assert any("README.md" in comment for comment in review.comments)
    run.step(BuilderCrew())
    assert run.artifacts.read_bytes("build", "project/README.md") == b"# Ours\n"
    assert run.artifacts.read_bytes("build", "project/notes.md") == b"ours too\n"


def test_the_same_change_requests_twice_are_escalated(tmp_path: Path) -> None:
    run, project = built(tmp_path)
    evaluate_what_users_type(project)
    first, second = run.step(FeedbackCrew()), run.step(FeedbackCrew())
    assert (first.escalated, second.escalated) == (False, True)
    assert [item.id for item in first.change_requests] == [item.id for item in second.change_requests]


def test_tests_that_never_end_are_cut_off_and_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TESTS_S", 2.0)
    run, project = built(tmp_path)
    (project / "tests/test_endless.py").write_text("while True:\n    pass\n")
    review = run.step(FeedbackCrew())
    assert "failing_test" in kinds(review)
    assert any("timeout" in item.evidence for item in review.change_requests)


def test_lint_alone_is_a_comment_and_not_a_reason_to_reject(tmp_path: Path) -> None:
    run, project = built(tmp_path)
    path = project / PACKAGE / "api.py"
    path.write_text(path.read_text().replace("from .schema import Entity", "import os\n\nfrom .schema import Entity"))
    review = run.step(FeedbackCrew())
    assert (review.approved, review.quick_approval, review.enterprise_approved) == (True, True, False)
    assert [remark.path for remark in review.lint] == [f"{PACKAGE}/api.py"] * len(review.lint) != []


def test_compliance_is_taken_from_its_own_check(tmp_path: Path) -> None:
    run, _ = built(tmp_path)
    run.metadata["compliance"] = ["GDPR"]
    run.outputs["compliance"] = {"passed": False}
    review = run.step(FeedbackCrew())
    assert (review.approved, review.compliance_approved, review.enterprise_approved) == (True, False, False)


def test_compliance_that_was_asked_for_and_not_checked_is_not_approved(tmp_path: Path) -> None:
    run = planned(tmp_path, PAGE)
    assert run.step(FeedbackCrew()).compliance_approved is True
    run.metadata["compliance"] = ["GDPR"]
    assert run.step(FeedbackCrew()).compliance_approved is False
    run.outputs["compliance"] = {"passed": True}
    assert run.step(FeedbackCrew()).compliance_approved is True


def test_an_entity_of_the_idea_that_was_not_built_is_missed(tmp_path: Path) -> None:
    run, _ = built(tmp_path)
    run.idea += " Contractors send offers. An offer has a price, an expiry date and a contractor."
    review = run.step(FeedbackCrew())
    assert "missing_entity" in kinds(review)
    rebuilt = run.step(BuilderCrew())
    assert "offer" in {entity.name for entity in rebuilt.data_model.entities}
    assert rebuilt.change_requests_left == []


PAGE = """<!doctype html>
<html lang="en"><head><title>Tenants</title><meta name="viewport" content="width=device-width"></head>
<body><main><h1>Reports by tenants</h1><img src="a.png" alt=""><p>Soon.</main></body></html>
"""


def planned(tmp_path: Path, page: str) -> FakeRun:
    run = FakeRun(TENANTS, tmp_path, workflow="validation_and_launch")
    run.outputs["marketing"] = {"ready": True, "positioning": "For tenants."}
    run.outputs["launch"] = {"ready": True, "checklist": ["Ask a tenant."]}
    folder = run.artifacts.of("marketing")
    folder.mkdir(parents=True)
    (folder / "landing.html").write_text(page)
    return run


def test_without_a_build_the_pages_and_plans_are_examined_and_it_says_so(tmp_path: Path) -> None:
    review = planned(tmp_path, PAGE).step(FeedbackCrew())
    assert (review.approved, review.examined) == (True, "plans"), review.change_requests
    assert any("No code was built" in comment for comment in review.comments)
    assert any("nothing was built" in told for told in review.not_judged)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (' lang="en"', "", "no lang"),
        (' alt=""', "", "no alt"),
        ("</main>", "</section>", "closes nothing"),
        ("<h1>Reports by tenants</h1>", "Tenants", "0 <h1>"),
        ("Soon.", '<input name="email">', "no label"),
        ("Soon.", '<a href="#price">Price</a>', "leads nowhere"),
    ],
)
def test_a_page_with_a_fault_is_sent_back(tmp_path: Path, old: str, new: str, told: str) -> None:
    review = planned(tmp_path, PAGE.replace(old, new)).step(FeedbackCrew())
    assert review.rejected
    assert any(told in request.message for request in review.change_requests)


def test_beside_a_build_a_page_with_a_fault_is_a_comment(tmp_path: Path) -> None:
    run = planned(tmp_path, PAGE.replace(' lang="en"', ""))
    run.step(BuilderCrew())
    review = run.step(FeedbackCrew())
    assert review.approved
    assert "landing.html: <html> has no lang" in review.comments


def test_an_empty_plan_and_one_that_is_not_ready_are_sent_back(tmp_path: Path) -> None:
    run = planned(tmp_path, PAGE)
    run.outputs["launch"] = {"ready": False, "checklist": []}
    messages = {request.message for request in run.step(FeedbackCrew()).change_requests}
    assert messages == {"launch says that it is not ready", "launch.checklist is empty"}


def test_with_nothing_at_all_there_is_nothing_to_approve(tmp_path: Path) -> None:
    review = FakeRun(TENANTS, tmp_path).step(FeedbackCrew())
    assert (review.rejected, review.examined, review.score) == (True, "nothing", 0.0)


def test_with_pip_it_is_pip_that_installs(tmp_path: Path) -> None:
    run, _ = built(tmp_path)
    review = run.step(FeedbackCrew())
    assert review.install is not None
    assert (review.install.ok, review.install.method) == (True, "pip install --target")


def test_without_pip_the_projects_own_back_end_installs_it(tmp_path: Path) -> None:
    run, project = built(tmp_path)
    review = run.step(FeedbackCrew())
    assert review.install is not None
    assert (review.install.ok, review.install.method) == (True, "its own build back end, wheel unpacked")
    break_the_installation(project)
    (tmp_path / "room").mkdir()
    again = running.install(project, tmp_path / "room", timeout_s=30)
    assert not again.ok
    assert "left-pad" in again.detail


def test_a_cancelled_run_stops_the_review(tmp_path: Path) -> None:
    run, _ = built(tmp_path)
    context = run.context("feedback")
    context.cancelled = True
    with pytest.raises(StepAbandoned):
        FeedbackCrew().run(context)
