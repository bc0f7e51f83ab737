"""Decides how text from a file is shown: on one line, without anything that acts on a terminal, cut to length."""

from __future__ import annotations


def one_line(text: str) -> str:
    """The text with every run of white space and control characters as one space."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def cut(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis where it has more than `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
