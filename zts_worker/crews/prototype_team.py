"""Decides how agents build on a derived prototype: as the builder's do, on firmware and simulation.

Its tests compile the firmware and compare it with the simulation look by look: what stays has passed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zts_core.crew import Models, StepContext
from zts_core.errors import AgentFailed
from zts_worker.crews.team import readable, role
from zts_worker.crews.workshop.improving import Improved, Proof, Site, improve, unplanned
from zts_worker.crews.workshop.moves import BUILDING, Move
from zts_worker.crews.workshop.planning import Changes, planned
from zts_worker.crews.workshop.proving import Ground, in_words

ARCHITECT = role(
    "prototype/architect",
    "names what the derived prototype does not do yet",
    Changes,
    reads=("validation", "design"),
)
ENGINEER = role(
    "prototype/engineer",
    "changes firmware and simulation with tools, runs the tests and repairs, one task at a time",
    Move,
    tools=BUILDING,
    most_calls=24,
)
TEAM = (ARCHITECT, ENGINEER)


def by_team(
    models: Models, context: StepContext, files: Mapping[str, bytes], *, found: Mapping[str, Any], compiles: bool
) -> Improved:
    """The prototype with the architect's changes; without a compiler the firmware is kept as it is."""
    ground = Ground(context)
    folders = ("simulation/", *(("firmware/",) if compiles else ()))
    given = {
        "Idea": context.idea,
        "May be changed": f"files below {' and '.join(folders)}, README.md, and new files below tests/",
        "Files": "\n".join(sorted(files)),
    }

    def may_change(path: str) -> bool:
        own_test = path.startswith("tests/") and path not in files
        return path.startswith(folders) or own_test or path == "README.md"

    site = Site(
        ENGINEER,
        is_kept=lambda path: not may_change(path),
        prove=lambda state: _proof(ground, state),
        test=lambda state: in_words(ground.tested(state)),
        given=given,
    )
    try:
        tasks = planned(models, ARCHITECT, {**readable(context, ARCHITECT, rules=found), "Files": given["Files"]})
    except AgentFailed as failure:
        return unplanned(site, files, failure)
    return improve(models, context, site, files, tasks)


def _proof(ground: Ground, files: Mapping[str, bytes]) -> Proof:
    tested = ground.tested(files)
    troubles = {record.id: f"{record.id}: {record.message[-900:]}" for record in tested.tests if record.failed}
    if tested.trouble and not troubles:
        troubles["trouble"] = tested.trouble[-900:]
    return Proof(troubles, sum(record.outcome == "passed" for record in tested.tests))
