"""Decides what the worker's engine needs besides the store and the queue: crews by name, and a place for files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from zts_core.crew import Crew
from zts_core.ports import Claim

CrewFinder = Callable[[str], type[Crew]]
"""Gives the crew class for a name in a workflow; BadInput where there is none."""


class Observer(Protocol):
    """Is told what happens around crews; the engine neither waits for it nor depends on it."""

    def attempt(self, run_id: str, seq: int, claim: Claim) -> AbstractContextManager[None]:
        """Around one attempt, from its claim to its commit."""

    def crew_ended(self, error: BaseException | None, *, how: str) -> None:
        """A crew ended, with `error` or without; `how` is `Ended`'s value."""


class ArtifactStore(Protocol):
    """Files by digest below a run."""

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256."""

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
