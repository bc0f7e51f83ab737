"""Decides what is said of what was built: its summary and the commands that start it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COMMANDS = ("install", "test", "start")


def built_summary(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    """One sentence, or nothing where nothing was built."""
    return str(outputs.get("build", {}).get("summary", ""))


def built_commands(outputs: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What to type in the project's folder to install, test and start it."""
    commands = outputs.get("build", {}).get("commands")
    if not isinstance(commands, Mapping):
        return []
    return [(name, str(commands[name])) for name in COMMANDS if commands.get(name)]
