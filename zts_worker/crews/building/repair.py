"""Decides how a review's change requests are carried out: which files they mean, and what becomes of each.

The derived project is the measure: a file that a request means and that deviates from it is derived anew, a missing
one is added. What the project has beyond it is removed where nothing needs it, or cleaned where it leaks a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from zts_worker.crews.building.imports import project_imports
from zts_worker.crews.examining.secrets import redacted

Files = dict[str, bytes]
Action = Literal["added", "derived anew", "removed", "secret taken out", "changed by an agent", "nothing"]
_BROAD = frozenset({"failing_test", "install_failed", "does_not_start", "no_tests", "missing_entity"})


@dataclass
class Repair:
    """The files as they become, and for each change request what was done: (request, action, path or reason)."""

    files: Files
    done: list[tuple[Mapping[str, Any], Action, str]] = field(default_factory=list)
    mended: dict[str, Action] = field(default_factory=dict)


def repair(files: Files, derived: Files, requests: Sequence[Mapping[str, Any]]) -> Repair:
    """Carry out `requests` on `files`, the project of the former iteration."""
    result = Repair(dict(files))
    deviating = {path for path in derived if files.get(path) != derived[path]}
    for request in requests:
        before = len(result.done)
        for path in _meant(request, result.files, derived=derived, deviating=deviating):
            action = result.mended.get(path) or _mend(path, request, result.files, derived)
            if action != "nothing":
                result.mended[path] = action
                result.done.append((request, action, path))
        if len(result.done) == before:
            result.done.append((request, "nothing", _why_not(request, result.files, derived, deviating)))
    return result


def _meant(request: Mapping[str, Any], files: Files, *, derived: Files, deviating: set[str]) -> Iterator[str]:
    """The files a request means: the one it names, those its evidence names, then those behind a failing test."""
    path = str(request.get("path") or "")
    told = f"{path}\n{request.get('message')}\n{request.get('evidence')}"
    named = {known for known in {*files, *derived} if _names(told, known)}
    # What is named but as it should be cannot be the cause: the cause is then among what it imports.
    if request.get("kind") in _BROAD and not (named & deviating - {path}):
        named |= (project_imports(path, derived) & deviating) or deviating
    yield from sorted(named)


def _names(told: str, path: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w/-])", told) is not None


def _mend(path: str, request: Mapping[str, Any], files: Files, derived: Files) -> Action:
    if path in derived:
        return _derive(path, files, derived)
    if path not in files:
        return "nothing"
    kind = request.get("kind")
    if kind == "secret":
        return _clean(path, files)
    if kind in ("unsafe_call", "syntax_error", "lint", "failing_test") and not _needed(path, files):
        del files[path]
        return "removed"
    return "nothing"


def _derive(path: str, files: Files, derived: Files) -> Action:
    if files.get(path) == derived[path]:
        return "nothing"
    action: Action = "derived anew" if path in files else "added"
    files[path] = derived[path]
    return action


def _clean(path: str, files: Files) -> Action:
    cleaned = redacted(files[path].decode("utf-8", "replace")).encode()
    if cleaned == files[path]:
        return "nothing"
    files[path] = cleaned
    return "secret taken out"


def _needed(path: str, files: Files) -> bool:
    """Whether another file of the project imports this one."""
    others = (other for other in files if other != path and PurePosixPath(other).suffix == ".py")
    return any(path in project_imports(other, files, deep=False) for other in others)


def _why_not(request: Mapping[str, Any], files: Files, derived: Files, deviating: set[str]) -> str:
    path = str(request.get("path") or "")
    if path in files and path not in derived:
        return f"{path} is not a file this crew makes, and others need it"
    if not deviating:
        return "every file is already as the idea's blueprint says"
    return "no file that this request means deviates from the blueprint"
