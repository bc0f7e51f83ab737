"""Decides how is told what a change of keys has done, and what it had to leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from zts_core.errors import KeyMissing, Unreadable


@dataclass
class Rotated:
    """What came of it: values and files that were sealed anew, and those that could not be, by reason."""

    values: int = 0
    files: int = 0
    unreadable: int = 0
    """Changed or moved where they are kept."""
    raced: int = 0
    """Written by others meanwhile."""
    broken: list[str] = field(default_factory=list)
    """Runs whose history is not as it was written: their ledgers are left as they are."""
    lacking: dict[str, int] = field(default_factory=dict)
    """By the id of a key that is not at hand."""

    def add_left(self, other: Rotated) -> None:
        """Add what somewhere else could not be sealed anew."""
        self.unreadable += other.unreadable
        self.raced += other.raced
        self.broken += other.broken
        for key_id, count in other.lacking.items():
            self.lacking[key_id] = self.lacking.get(key_id, 0) + count

    def opened(self, read: Callable[[], str]) -> str | None:
        """What is read; None, and counted, where it does not open."""
        try:
            return read()
        except KeyMissing as error:
            self.lacking[error.key_id] = self.lacking.get(error.key_id, 0) + 1
        except Unreadable:
            self.unreadable += 1
        return None
