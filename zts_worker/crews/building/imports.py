"""Decides which files of a project a file of it needs, by reading its import statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath


def project_imports(path: str, files: Mapping[str, bytes], *, deep: bool = True) -> set[str]:
    """Paths of the project's files that `path` imports, with `deep` also those that these import, and so on."""
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        for found in _direct(waiting.pop(), files):
            if found not in seen:
                seen.add(found)
                waiting += [found] if deep else []
    return seen - {path}


def _direct(path: str, files: Mapping[str, bytes]) -> Iterator[str]:
    try:
        tree = ast.parse(files.get(path, b""))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from _files_of(name.name.split("."), files)
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node.level) + (node.module.split(".") if node.module else [])
            for name in node.names:
                yield from _files_of([*base, name.name], files)


def _base(path: str, level: int) -> list[str]:
    return list(PurePosixPath(path).parts[:-level]) if level else []


def _files_of(parts: list[str], files: Mapping[str, bytes]) -> Iterator[str]:
    """Every module on the way: importing `a.b.c` runs `a`, `a.b` and `a.b.c`."""
    for depth in range(1, len(parts) + 1):
        stem = "/".join(parts[:depth])
        yield from (path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in files)
