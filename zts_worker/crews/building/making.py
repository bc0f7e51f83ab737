"""Decides which files a build has: the derived ones, repaired ones, or what a team of agents made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zts_core.crew import Models, StepContext
from zts_worker.crews.building.built import PREFIX
from zts_worker.crews.building.describe import describe
from zts_worker.crews.building.faults import plant
from zts_worker.crews.building.plans import Blueprint
from zts_worker.crews.building.repair import Repair, repair
from zts_worker.crews.examining.findings import REVIEW

if TYPE_CHECKING:
    from zts_worker.crews.workshop.improving import Improved


@dataclass
class Made:
    """The project's files, and how they came about."""

    files: dict[str, bytes]
    repair: Repair | None = None
    fault: str | None = None
    improved: Improved | None = None


def make(context: StepContext, blueprint: Blueprint, derived: dict[str, bytes]) -> Made:
    """The files of this iteration; PermanentError for a fault that is none."""
    requests = _requests(context) if context.earlier("build") is not None else []
    fault = context.values.get("plant_fault") if context.earlier("build") is None else None
    if fault:
        texts = plant(str(fault), {path: content.decode() for path, content in derived.items()}, blueprint)
        return Made({path: text.encode() for path, text in texts.items()}, fault=str(fault))
    if requests:
        context.say(f"working on {len(requests)} change requests")
    if context.models is not None:
        return _by_team(context.models, context, blueprint, derived=derived, requests=requests)
    if not requests:
        return Made(derived)
    done = repair(_former(context), derived, requests)
    return Made(done.files, done)


def _by_team(
    models: Models,
    context: StepContext,
    blueprint: Blueprint,
    *,
    derived: dict[str, bytes],
    requests: list[Mapping[str, Any]],
) -> Made:
    """First the team; what it leaves of a review's requests, the rules repair, where that makes nothing worse."""
    from zts_worker.crews.builder_team import Builders

    former = _former(context) or derived
    described = describe(blueprint, derived)
    team = Builders(models, context, build=described, derived=derived)
    if not requests:
        improved = team.extended(former)
        return Made(improved.files, improved=improved)
    improved = team.changed(former, requests)
    kept = [outcome.kept for outcome in improved.outcomes]
    left = [request for request, done in zip(requests, kept, strict=True) if not done]
    repaired = repair(improved.files, derived, [item for item in left if item.get("kind") != REVIEW])
    if repaired.files != improved.files and not team.is_as_good(repaired.files, improved):
        repaired.files = improved.files
    repaired.done += [(item, "nothing", "no agent fulfilled this wish") for item in left if item.get("kind") == REVIEW]
    carried = zip(requests, improved.outcomes, strict=True)
    repaired.done += [(item, "changed by an agent", ", ".join(done.files)) for item, done in carried if done.kept]
    return Made(repaired.files, repaired, improved=improved)


def _former(context: StepContext) -> dict[str, bytes]:
    """The project's files as the former iteration left them."""
    folder = context.work_folder / "former"
    folder.mkdir(parents=True, exist_ok=True)
    context.earlier_artifacts.extract("build", folder)
    root = folder / PREFIX
    if not root.is_dir():
        return {}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }


def _requests(context: StepContext) -> list[Mapping[str, Any]]:
    requests = (context.earlier("feedback") or {}).get("change_requests")
    if not isinstance(requests, Sequence):
        return []
    return [request for request in requests if isinstance(request, Mapping)]
