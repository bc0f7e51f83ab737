"""Decides how an agent works on files: one move at a time, each answered, until it is done or its moves are used up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zts_core.crew import Models, Role, StepContext
from zts_worker.crews.workshop.folder import Refused, WorkFolder
from zts_worker.crews.workshop.moves import Done, List, Look, Move, Read, Replace, Test, Write

MOST_SHOWN = 9000
"""Characters of former moves that an agent sees, the newest ones: its memory."""
_LONGEST_ANSWER = 6000
LEAST_SECONDS = 150.0
"""No move is asked for where the step has less time left: a slow answer and a proof have to fit in."""
MOST_TESTS = 6
"""Runs of all tests in one task: each takes seconds."""


@dataclass
class Bench:
    """What one agent works with on one task: the folder, the tests, and how often it may still be asked."""

    role: Role[Any]
    folder: WorkFolder
    test: Callable[[Mapping[str, bytes]], str] | None = None
    moves_left: int = 0
    tests_left: int = MOST_TESTS
    seen: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Something the agent has to know before its next move."""
        self.seen.append(line)


def work(models: Models, context: StepContext, bench: Bench, given: Mapping[str, Any]) -> bool:
    """Let the agent move until it says it is done; False where its moves or the time were used up before.

    Raises what `Models.ask` raises.
    """
    while bench.moves_left > 0 and context.seconds_left > LEAST_SECONDS:
        bench.moves_left -= 1
        context.check()
        material = {**given, "Moves so far": _memory(bench), "Moves left": str(bench.moves_left)}
        answer: Move | Look = models.ask(bench.role.assignment(material))
        if isinstance(answer.move, Done):
            bench.note(f"done: {answer.move.summary}")
            return True
        bench.note(f"{_told(answer.move)} ({answer.why})\n{_made(answer.move, bench)[:_LONGEST_ANSWER]}")
    return False


def _memory(bench: Bench) -> str:
    """The newest moves whole, of those before them only that they were made."""
    shown: list[str] = []
    room = MOST_SHOWN
    for number, entry in reversed(list(enumerate(bench.seen, start=1))):
        text = entry if len(entry) <= room else f"{entry.partition(chr(10))[0]}\n[no longer shown]"
        room -= len(text)
        shown.append(f"{number}. {text}")
        if room <= 0:
            shown.append(f"[{number - 1} earlier moves are no longer shown]")
            break
    return "\n\n".join(reversed(shown)) or "none yet"


def _told(move: object) -> str:
    named = f" {move.path}" if isinstance(move, Read | Write | Replace) else ""
    return f"{type(move).__name__.lower()}{named}"


def _made(move: object, bench: Bench) -> str:
    """What came of a move; one that cannot be made is answered with the reason."""
    folder = bench.folder
    try:
        match move:
            case List():
                return folder.listing()
            case Read():
                return folder.read(move.path, first=move.first_line)
            case Write():
                return folder.write(move.path, move.lines)
            case Replace():
                return folder.replace(move.path, move.find, move.lines)
            case Test():
                return _tested(bench)
    except Refused as refused:
        return f"refused: {refused}"
    return "refused: there is no such tool"


def _tested(bench: Bench) -> str:
    if bench.test is None or bench.tests_left <= 0:
        raise Refused("the tests cannot be run again: end with done, they are run once more then")
    bench.tests_left -= 1
    return bench.test(bench.folder.files)
