"""Decides how a step that failed for good is shown to a person: `zts dead show`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from zts_core.ports import DeadLetter
from zts_producer.narrate import Narrator, counted, printable
from zts_producer.times import clock


def told(letter: DeadLetter) -> Iterator[str]:
    """Its lines for a terminal: where, what was tried, what it was given, its history, its traceback."""
    yield f"{letter.run_id} {letter.state}, {letter.crew}: {counted(letter.attempts, 'attempt')}"
    yield f"error: {printable(letter.error)}"
    if letter.values:
        yield f"with: {json.dumps(letter.values, ensure_ascii=False)}"
    if letter.inputs:
        yield f"saw the outputs of: {', '.join(sorted(letter.inputs))}"
    narrator = Narrator()
    for entry in letter.history:
        yield f"  {clock(entry.at_ms)}  {letter.state} {narrator.tell(entry)}"
    if letter.trace:
        yield from ("traceback:", *(f"  {_harmless(line)}" for line in letter.trace.rstrip().splitlines()))


def _harmless(line: str) -> str:
    """Its indentation stays, what moves a cursor does not."""
    return line[: len(line) - len(line.lstrip(" "))] + printable(line)
