"""Decides which identifiers, addresses and labels a built project uses for the idea's own words."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Container

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PROJECT_NAMES = frozenset({"tests", "test", "tools", "build_backend", "data", "records", "app", "setup"})
_ARTICLES = frozenset({"a", "an", "the", "eine", "ein", "der", "die", "das"})
MAX_IDENTIFIER = 40


def identifier(words: str, *, otherwise: str) -> str:
    """`words` as a snake_case ASCII identifier that is no Python keyword; `otherwise` where nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", words.lower().translate(_LETTERS))
    kept = re.sub(r"[^a-z0-9]+", "_", ascii_only.encode("ascii", "ignore").decode())
    name = kept.strip("_")[:MAX_IDENTIFIER].strip("_") or otherwise
    if name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def unique(name: str, taken: Container[str]) -> str:
    """`name`, or `name_2`, `name_3`, ... where it is taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate = f"{name.rstrip('_')}_{number}"
        number += 1
    return candidate


def package_name(slug: str) -> str:
    """An importable name that hides no module of the standard library and none of the project's own."""
    words = identifier(slug, otherwise="idea").strip("_").split("_")
    name = "_".join(words[1:6] if words[0] in _ARTICLES and len(words) > 1 else words[:5])
    if name in sys.stdlib_module_names or name in _PROJECT_NAMES or keyword.iskeyword(name):
        return f"{name}_app"
    return name


def class_name(name: str) -> str:
    """`snake_case` as `CamelCase`."""
    return "".join(part.capitalize() for part in name.split("_") if part)


def label(name: str) -> str:
    """`snake_case` as words for people."""
    return one_line(name.replace("_", " ")).capitalize()


def one_line(text: str, *, at_most: int = 300) -> str:
    """`text` without control characters and line breaks, cut at a word where it is longer than `at_most`."""
    flat = " ".join(_CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).split())
    if len(flat) <= at_most:
        return flat
    return flat[: at_most - 1].rsplit(" ", 1)[0] + "…"
