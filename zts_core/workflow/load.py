"""Decides which workflows a file defines, and gathers all that is wrong with it instead of raising."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zts_core.workflow import codes
from zts_core.workflow.model import Workflow
from zts_core.workflow.problems import Problem, Severity
from zts_core.workflow.spots import Spot, lines_of
from zts_core.workflow.translate import MAX_PROBLEMS, NAMELESS, read_workflow
from zts_core.workflow.yaml_reader import Reader, Unreadable

MAX_BYTES = 1024 * 1024
"""Largest file that is read."""


@dataclass(frozen=True)
class Loaded:
    """What one file gave: the workflows that can be used, all problems, and the line of every node path.

    `broken` names the workflows that the file defines and that cannot be used.
    """

    file: str
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    @property
    def has_errors(self) -> bool:
        """Whether one of the problems stops a submit."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def load_file(path: Path | str) -> Loaded:
    """The workflows of one file; whatever is wrong with it is in `problems`, nothing is raised."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            return _unusable(path, codes.UNREADABLE.at("", "it is no regular file", "name a YAML file"))
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8"
        return _unusable(path, codes.UNREADABLE.at("", message, "save the file as UTF-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _unusable(path, codes.UNREADABLE.at("", f"it cannot be read: {reason}", "name a file that can"))
    if len(content) > MAX_BYTES:
        message = f"it has more than {MAX_BYTES} bytes"
        return _unusable(path, codes.TOO_MUCH.at("", message, "split it into several files"))
    return load_text(text, str(path))


def load_text(text: str, name: str) -> Loaded:
    """The workflows in a YAML text; `name` is what problems call the file."""
    if len(text) > MAX_BYTES:
        message = f"it has more than {MAX_BYTES} characters"
        return _unusable(Path(name), codes.TOO_MUCH.at("", message, "split it into several files"))
    reader = Reader(name)
    try:
        data, spot = reader.read(text)
    except Unreadable as stop:
        return _unusable(Path(name), *reader.problems, stop.problem)
    return _take_apart(name, data, spot, reader.problems)


def _unusable(path: Path, *problems: Problem) -> Loaded:
    """A file that gave nothing. It may have meant to define the workflow that it is named after."""
    named = tuple(Problem(p.code, p.severity, p.message, p.cure, file=str(path), line=p.line) for p in problems)
    return Loaded(str(path), problems=named, broken=frozenset({path.stem}))


def _take_apart(name: str, data: Any, spot: Spot, problems: list[Problem]) -> Loaded:
    """One workflow, or a mapping of names to workflows: the key `sequence` tells."""
    if not isinstance(data, dict) or not data:
        found = "nothing" if data in (None, {}) else f"a {spot.read_as}"
        cure = "write `name`, `metadata` and `sequence`, or a mapping of names to workflows"
        line = spot.line
        return _unusable(Path(name), *problems, codes.NO_WORKFLOW.at("", f"it holds {found}", cure, line=line))
    alone = _is_one_workflow(data)
    entries = [(None, data, spot)] if alone else [(key, data[key], spot.child(key)) for key in data]
    workflows: dict[str, Workflow] = {}
    lines: dict[str, int] = {}
    broken = set()
    for key, raw, place in entries:
        assert place is not None  # noqa: S101 - data and spots are built together
        named, workflow, found_problems = read_workflow(key, raw, place, file=name)
        problems.extend(found_problems)
        lines.update(lines_of(place, named))
        if workflow is None:
            broken.add(Path(name).stem if named == NAMELESS else named)
        else:
            workflows[workflow.name] = workflow
    return Loaded(name, workflows, _in_order(problems, name), lines, frozenset(broken))


def _is_one_workflow(data: dict[str, Any]) -> bool:
    """Whether a mapping is a workflow itself, rather than names of workflows."""
    if "sequence" in data:
        return True
    inner = [isinstance(entry, dict) for entry in data.values()]
    named = any(isinstance(entry, dict) and "sequence" in entry for entry in data.values())
    return not (named or all(inner))


def _in_order(problems: list[Problem], file: str) -> tuple[Problem, ...]:
    """Problems from top to bottom, not more than a person can read."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    more = len(ordered) - MAX_PROBLEMS
    if more <= 0:
        return tuple(ordered)
    rest = codes.TOO_MUCH.at("", f"{more} more problems", "cure the others first", file=file)
    return (*ordered[:MAX_PROBLEMS], rest)
