"""Decides how agents build on what the rules derived: an architect names changes, an engineer makes them with tools.

The start is the derived project, or the one of the former iteration. What the engineer changes stays where the whole
examination finds nothing wrong with it; the derived tests, packaging and tools are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zts_core.crew import Models, StepContext
from zts_core.errors import AgentFailed
from zts_worker.crews.examining.findings import REVIEW
from zts_worker.crews.team import readable, role
from zts_worker.crews.workshop.improving import Improved, Site, Task, improve, unplanned
from zts_worker.crews.workshop.moves import BUILDING, Move
from zts_worker.crews.workshop.planning import Changes, planned, told
from zts_worker.crews.workshop.proving import Ground, in_words

if TYPE_CHECKING:
    from zts_worker.crews.building.built import Build

Files = Mapping[str, bytes]

ARCHITECT = role(
    "builder/architect",
    "names what the derived project does not do yet",
    Changes,
    reads=("validation", "graph"),
)
ENGINEER = role(
    "builder/engineer",
    "changes files with tools, runs the tests and repairs, one task at a time",
    Move,
    tools=BUILDING,
    most_calls=24,
)
TEAM = (ARCHITECT, ENGINEER)
_README = "README.md"
_LONGEST_EVIDENCE = 3000


class Builders:
    """The team of one attempt; `build` describes the derived project, `derived` are its files."""

    def __init__(self, models: Models, context: StepContext, *, build: Build, derived: Files) -> None:
        self._models = models
        self._context = context
        self._build = build.model_dump(mode="json")
        self._derived = derived
        self._ground = Ground(context)

    def extended(self, files: Files) -> Improved:
        """`files` with the architect's changes; where no plan came about, as they are."""
        site = self._site(files)
        found = {name: self._build[name] for name in ("data_model", "commands", "not_judged")}
        given = {**readable(self._context, ARCHITECT, rules=found), "Files": site.given["Files"]}
        try:
            tasks = planned(self._models, ARCHITECT, given)
        except AgentFailed as failure:
            return unplanned(site, files, failure)
        return improve(self._models, self._context, site, files, tasks)

    def changed(self, files: Files, requests: Sequence[Mapping[str, Any]]) -> Improved:
        """`files` with a review's change requests carried out, as far as the proof lets them stay."""
        return improve(self._models, self._context, self._site(files), files, [_task(item) for item in requests])

    def is_as_good(self, files: Files, than: Improved) -> bool:
        """Whether `files` have no more troubles than what the team left."""
        return len(self._ground.examined(files, self._build).troubles) <= len(than.proof.troubles)

    def _site(self, files: Files) -> Site:
        package = f"{self._build['package']}/"
        listing = "\n".join(sorted(files))
        given = {
            "Idea": self._context.idea,
            "May be changed": f"all files below {package}, {_README}, and new files below tests/",
            "Files": listing,
        }
        return Site(
            ENGINEER,
            is_kept=lambda path: not self._may_change(path, package),
            prove=lambda state: self._ground.examined(state, self._build),
            test=lambda state: in_words(self._ground.tested(state)),
            given=given,
        )

    def _may_change(self, path: str, package: str) -> bool:
        own_test = path.startswith("tests/") and path not in self._derived
        return path.startswith(package) or own_test or path == _README


def _task(request: Mapping[str, Any]) -> Task:
    kind = str(request.get("kind", ""))
    evidence = str(request.get("evidence", ""))[-_LONGEST_EVIDENCE:]
    detail = f"A review found {kind.replace('_', ' ')} in {request.get('path') or 'the whole'}.\n\n{evidence}"
    # A reviewer's wish is no trouble that an examination could find gone.
    return Task(str(request.get("message", ""))[:300], detail, "" if kind == REVIEW else str(request.get("id", "")))


def described(build: Build, improved: Improved, *, files: Files, derived: Files, before: Mapping[str, Any]) -> Build:
    """The build's description with what the model made of it, now or in the build `before`."""
    known = {str(item.get("path")) for item in before.get("files") or () if item.get("by") == "model"}
    by_model = {path for path in known.union(improved.changed) if derived.get(path) != files.get(path)}
    return build.model_copy(
        update={
            "mode": "model",
            "files": [
                item.model_copy(update={"by": "model"}) if item.path in by_model else item for item in build.files
            ],
            "model_changes": told(improved.outcomes),
            "tests_passed": improved.proof.tests,
            "summary": f"{build.summary} {_kept(improved)}",
        }
    )


def _kept(improved: Improved) -> str:
    kept = sum(outcome.kept for outcome in improved.outcomes)
    return f"Agents: {kept} of {len(improved.outcomes)} changes hold and stay."
