"""Decides how a built project is examined: read, installed, started, tested, compared; cheap looks first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zts_core.crew import StepContext
from zts_worker.crews.examining import proofs, reading_code, running, scope
from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.reading import read_idea

_PREFIX = "project"
_MOST_FILE = 5_000_000


@dataclass
class Examination:
    """Everything an examination saw; `examined` is project, plans or nothing."""

    examined: str
    findings: list[Finding] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    installed: running.Installed | None = None
    tested: running.Tested | None = None
    started: running.Started | None = None
    lint_by: str = ""
    scope_covered: tuple[str, ...] = ()
    scope_missing: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    not_judged: list[str] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Whether it installs, starts and holds its tests; for plans, whether nothing blocks."""
        if self.examined != "project":
            return self.examined == "plans" and not any(finding.blocks for finding in self.findings)
        proofs_ok = self.installed and self.installed.ok and self.started and self.started.ok
        tests = self.tested.tests if self.tested else ()
        return bool(proofs_ok and tests) and not any(record.failed for record in tests) and not self._cut_short

    @property
    def _cut_short(self) -> bool:
        return bool(self.tested and self.tested.trouble)


def examine_project(context: StepContext, build: Mapping[str, Any]) -> Examination:
    """Examine what the build step left, in the attempt's own folder."""
    project = _extracted(context)
    if not read_files(project):
        return Examination("nothing", findings=[Finding("nothing_built", "", "the build left no files")])
    return examine_folder(context, build, project, rooms=context.work_folder / "rooms")


def examine_folder(context: StepContext, build: Mapping[str, Any], project: Path, *, rooms: Path) -> Examination:
    """Examine the project in a folder; `rooms` is where it is installed, started and tested, each on a copy."""
    files = read_files(project)
    seen = Examination("project")
    _read(context, seen, build, project=project, files=files)
    _prove(context, seen, build, project=project, files=files, rooms=rooms)
    answers = seen.started.paths if seen.started and seen.started.ok else {}
    found = scope.compare(read_idea(context.idea), build, files=files, answers=answers)
    seen.findings += found.findings
    seen.scope_covered, seen.scope_missing = found.covered, found.missing
    unseen = scope.not_seen(context.earlier("validation") or {}, build)
    seen.comments += [f"In the validation's scope, and not told in the data model: {line}" for line in unseen]
    if "no network" not in seen.isolation:
        seen.not_judged.append("What the project does with a network: this machine could not cut it off from one.")
    return seen


def _extracted(context: StepContext) -> Path:
    folder = context.work_folder / "built"
    folder.mkdir(parents=True, exist_ok=True)
    context.earlier_artifacts.extract("build", folder)
    project = folder / _PREFIX
    return project if project.is_dir() else folder


def read_files(project: Path) -> dict[str, bytes]:
    """All regular files of a project: relative POSIX path -> content."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MOST_FILE
    }


def _read(
    context: StepContext, seen: Examination, build: Mapping[str, Any], *, project: Path, files: Mapping[str, bytes]
) -> None:
    context.say(f"reading {len(files)} files")
    promised = dict(_promised(build))
    seen.findings += reading_code.missing_files(files, promised)
    seen.findings += reading_code.read_code(files)
    changed = sorted(path for path, digest in promised.items() if path in files and _sha256(files[path]) != digest)
    if changed:
        seen.comments.append(f"Changed since the build: {', '.join(changed)}.")
    context.check()
    found, seen.lint_by = reading_code.lint(files, project)
    seen.findings += found


def _prove(
    context: StepContext,
    seen: Examination,
    build: Mapping[str, Any],
    *,
    project: Path,
    files: Mapping[str, bytes],
    rooms: Path,
) -> None:
    for name in ("install", "tests"):
        (rooms / name).mkdir(parents=True, exist_ok=True)
    context.check()
    context.say("installing it")
    seen.installed = running.install(project, rooms / "install", timeout_s=_at_most(context, running.INSTALL_S))
    seen.findings += proofs.from_install(seen.installed)
    context.check()
    context.say("starting it")
    seen.started = running.start(
        rooms / "install",
        _start_command(build),
        health="/health",
        paths=scope.addresses(build),
        timeout_s=_at_most(context, running.START_S),
        installed=seen.installed.ok,
    )
    seen.findings += proofs.from_start(seen.started, package=str(build.get("package") or ""))
    context.check()
    context.say("running its tests")
    seen.tested = running.run_tests(project, rooms / "tests", timeout_s=_at_most(context, running.TESTS_S))
    seen.findings += proofs.from_tests(seen.tested, files)
    seen.isolation = seen.tested.isolation


def _at_most(context: StepContext, seconds: float) -> float:
    """A proof never takes more than half of what the step has left, so that its verdict still gets out."""
    return max(1.0, min(seconds, context.seconds_left / 2))


def _start_command(build: Mapping[str, Any]) -> str:
    commands = build.get("commands")
    command = commands.get("start") if isinstance(commands, Mapping) else None
    return str(command or f"python -m {build.get('package', 'app')} --port 8000")


def _promised(build: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for file in build.get("files") or ():
        if isinstance(file, Mapping) and file.get("path"):
            yield str(file["path"]), str(file.get("sha256", ""))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
