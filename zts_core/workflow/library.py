"""Decides which workflow a name means: the shipped folder, overridden by the user's folders, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from zts_core.errors import WorkflowInvalid
from zts_core.workflow import codes
from zts_core.workflow.check_names import unknown_workflow
from zts_core.workflow.load import Loaded, load_file
from zts_core.workflow.model import Workflow
from zts_core.workflow.problems import Problem, Severity

SUFFIXES = (".yaml", ".yml")
"""How the name of a workflow file ends."""


@dataclass(frozen=True)
class Library:
    """All workflows that can be named, the file each comes from, and what was wrong on the way.

    A file with errors takes nothing from the others: its workflows are in `broken`, with the file that explains why.
    """

    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    sources: Mapping[str, Loaded] = field(default_factory=dict)
    broken: Mapping[str, Loaded] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @staticmethod
    def read(*user_folders: Path) -> Library:
        """The shipped workflows, overridden by those of each user folder in turn."""
        library = Library().with_folder(shipped_folder())
        for folder in user_folders:
            library = library.with_folder(folder)
        return library

    def with_folder(self, folder: Path) -> Library:
        """This library with the workflows of a folder, which win over those of the same name."""
        if not folder.is_dir():
            cure = "create it, or name another folder"
            problem = codes.UNREADABLE.at("", "there is no such folder", cure, file=str(folder))
            return self._with((), (problem,))
        files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
        loaded = [load_file(path) for path in files]
        return self._with(loaded, (*self._overridden(loaded), *_defined_twice(loaded)))

    def with_file(self, loaded: Loaded) -> Library:
        """This library with the workflows of one file, which win over those of the same name."""
        return self._with((loaded,), ())

    def lines(self, name: str) -> Mapping[str, int]:
        """The line of each node path in the file that defines a workflow."""
        return self.sources[name].lines if name in self.sources else {}

    def file(self, name: str) -> str:
        """The file that defines a workflow."""
        return self.sources[name].file if name in self.sources else ""

    def _with(self, files: Iterable[Loaded], problems: Iterable[Problem]) -> Library:
        workflows, sources, broken = dict(self.workflows), dict(self.sources), dict(self.broken)
        told = [*self.problems]
        for loaded in files:
            told.extend(loaded.problems)
            for name in loaded.broken:
                # A broken override must not quietly run what it was meant to replace.
                workflows.pop(name, None)
                sources.pop(name, None)
                broken[name] = loaded
            for name, workflow in loaded.workflows.items():
                broken.pop(name, None)
                workflows[name], sources[name] = workflow, loaded
        told.extend(problems)
        return Library(workflows, sources, broken, tuple(told))

    def _overridden(self, files: Iterable[Loaded]) -> Iterable[Problem]:
        for loaded in files:
            for name in sorted({*loaded.workflows, *loaded.broken} & self.workflows.keys()):
                message = f"it replaces the workflow of the same name in {self.file(name)}"
                line = loaded.lines.get(name, 0)
                yield codes.OVERRIDDEN.at(
                    name, message, "give it another name if that is not meant", file=loaded.file, line=line
                )


@dataclass(frozen=True)
class Resolved:
    """A workflow that was asked for, and the library in which its calls and escalations are looked up."""

    workflow: Workflow
    library: Library


def resolve(name_or_path: str, library: Library) -> Resolved:
    """The workflow a user means: a name, a YAML file that holds one, or `FILE#NAME` where it holds several.

    Raises `WorkflowInvalid` with all problems of the file, or with close matches where the name is unknown.
    """
    path, _, wanted = name_or_path.partition("#")
    if name_or_path in library.workflows or name_or_path in library.broken or not _is_path(path):
        return _by_name(name_or_path, library)
    loaded = load_file(path)
    if loaded.has_errors:
        raise WorkflowInvalid(loaded.problems)
    names = sorted(loaded.workflows)
    if not wanted and len(names) > 1:
        cure = f"name one: {', '.join(f'{path}#{name}' for name in names)}"
        raise WorkflowInvalid([codes.UNKNOWN_WORKFLOW.at("", f"{path} holds {len(names)} workflows", cure)])
    within = library.with_file(loaded)
    if wanted and wanted not in names:
        raise WorkflowInvalid([unknown_workflow("", wanted, names)])
    return Resolved(loaded.workflows[wanted or names[0]], within)


def _by_name(name: str, library: Library) -> Resolved:
    if name in library.workflows:
        return Resolved(library.workflows[name], library)
    if name in library.broken:
        raise WorkflowInvalid([p for p in library.broken[name].problems if p.severity is Severity.ERROR])
    raise WorkflowInvalid([unknown_workflow("", name, library.workflows)])


def _is_path(text: str) -> bool:
    return text.endswith(SUFFIXES) or "/" in text or "\\" in text or Path(text).is_file()


def _defined_twice(files: Iterable[Loaded]) -> Iterable[Problem]:
    first: dict[str, str] = {}
    for loaded in files:
        for name in loaded.workflows:
            if name in first:
                message = f"{first[name]} defines a workflow of the same name"
                line = loaded.lines.get(name, 0)
                yield codes.DEFINED_TWICE.at(name, message, "rename one", file=loaded.file, line=line)
            first.setdefault(name, loaded.file)


def shipped_folder() -> Path:
    """The folder of the workflows that come with ZeroToShip: in the package, or in a checkout beside it."""
    package = Path(str(resources.files("zts_core")))
    packaged = package / "workflows"
    return packaged if packaged.is_dir() else package.parent / "workflows"
