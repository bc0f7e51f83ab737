"""Decides what a page of the documentation tells a reader to type, and which files it tells them to save."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
SHELL = ("", "sh", "bash", "shell", "console", "text")
FENCE = re.compile(r"^```(?P<language>[\w-]*)[ ]*(?P<more>[^\n]*)\n(?P<text>.*?)^```", re.S | re.M)
PROGRAMS = ("zts", "zts-submit", "celery", "make")


@dataclass(frozen=True)
class Block:
    """A fenced block: `file` is the name it is to be saved as, "" for commands and output."""

    page: str
    language: str
    file: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for found in FENCE.finditer(page.read_text("utf-8")):
        name = re.search(r"title=\"(\S+)\"", found["more"])
        yield Block(page.name, found["language"], name[1] if name else "", found["text"])


def commands(page: Path) -> Iterator[str]:
    """Lines of shell blocks that start one of our programs, without prompt, variables before it and comment behind."""
    for block in blocks(page):
        if block.language in SHELL and not block.file:
            for line in block.text.replace("\\\n", " ").splitlines():
                for part in line.removeprefix("$ ").split(" · "):
                    if words := _words(part):
                        yield shlex.join(words)


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line.split(" <")[0], comments=True)
    except ValueError:
        return []
    while words and re.fullmatch(r"[A-Z_][A-Z0-9_]*=.*", words[0]):
        words = words[1:]
    for end in ("|", "&", "&&", ";"):
        words = words[: words.index(end)] if end in words else words
    return words if words and words[0] in PROGRAMS else []
