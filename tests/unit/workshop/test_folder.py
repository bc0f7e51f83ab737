"""What an agent may do to files, and every way out of its folder that is closed."""

from __future__ import annotations

import pytest

from zts_worker.crews.workshop.folder import Refused, Sizes, WorkFolder

FILES = {
    "app/a.py": b"one\n  two\nthree\ntwo\n",
    "tests/test_a.py": b"kept\n",
    "logo.png": b"\x89PNG\0\xff",
    "l1.txt": b"\xff",
}


def folder(**sizes: int) -> WorkFolder:
    return WorkFolder(FILES, is_kept=lambda path: path.startswith("tests/"), sizes=Sizes(**sizes))


def test_files_are_listed_read_written_and_changed_by_whole_lines() -> None:
    mine = folder()
    assert "app/a.py (20 bytes)" in mine.listing()
    assert "tests/test_a.py (5 bytes, kept)" in mine.listing()
    assert mine.read("app/a.py", first=2) == "  two\nthree\ntwo"
    assert mine.write("app/b.py", ["x = 1", "", "y = 2"]) == "app/b.py written: 3 lines"
    mine.replace("app/a.py", ["  two", "three"], ["  TWO"])
    assert mine.files["app/a.py"] == b"one\n  TWO\ntwo\n"
    assert mine.files["app/b.py"] == b"x = 1\n\ny = 2\n"
    assert mine.changed == ["app/a.py", "app/b.py"]


def test_a_change_that_is_taken_back_is_none() -> None:
    mine = folder()
    mine.replace("app/a.py", ["one"], ["1"])
    mine.replace("app/a.py", ["1"], ["one"])
    assert mine.changed == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            ".",
            "/etc/passwd",
            "../x",
            "app/../../x",
            "app/..",
            "C:\\x",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            "~:x",
            "x" * 201,
        ),
        *("app", "app/a.py/x.py"),
    ],
)
def test_no_path_leaves_the_folder(path: str) -> None:
    mine = folder()
    with pytest.raises(Refused):
        mine.write(path, ["x"])
    with pytest.raises(Refused):
        mine.read(path)
    assert mine.files == FILES


def test_an_odd_path_means_the_file_it_names_and_kept_ones_stay_kept() -> None:
    mine = folder()
    assert mine.read("./app//a.py").startswith("one")
    for path in ("tests/test_a.py", "./tests/test_a.py", "tests//test_a.py", "tests/new.py"):
        with pytest.raises(Refused, match="kept"):
            mine.write(path, ["x"])
    assert mine.changed == []


@pytest.mark.parametrize("path", ["logo.png", "l1.txt", "missing.py"])
def test_what_is_no_text_is_neither_read_nor_changed_in_part(path: str) -> None:
    with pytest.raises(Refused):
        folder().read(path)
    with pytest.raises(Refused):
        folder().replace(path, ["x"], ["y"])


@pytest.mark.parametrize(("find", "said"), [(["two"], None), (["four"], "not there"), (["Two"], "not there")])
def test_only_lines_that_are_there_once_are_replaced(find: list[str], said: str | None) -> None:
    mine = folder()
    if said is None:
        mine.replace("app/a.py", find, ["2"])  # "  two" is another line
        return
    with pytest.raises(Refused, match=said):
        mine.replace("app/a.py", find, ["2"])
    mine.write("app/c.py", ["x", "x"])
    with pytest.raises(Refused, match="2 times"):
        mine.replace("app/c.py", ["x"], ["y"])


def test_files_and_all_that_is_written_are_bounded() -> None:
    with pytest.raises(Refused, match="split it"):
        folder(file_bytes=100).write("app/x.py", ["y" * 99, "z"])
    mine = folder(written_bytes=250)
    mine.write("app/x.py", ["y" * 99])
    mine.write("app/x.py", ["y" * 99])
    with pytest.raises(Refused, match="may be written are used"):
        mine.write("app/x.py", ["y" * 99])
    with pytest.raises(Refused, match="no more"):
        folder(files=4).write("app/x.py", ["y"])
    with pytest.raises(Refused, match="text"):
        folder().write("app/x.py", ["a\0b"])


def test_a_long_file_is_shown_in_parts() -> None:
    mine = folder(shown_lines=2)
    assert mine.read("app/a.py") == "one\n  two\n[2 more lines: read from line 3]"
    assert mine.read("app/a.py", first=3) == "three\ntwo"
    assert mine.read("app/a.py", first=900) == ""
