"""Decides what the worker's engine needs besides the store and the queue: crews by name, and a place for files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from zts_core.crew import Crew

CrewFinder = Callable[[str], type[Crew]]
"""Gives the crew class for a name in a workflow; BadInput where there is none."""


class ArtifactStore(Protocol):
    """Files by digest below a run."""

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` and return its SHA-256."""

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""
