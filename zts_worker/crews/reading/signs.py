"""Decides how a list of telling words is written: alternatives between word boundaries, lines broken at will."""

from __future__ import annotations

import re


def signs(alternatives: str) -> re.Pattern[str]:
    """A pattern that finds any of the `|`-separated expressions as whole words, whatever their case."""
    joined = re.sub(r"\s*\n\s*", "", alternatives.strip())
    return re.compile(rf"\b(?:{joined})\b", re.I)
