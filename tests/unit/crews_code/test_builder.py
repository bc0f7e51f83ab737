"""The builder: projects that work, from ideas of all kinds."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from zts_core.errors import PermanentError, StepAbandoned
from zts_worker.crews.builder import BuilderCrew
from zts_worker.crews.building.blueprint import draw
from zts_worker.crews.building.render import render
from zts_worker.crews.examining.landing import page_findings
from zts_worker.crews.reading import IdeaReading, read_idea
from zts_worker.crews.sandbox import SandboxResult, base_python, run_sandboxed

from .context import FakeRun
from .ideas import AWKWARD_WORDS, GERMAN, GROOMERS, HOSTILE, NO_LANGUAGE, TENANTS, entity, reading, text

IDEAS = {"groomers": GROOMERS, "german": GERMAN, "awkward": AWKWARD_WORDS, "none": NO_LANGUAGE}


def written(drawn: IdeaReading, folder: Path) -> Path:
    for path, content in render(draw(drawn)).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return folder


def its_tests(project: Path) -> SandboxResult:
    return run_sandboxed([base_python(), "-W", "error", "-m", "unittest"], folder=project, timeout_s=60)


def lint(project: Path) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "E,F,W", str(project)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def formatting(project: Path) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--no-cache", "--diff", str(project)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_nothing_is_built_for_something_illegal(tmp_path: Path) -> None:
    run = FakeRun("We sell stolen credit cards to buyers on the darknet. Each card has a number and a price.", tmp_path)
    with pytest.raises(PermanentError, match=r"nothing is built for something illegal: .*stolen credit cards"):
        run.step(BuilderCrew())


@pytest.mark.parametrize("idea", IDEAS.values(), ids=IDEAS.keys())
def test_the_project_of_an_idea_passes_its_own_tests_and_the_linter(idea: str, tmp_path: Path) -> None:
    run = FakeRun(idea, tmp_path)
    build = run.step(BuilderCrew())
    project = run.artifacts.of("build") / "project"
    assert build.status == "completed"
    assert lint(project) == "All checks passed!\n"
    assert formatting(project) == ""
    result = its_tests(project)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (0, "OK"), result.stderr


def test_keywords_clashes_and_foreign_letters_become_a_project_that_works(tmp_path: Path) -> None:
    project = written(HOSTILE, tmp_path)
    assert lint(project) == "All checks passed!\n"
    result = its_tests(project)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (0, "OK"), result.stderr


def test_hostile_text_reaches_pages_only_escaped(tmp_path: Path) -> None:
    project = written(HOSTILE, tmp_path)
    code = (
        "from tests.support import Visitor\nimport tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n    print(Visitor(folder).get('/').text)\n"
    )
    home = run_sandboxed([base_python(), "-c", code], folder=project, timeout_s=30)
    assert home.ok, home.stderr
    assert "<script>" not in home.stdout
    assert "&lt;script&gt;" in home.stdout


def test_different_ideas_give_different_models_tables_and_code(tmp_path: Path) -> None:
    first, second = FakeRun(TENANTS, tmp_path / "a"), FakeRun(GROOMERS, tmp_path / "b")
    one, two = first.step(BuilderCrew()), second.step(BuilderCrew())
    names = [{entity.name for entity in build.data_model.entities} for build in (one, two)]
    assert "report" in names[0]
    assert "appointment" in names[1]
    assert names[0].isdisjoint(names[1])
    assert one.package != two.package


def test_the_same_idea_gives_the_same_bytes(tmp_path: Path) -> None:
    builds = [FakeRun(TENANTS, tmp_path / str(n)).step(BuilderCrew()) for n in range(2)]
    assert builds[0].files == builds[1].files


def test_the_output_lists_every_file_with_its_digest(tmp_path: Path) -> None:
    run = FakeRun(TENANTS, tmp_path)
    build = run.step(BuilderCrew())
    listed = {f"project/{file.path}": file for file in build.files}
    assert set(listed) == set(run.artifacts.paths("build"))
    for path, file in listed.items():
        content = run.artifacts.read_bytes("build", path)
        assert (file.sha256, file.bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_the_data_model_keeps_kinds_relations_and_what_is_personal(tmp_path: Path) -> None:
    build = FakeRun(TENANTS, tmp_path).step(BuilderCrew())
    entities = {entity.name: entity for entity in build.data_model.entities}
    report = {item.name: item.kind for item in entities["report"].attributes}
    assert report["photo_link"] == "url"
    assert report["due_date"] == "date"
    assert "tenant" in entities["report"].belongs_to
    assert "assign" in entities["report"].actions
    assert {item.name for item in entities["tenant"].attributes if item.personal} >= {"name", "email"}


def test_a_circle_of_belonging_is_cut_so_that_a_first_record_is_possible() -> None:
    plan = draw(reading(entity("hen", belongs_to=("egg",)), entity("egg", belongs_to=("hen",))))
    assert [entity.references for entity in plan.entities] == [(), ()]


def test_no_project_hides_a_module_of_the_standard_library() -> None:
    for slug in ("email", "calendar", "test", "tests", "class", "123-go", "日本"):
        package = draw(reading(entity("thing", text("name")), slug=slug)).package
        assert package.isidentifier()
        assert package not in sys.stdlib_module_names


def test_tasks_of_the_graph_are_listed_in_the_readme(tmp_path: Path) -> None:
    run = FakeRun(TENANTS, tmp_path)
    run.outputs["graph"] = {"status": "generated", "tasks": [{"id": "t1", "title": "Draw the <map>"}, "odd", {}]}
    run.step(BuilderCrew())
    readme = run.artifacts.read_bytes("build", "project/README.md").decode()
    assert "- Draw the &lt;map&gt;" in readme


def test_no_statement_is_put_together_while_running(tmp_path: Path) -> None:
    project = written(HOSTILE, tmp_path)
    for path in project.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "execute":
                assert not isinstance(node.args[0], ast.JoinedStr | ast.BinOp), path


def test_it_installs_into_a_fresh_environment_without_a_network_and_its_command_starts(tmp_path: Path) -> None:
    project = written(reading(entity("order", text("name"))), tmp_path / "project")
    environment = tmp_path / "environment"
    subprocess.run([base_python(), "-m", "venv", "--without-pip", str(environment)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin/python"), "--disable-pip-version-check"]
    install = [*pip, "install", "-q", "--no-index", str(project)]
    subprocess.run(install, check=True, capture_output=True)
    shutil.rmtree(project)
    started = subprocess.run(
        [str(environment / "bin/idea"), "--help"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert "--port" in started.stdout


def test_an_unknown_fault_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"plant_fault is 'gremlin': use one of .*wrong_total"):
        FakeRun(TENANTS, tmp_path).step(BuilderCrew(), plant_fault="gremlin")


def test_a_cancelled_run_stops_the_build(tmp_path: Path) -> None:
    context = FakeRun(TENANTS, tmp_path).context("build")
    context.cancelled = True
    with pytest.raises(StepAbandoned):
        BuilderCrew().run(context)


def test_the_crew_module_is_light_to_import() -> None:
    code = (
        "import sys, zts_worker.crews.builder, zts_worker.crews.feedback, zts_worker.crews.testing, "
        "zts_worker.crews.prototype\n"
        "print([m for m in ('jinja2', 'sqlite3', 'zts_worker.crews.sandbox') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_page_of_a_project_is_well_formed_and_accessible(tmp_path: Path) -> None:
    drawn = read_idea(TENANTS)
    project = written(drawn, tmp_path)
    code = (
        "import json, tempfile\nfrom tests.support import Visitor\nfrom "
        f"{draw(drawn).package}.entities import ENTITIES\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    visitor = Visitor(folder)\n"
        "    paths = ['/']\n"
        "    for entity in ENTITIES:\n"
        "        visitor.send('POST', f'/api/{entity.route}', visitor.sample(entity))\n"
        "        paths += [f'/{entity.route}{rest}' for rest in ('', '/new', '/1', '/1/edit', '/1/delete')]\n"
        "    print(json.dumps({path: visitor.get(path).text for path in paths}))\n"
    )
    result = run_sandboxed([base_python(), "-c", code], folder=project, timeout_s=30)
    assert result.ok, result.stderr
    pages = json.loads(result.stdout)
    assert len(pages) == 11
    about = replace(drawn, entities=())
    for path, markup in pages.items():
        assert [finding.message for finding in page_findings(path, markup, about)] == []
