"""Decides how an idea's text is put into Markdown so that it stays text: no tags, no headings, no images of its own."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_ACTIVE = re.compile(r"([\\`*_\[\]|])")
_OPENING = re.compile(r"^(\s*)([#>+=-])", re.M)


def plain(text: str) -> str:
    """`text` with everything escaped that Markdown or HTML would act on; its line breaks are kept."""
    return _OPENING.sub(r"\1\\\2", _ACTIVE.sub(r"\\\1", html.escape(text, quote=False)))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; cells are escaped and kept on one line."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(plain(' '.join(cell.split())) for cell in row)} |" for row in rows]
    return "\n".join(lines)
