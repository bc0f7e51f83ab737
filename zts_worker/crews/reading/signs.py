"""Decides how a list of telling words is written: alternatives between word boundaries, lines broken at will."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property


class Signs:
    """Finds any of the `|`-separated expressions as whole words, whatever their case.

    Compiled at the first use: the producer imports crews only to learn their outputs and never reads an idea.
    """

    def __init__(self, alternatives: str) -> None:
        self._alternatives = alternatives

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        joined = re.sub(r"\s*\n\s*", "", self._alternatives.strip())
        return re.compile(rf"\b(?:{joined})\b", re.I)

    def search(self, text: str) -> re.Match[str] | None:
        """The first place in `text`."""
        return self._pattern.search(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Every place in `text`."""
        return self._pattern.finditer(text)

    def findall(self, text: str) -> list[str]:
        """What stands at every place in `text`."""
        return [match[0] for match in self._pattern.finditer(text)]

    def without(self, text: str) -> str:
        """`text` with a space at every place."""
        return self._pattern.sub(" ", text)


def signs(alternatives: str) -> Signs:
    """The signs written in `alternatives`."""
    return Signs(alternatives)
