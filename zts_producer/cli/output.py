"""Decides how commands speak: results on standard output, everything else in one line each on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click


def notice(line: str) -> None:
    """Tell a person something that is no result."""
    click.echo(line, err=True)


def emphasise(line: str, colour: str | None = None) -> None:
    """A line in bold, and in a colour where that is wanted: https://no-color.org, and terminals that know none."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    click.echo(line if plain else click.style(line, bold=True, fg=colour))


def unheard(_line: str) -> None:
    """For commands that only look: nothing to tell."""


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Columns as wide as their widest cell; the last one as it is."""
    if sys.stdout.isatty():
        rows = [heads, *rows]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(len(heads) - 1)]
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*padded, row[-1]]).rstrip())
