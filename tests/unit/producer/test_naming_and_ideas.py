from __future__ import annotations

import io
from pathlib import Path

import pytest

from zts_core.errors import IdeaInvalid
from zts_producer.idea import read_idea
from zts_producer.naming import RUN_ID, folder_name, new_run_id, slug_of, title_of


def test_run_ids_are_short_lower_case_and_sort_by_the_second_they_were_made_in() -> None:
    made = [new_run_id(now) for now in (1_735_689_600, 1_800_000_000, 1_800_000_001, 2_500_000_000)]
    assert all(RUN_ID.fullmatch(run_id) for run_id in made)
    assert made == sorted(made)


def test_run_ids_of_one_second_differ() -> None:
    assert len({new_run_id(1_800_000_000) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("idea", "title"),
    [
        ("# Bee hive log\n\nmore", "Bee hive log"),
        ("\n\n  **A walk app**  \n", "A walk app"),
        ("Idea: lend a drill", "lend a drill"),
        ("---\nTitle:   Twenty   pages", "Twenty pages"),
        ("***", "untitled"),
        ("\x1b[31mred\x1b[0m\r\x07 alert", "[31mred [0m alert"),
        ("word " * 40, ("word " * 15).strip() + "…"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(idea: str, title: str) -> None:
    assert title_of(idea) == title


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Bee hive log!", "bee-hive-log"),
        ("Über Größe", "uber-groe"),
        ("日本語", "idea"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 100, "x" * 40),
        ("a very long title with many words that goes on for ever", "a-very-long-title-with-many-words-that"),
    ],
)
def test_a_slug_fits_a_file_name(title: str, slug: str) -> None:
    assert slug_of(title) == slug


def test_a_folder_is_named_after_title_and_run() -> None:
    assert folder_name("Bee hive log", "1rzrhqfzdv0b") == "bee-hive-log-1rzrhqfzdv0b"


def test_an_idea_is_read_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "idea.txt").write_bytes("\ufeffA walk app\r\nfor dogs\r\n".encode())
    assert read_idea(str(tmp_path / "idea.txt"), limit=1000) == "A walk app\nfor dogs\n"
    assert read_idea("-", limit=1000, stdin=io.BytesIO(b"A walk app")) == "A walk app\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n\t\n --- ", "is empty"),
        (b"\x89PNG\r\n\0\0", "is binary"),
        ("Größe".encode("latin-1"), "is not UTF-8 (byte 2)"),
        (b"word " * 300, "is larger than 1000 bytes"),
    ],
)
def test_what_is_no_idea_is_named_with_the_cure(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "idea.txt"
    path.write_bytes(content)
    with pytest.raises(IdeaInvalid) as caught:
        read_idea(str(path), limit=1000)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)
    assert ";" in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(IdeaInvalid, match="does not exist"):
        read_idea(str(tmp_path / "none.txt"), limit=1000)
    with pytest.raises(IdeaInvalid, match="is a folder"):
        read_idea(str(tmp_path), limit=1000)
