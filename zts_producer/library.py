"""Decides which workflow is meant and whether it may be run: the library, checked against the crews' outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zts_core.catalogue import find_limit, find_shape
from zts_core.errors import SettingInvalid, WorkflowInvalid
from zts_core.settings import Settings
from zts_core.workflow.checks import MAX_STEPS, check, check_reachable
from zts_core.workflow.library import Library, Resolved, resolve
from zts_core.workflow.load import load_file
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan
from zts_core.workflow.problems import Problem, Severity

DEADLINE_S = 24 * 3600.0
"""The deadline of a run where nobody names another, as in the settings."""


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
    """The shipped workflows and those of `ZTS_WORKFLOWS`; SettingInvalid where that is no folder."""
    if settings.workflows and not settings.workflows.is_dir():
        raise SettingInvalid(f"ZTS_WORKFLOWS={str(settings.workflows)!r} is no folder; correct or unset ZTS_WORKFLOWS")
    return Library.read(*([settings.workflows] if settings.workflows else []))


def find_workflow(settings: Settings, name_or_path: str) -> Resolved:
    """The workflow that is meant; WorkflowInvalid with all problems where there is none."""
    return resolve(name_or_path, read_library(settings))


def checked_plan(
    settings: Settings, name_or_path: str, *, max_steps: int = MAX_STEPS, deadline_s: float | None = None
) -> tuple[Plan, Sequence[Problem]]:
    """The compiled workflow and its warnings; WorkflowInvalid with all its errors."""
    found = find_workflow(settings, name_or_path)
    name = found.workflow.name
    problems = check_reachable(name, found.library, find_shape, max_steps=max_steps, deadline_s=deadline_s)
    if errors := [problem for problem in problems if _is_error(problem)]:
        raise WorkflowInvalid(errors)
    plan = compile_plan(
        name,
        found.library.workflows,
        namespace_of=lambda crew: find_shape(crew).namespace,
        limit_of=find_limit,
    )
    return plan, problems


def problems_of(settings: Settings, name_or_path: str, *, max_steps: int = MAX_STEPS) -> Sequence[Problem]:
    """All problems of one workflow, of a file with all it holds, or, where nothing is named, of the whole library.

    `max_steps`: the step cap of the run that is thought of.
    """
    library = read_library(settings)
    path = Path(name_or_path)
    if not name_or_path:
        return (*library.problems, *_checked(library, library.workflows, max_steps))
    if name_or_path not in library.workflows and path.is_file():
        loaded = load_file(path)
        return (*loaded.problems, *_checked(library.with_file(loaded), loaded.workflows, max_steps))
    try:
        found = resolve(name_or_path, library)
    except WorkflowInvalid as error:
        return error.problems
    return _checked(found.library, [found.workflow.name], max_steps)


def entries(settings: Settings) -> Sequence[WorkflowEntry]:
    """All workflows by name, the broken ones too."""
    library = read_library(settings)
    whole = [_entry(library, workflow) for workflow in library.workflows.values()]
    broken = [WorkflowEntry(name, "", loaded.file, True) for name, loaded in library.broken.items()]
    return sorted([*whole, *broken], key=lambda entry: entry.name)


def _entry(library: Library, workflow: Workflow) -> WorkflowEntry:
    return WorkflowEntry(
        name=workflow.name,
        description=str(workflow.metadata.get("description", "")),
        file=library.file(workflow.name),
        has_errors=any(_is_error(problem) for problem in _checked(library, [workflow.name])),
        metadata=workflow.metadata,
    )


def _checked(library: Library, names: Iterable[str], max_steps: int = MAX_STEPS) -> tuple[Problem, ...]:
    return tuple(
        problem
        for name in names
        for problem in check(
            library.workflows[name],
            library.workflows,
            find_shape,
            max_steps=max_steps,
            deadline_s=DEADLINE_S,
            file=library.file(name),
            lines=library.lines(name),
        )
    )


def _is_error(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR
