"""Decides how Cypher files are read: statements by name, each under a `// name:` line."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of `cypher/<file>.cypher` by name, in their order."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (files(__package__) / "cypher" / f"{file}.cypher").read_text("utf-8").splitlines():
        if line.startswith("// name:"):
            name = line.removeprefix("// name:").strip()
            found[name] = []
        elif name and not line.startswith("//"):
            found[name].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}
