"""Decides which known words a misspelled one may be meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` known words that are spelled like `word` or contain it, the nearest first."""
    words = sorted(known)
    spelled = difflib.get_close_matches(word, words, count)
    containing = [each for each in words if len(word) > 2 and word.lower() in each.lower()]
    return [*spelled, *(each for each in containing if each not in spelled)][:count]


def suggestion(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """A cure: the close words, or `otherwise` where there are none."""
    close = closest(word, known)
    return f"did you mean {' or '.join(close)}?" if close else otherwise
