"""Decides how a run's log reads: what its ledger tells and what its crews logged, in the order of their times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zts_core.ports import LedgerEntry
from zts_core.redis_store.run_log import KeptLines, LogLine
from zts_producer.narrate import Narrator, printable
from zts_producer.times import moment

if TYPE_CHECKING:
    from zts_core.redis_store.run_log import RedisRunLog

_GRAVE = {"step_failed": "error", "attempt_failed": "warning", "lease_expired": "warning", "halted": "warning"}
LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run's log; `source` is `run` for the ledger's, else the logger's name."""

    at_ms: int
    level: str
    source: str
    state: str
    attempt: int
    words: str
    more: str = ""

    def text(self) -> str:
        """The line for a person, with a traceback below it."""
        state = f"{self.state} " if self.state and self.source != "run" else ""
        logger = "" if self.source == "run" else f"[{self.source}] "
        first = f"{moment(self.at_ms)} {self.level:7} {state}{logger}{self.words}"
        return "\n".join([first, *("    " + printable(line) for line in self.more.splitlines())])

    def to_json(self) -> dict[str, Any]:
        """The line as data."""
        told = {"at_ms": self.at_ms, "level": self.level, "source": self.source, "line": self.words}
        about = {"state": self.state, "attempt": self.attempt, "exception": self.more}
        return told | {name: value for name, value in about.items() if value}


class Journal:
    """Reads one run's log on, piece by piece."""

    def __init__(self, log: RedisRunLog, run_id: str, *, level: str = "debug") -> None:
        self._log = log
        self._run_id = run_id
        self._narrator = Narrator()
        self._after = "0"
        self._levels = LEVELS[LEVELS.index(level) :]

    def read(self, entries: Iterable[LedgerEntry]) -> list[Line]:
        """The lines of these ledger entries and what was logged since the last call, by their times."""
        kept = self._log.read(self._run_id, after=self._after)
        first = self._after == "0"
        self._after = kept.lines[-1].id if kept.lines else self._after
        return self.told(entries, kept if first else KeptLines(kept.lines))

    def told(self, entries: Iterable[LedgerEntry], kept: KeptLines) -> list[Line]:
        """The same of what was read already."""
        lines = [*self._of_ledger(entries), *_logged(kept)]
        return sorted((line for line in lines if line.level in self._levels), key=lambda line: line.at_ms)

    def _of_ledger(self, entries: Iterable[LedgerEntry]) -> Iterator[Line]:
        for entry in entries:
            if words := self._narrator.tell(entry):
                state = self._narrator.state_of(entry.seq) or str(entry.detail.get("state", ""))
                attempt = int(entry.detail.get("attempt") or 0)
                yield Line(entry.at_ms, _GRAVE.get(entry.kind, "info"), "run", state, attempt, words)


def _logged(kept: KeptLines) -> Iterator[Line]:
    if kept.dropped and kept.lines:
        words = f"{kept.dropped} older lines of crews are not kept any more"
        yield Line(kept.lines[0].at_ms, "warning", "zts", "", 0, words)
    yield from map(_line, kept.lines)


def _line(line: LogLine) -> Line:
    level = line.text("level") if line.text("level") in LEVELS else "info"
    source, state = line.text("logger") or "zts", line.text("state")
    attempt = line.told.get("attempt")
    words = printable(line.text("event"))
    number = attempt if isinstance(attempt, int) else 0
    return Line(line.at_ms, level, source, state, number, words, line.text("exception"))


def written(lines: Sequence[Line]) -> str:
    """A log as a file's text."""
    return "".join(f"{line.text()}\n" for line in lines)
