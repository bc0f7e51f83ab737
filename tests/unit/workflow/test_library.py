"""The library: shipped workflows, the user's folders over them, and what a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from zts_core.errors import WorkflowInvalid
from zts_core.workflow.library import Library, resolve, shipped_folder


def flow(name: str, crew: str = "X") -> str:
    return f"{name}:\n  sequence: [{{state: A, crew: {crew}}}]\n"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_folder_is_found_in_a_checkout() -> None:
    assert (shipped_folder() / "default_software_build.yaml").is_file()


def test_a_user_s_workflow_replaces_the_shipped_one_with_a_warning(tmp_path: Path) -> None:
    library = Library.read(write(tmp_path / "mine", any_name=flow("just_the_build")))
    assert len(library.workflows["just_the_build"].sequence) == 1
    assert library.file("just_the_build").endswith("any_name.yaml")
    assert library.lines("just_the_build")["just_the_build"] == 2
    (problem,) = library.problems
    assert (problem.code, problem.line) == ("ZTS014", 2)
    assert "workflows/just_the_build.yaml" in problem.message


def test_later_folders_win_and_both_suffixes_count(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", one=flow("one", "First")), write(tmp_path / "b")
    (second / "one.yml").write_text(flow("one", "Second"), encoding="utf-8")
    (second / "notes.txt").write_text("no workflow", encoding="utf-8")
    library = Library().with_folder(first).with_folder(second)
    assert library.workflows["one"].sequence[0].crew == "Second"  # type: ignore[union-attr]


def test_two_files_of_one_folder_with_one_name_are_an_error(tmp_path: Path) -> None:
    library = Library().with_folder(write(tmp_path / "mine", a=flow("one"), b=flow("one")))
    assert [problem.code for problem in library.problems] == ["ZTS015"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    library = Library.read(tmp_path / "nowhere")
    assert [problem.code for problem in library.problems] == ["ZTS001"]
    assert "default_software_build" in library.workflows


def test_a_broken_file_takes_only_its_own_workflows_away(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", just_the_build="name: just_the_build\nsequence: 3\n", fine=flow("fine"))
    library = Library.read(folder)
    assert "fine" in library.workflows
    assert "rapid_prototype" in library.workflows
    assert "just_the_build" not in library.workflows  # what it was meant to replace must not run instead
    with pytest.raises(WorkflowInvalid) as raised:
        resolve("just_the_build", library)
    assert [problem.code for problem in raised.value.problems] == ["ZTS012"]


def test_a_file_that_is_no_yaml_breaks_the_workflow_it_is_named_after(tmp_path: Path) -> None:
    library = Library.read(write(tmp_path / "mine", rapid_prototype="a: ["))
    with pytest.raises(WorkflowInvalid, match="ZTS002"):
        resolve("rapid_prototype", library)


def test_a_name_an_unknown_name_and_a_file_are_resolved(tmp_path: Path) -> None:
    library = Library.read()
    folder = write(tmp_path / "mine", one=flow("one"), two=flow("first") + flow("second"), bad="name: x\n")
    assert resolve("rapid_prototype", library).workflow.name == "rapid_prototype"
    found = resolve(str(folder / "one.yaml"), library)
    assert found.workflow.name == "one"
    assert found.library.workflows.keys() > {"one", "rapid_prototype"}
    assert resolve(f"{folder / 'two.yaml'}#second", library).workflow.name == "second"
    for wanted, said in {
        "rapid": "did you mean rapid_prototype?",
        "zzz": "name one of: default_software_build",
        str(folder / "two.yaml"): "two.yaml#first",
        f"{folder / 'two.yaml'}#thrid": "no workflow is called thrid",
        str(folder / "bad.yaml"): "`sequence` is missing",
        str(folder / "none.yaml"): "No such file",
    }.items():
        with pytest.raises(WorkflowInvalid) as raised:
            resolve(wanted, library)
        assert said in str(raised.value)


def test_an_empty_library_names_no_workflow() -> None:
    with pytest.raises(WorkflowInvalid, match=r"name one of: \(none\)"):
        resolve("zzz", Library())
