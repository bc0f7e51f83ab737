from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.producer.producer_world import GO, IDEA, World
from zts_core.errors import OutputFolderTaken
from zts_core.ports import StepResult
from zts_core.run import Outcome
from zts_producer.report.gather import shipped_files
from zts_producer.report.render import fenced, markdown_text

FILES = {
    "build": {"project/app.py": "print('bee')\n", "project/README.md": "# bee\n"},
    "marketing": {"landing/index.html": "<h1>bee</h1>", "notes.txt": "loose"},
    "launch": {"landing/plan.md": "plan"},
}


def finished(world: World, **more: object) -> str:
    run_id = world.client.submit(IDEA).run_id
    world.work(files=FILES)
    return run_id


def test_every_model_call_is_in_the_report_with_what_was_asked_and_answered(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    call = {"model": "openai:m", "prompt": "launch/planner", "prompt_digest": "d1", "tokens": 120, "usd": 0.01}
    told = {"seconds": 1.5, "crew": "LaunchCrew", "asked": "Which <week>?", "answered": "The third."}
    run = world.store._run(run_id)
    world.store._note(run, "model_call", 1, **call, **told)
    world.store._note(run, "model_call", 1, **call | {"tokens": 0, "usd": 0.0, "reused": True}, **told)
    world.work()
    folder = world.client.export(run_id, world.folder / "out")
    page, report = (folder / "report.html").read_text(), (folder / "REPORT.md").read_text()
    assert "<pre>Which &lt;week&gt;?</pre><pre>The third.</pre>" in page
    assert "answered before: cost nothing" in page
    assert "$0.0100 for 120 tokens in 1 model call, 1 answered before" in report
    assert "| answered before |" in report


def test_a_finished_run_leaves_its_report_its_data_and_what_the_crews_made(world: World) -> None:
    folder = world.client.export(finished(world))
    assert folder.parent == Path.cwd() / "shipped"
    assert folder.name.startswith("bee-hive-log-")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "REPORT.md",
        "report.html",
        "run.json",
        "run.log",
        "project/app.py",
        "project/README.md",
        "marketing/landing/index.html",
        "marketing/notes.txt",
        "launch/landing/plan.md",
    }
    assert (folder / "project/app.py").read_text() == "print('bee')\n"
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]


def test_the_reports_say_why_what_on_which_values_and_what_was_not_judged(world: World) -> None:
    folder = world.client.export(finished(world))
    for name in ("REPORT.md", "report.html"):
        text = (folder / name).read_text()
        for expected in (
            "completed",
            "all its steps are done",
            "IDEA_VALIDATION",
            "ValidatorCrew",
            "validation.confidence = 0.9",
            "feedback.approved = true",
            "no market data",
            "Keepers write down each inspection",
            "python -m bee",
        ):
            assert expected in text, f"{expected} is not in {name}"
    assert "```mermaid\nflowchart TD" in (folder / "REPORT.md").read_text()


def test_run_json_holds_everything_under_a_schema_version(world: World) -> None:
    folder = world.client.export(finished(world))
    known = json.loads((folder / "run.json").read_text())
    assert known["schema_version"] == 1
    assert known["run"]["outcome"] == "completed"
    assert known["idea"].startswith("# Bee hive log")
    assert len(known["steps"]) == 6
    assert known["outputs"]["graph"]["tasks"][1] == {"name": "pages", "hours": 3}
    assert known["ledger"][-1]["kind"] == "run_finished"
    assert {file["path"] for file in known["files"]} >= {"project/app.py", "marketing/notes.txt"}
    assert known["workflow"]["root"] == "default_software_build"


def test_exporting_again_changes_nothing_and_keeps_what_a_person_changed(world: World) -> None:
    run_id = finished(world)
    folder = world.client.export(run_id)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "project/app.py").write_text("my own version")
    (folder / "project/README.md").unlink()
    (folder / "project/notes.txt").write_text("mine")
    assert world.client.export(run_id) == folder
    assert (folder / "project/app.py").read_text() == "my own version"
    assert (folder / "project/notes.txt").read_text() == "mine"
    (folder / "project/app.py").write_text("print('bee')\n")
    (folder / "project/notes.txt").unlink()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_files_that_a_later_step_dropped_go_from_an_exported_folder(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    world.work(files={"build": {"project/old.py": "old", "project/same.py": "same"}}, steps=3)
    folder = world.client.export(run_id)
    assert (folder / "project/old.py").exists()
    world.work({**GO, "feedback": {"approved": False, "rejected": True}}, steps=3)
    world.work(files={"build": {"project/new.py": "new", "project/same.py": "same"}})
    world.client.export(run_id)
    assert {path.name for path in (folder / "project").iterdir()} == {"new.py", "same.py"}


def test_a_run_that_did_not_complete_gets_its_report_too(world: World) -> None:
    run_id = world.client.submit(IDEA, "just_the_build").run_id
    world.work(failing={"TASK_EXECUTION": "the disk is <full>"})
    folder = world.client.export(run_id)
    assert world.client.record(run_id).outcome is Outcome.FAILED
    assert "the disk is &lt;full&gt;" in (folder / "report.html").read_text()
    assert "failed" in (folder / "REPORT.md").read_text()


def test_a_run_that_still_goes_on_can_be_exported(world: World) -> None:
    run_id = world.client.submit(IDEA).run_id
    assert "running" in (world.client.export(run_id) / "REPORT.md").read_text()


class Tags(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    VOID = frozenset({"meta", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_network_runs_no_script_and_is_well_formed(world: World) -> None:
    page = (world.client.export(finished(world)) / "report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    names = [name for name, _ in tags.seen]
    assert "script" not in names
    assert "link" not in names
    assert names.count("h1") == 1
    assert ("html", {"lang": "en"}) in tags.seen
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    headings = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_hostile_text_stays_text_in_every_report(world: World) -> None:
    hostile = '<script>alert(1)</script> `"| [x](javascript:alert(1)) ```'
    run_id = world.client.submit(f"{hostile}\n\n``````\n<img src=x onerror=alert(1)>\n", "just_the_build").run_id
    world.work({"build": {"status": "completed", "summary": hostile, "<b>": [{"<i>": hostile}]}})
    folder = world.client.export(run_id)
    page = (folder / "report.html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    markdown = (folder / "REPORT.md").read_text()
    outside = re.sub(r"(?ms)^(`{3,})[^\n]*\n.*?\n\1$", "", markdown)
    assert "<script" not in outside.replace("\\<script", "")
    assert "[x](" not in outside


def test_an_output_folder_that_was_taken_meanwhile_is_refused(world: World) -> None:
    run_id = finished(world)
    (Path.cwd() / "shipped").write_text("a file")
    with pytest.raises(OutputFolderTaken, match="--out"):
        world.client.export(run_id)


def test_paths_that_leave_the_folder_are_never_written(world: World) -> None:
    kept = ("0" * 64, 1)
    results = {1: StepResult("build", {}, {"../evil": kept, "/etc/evil": kept, "a/../../evil": kept, "good.txt": kept})}
    assert [file.path for file in shipped_files({"build": 1}, results)] == ["build/good.txt"]


def test_markdown_text_and_fences_hold_whatever_comes() -> None:
    assert markdown_text("a|b\n<c> `d` [e](f)") == "a\\|b \\<c\\> \\`d\\` \\[e\\](f)"
    assert fenced("```\ncode\n```").startswith("````\n")
