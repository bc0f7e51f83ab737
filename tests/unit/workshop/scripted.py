"""Moves as an engineer answers them."""

from __future__ import annotations

from typing import Any


def move(tool: str, **fields: Any) -> dict[str, Any]:
    """A move as an agent answers it."""
    return {"why": "because", "move": {"tool": tool, **fields}}


DONE = move("done", summary="It is done.")
