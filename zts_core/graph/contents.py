"""Decides what of a step's output becomes nodes of its own: files, tasks, findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zts_core.graph.port import Changes
from zts_core.graph.values import key, listed, scalar, text
from zts_core.ports import StepResult

MOST_OF_A_STEP = 500
"""How many tasks and findings of one step, each, become nodes."""

FINDINGS = {
    "change_requests": "change request",
    "comments": "comment",
    "findings": "finding",
    "lint": "lint",
    "missing": "missing",
    "results": "test",
    "risks": "risk",
    "security": "security",
}
"""Fields of outputs that list findings, as texts or as objects with a message, and what they are called."""

_UNREMARKABLE = ("passed", "skipped", "met")
_SAYING = ("message", "reason", "title", "name", "text", "id")
_KEPT = ("severity", "path", "kind", "mitigation", "evidence", "outcome")


def add_contents(changes: Changes, step: str, result: StepResult) -> None:
    """Rows for everything a committed effect holds."""
    _add_artifacts(changes, step, result.artifacts)
    _add_tasks(changes, step, result.output)
    _add_findings(changes, step, result.output)


def _add_artifacts(changes: Changes, step: str, artifacts: Mapping[str, tuple[str, int]]) -> None:
    for path, (digest, size) in artifacts.items():
        changes.node("artifacts", digest, {"digest": digest, "size": size})
        changes.edge("made", step, digest, path=key(path))


def _add_tasks(changes: Changes, step: str, output: Mapping[str, Any]) -> None:
    tasks = [task for task in listed(output.get("tasks")) if isinstance(task, Mapping) and "id" in task]
    tasks = tasks[:MOST_OF_A_STEP]
    known = {str(task["id"]) for task in tasks}
    for task in tasks:
        name = key(step, task["id"])
        plain = {field: scalar(value) for field, value in task.items() if not isinstance(value, list | dict)}
        props = {text(field): value for field, value in plain.items() if field != "id"}
        changes.node("tasks", name, {**props, "key": text(task["id"])}, step=step)
        for other in listed(task.get("depends_on")):
            if str(other) in known:
                changes.edge("depends_on", name, key(step, other))


def _add_findings(changes: Changes, step: str, output: Mapping[str, Any]) -> None:
    for number, (kind, entry) in enumerate(_findings(output)):
        if number >= MOST_OF_A_STEP:
            return
        name = key(step, "finding", number)
        changes.node("findings", name, _finding(kind, entry), step=step)


def _findings(output: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, kind in FINDINGS.items():
        for entry in listed(output.get(field)):
            outcome = entry.get("outcome") or entry.get("status") if isinstance(entry, Mapping) else ""
            if outcome not in _UNREMARKABLE:
                yield kind, entry


def _finding(kind: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        return {"of": kind, "message": text(entry)}
    message = next((entry[name] for name in _SAYING if entry.get(name)), "")
    kept = {name: text(entry[name]) for name in _KEPT if isinstance(entry.get(name), str)}
    return {"of": kind, "message": text(message), **kept}
