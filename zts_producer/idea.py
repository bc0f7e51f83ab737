"""Decides what counts as an idea: text in UTF-8 that says something and is not too long."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from zts_core.errors import IdeaInvalid

CURE = "give a text file (UTF-8) that describes the idea, or - for standard input"


def read_idea(source: str, *, limit: int, stdin: BinaryIO | None = None) -> str:
    """The idea's text from a file, or from standard input where `source` is `-`; at most `limit` bytes.

    Raises IdeaInvalid, in one line, for everything that is no idea.
    """
    name = "standard input" if source == "-" else source
    content = _from(stdin or sys.stdin.buffer, limit) if source == "-" else _from_file(source, limit)
    return check_idea(content, name=name, limit=limit)


def check_idea(content: bytes, *, name: str, limit: int) -> str:
    """The text of an idea's bytes; a byte order mark and carriage returns are dropped."""
    if len(content) > limit:
        raise IdeaInvalid(f"{name} is larger than {limit} bytes; shorten the idea, or raise ZTS_IDEA_BYTES")
    if b"\0" in content:
        raise IdeaInvalid(f"{name} is binary, not text; {CURE}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IdeaInvalid(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8 and try again") from None
    if not any(letter.isalnum() for letter in text):
        raise IdeaInvalid(f"{name} is empty; {CURE}")
    return text.replace("\r\n", "\n").strip() + "\n"


def _from_file(source: str, limit: int) -> bytes:
    if not source:  # an unset variable in a script; as a path it would be the current folder
        raise IdeaInvalid(f"the idea file has no name; {CURE}")
    path = Path(source)
    try:
        if path.is_dir():
            raise IdeaInvalid(f"{source} is a folder; {CURE}")
        with path.open("rb") as file:
            return _from(file, limit)
    except FileNotFoundError:
        raise IdeaInvalid(f"{source} does not exist; {CURE}") from None
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise IdeaInvalid(f"{source} cannot be read ({reason.lower()}); {CURE}") from None


def _from(file: BinaryIO, limit: int) -> bytes:
    return file.read(limit + 1)
