"""Decides what is said of a build: its data model, files with digests, commands, and what became of change requests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from zts_worker.crews.building.built import (
    Build,
    BuiltAttribute,
    BuiltEntity,
    BuiltFile,
    ChangeOutcome,
    Commands,
    DataModel,
)
from zts_worker.crews.building.plans import Blueprint, EntityPlan
from zts_worker.crews.building.repair import Repair

NOT_JUDGED = (
    "Whether the fields found in the idea's text are those its users need.",
    "Roles and rights: one optional password guards the whole project.",
    "How it behaves under load: SQLite on one machine is assumed.",
)


def describe(
    blueprint: Blueprint,
    files: Mapping[str, bytes],
    *,
    broken: Sequence[str] = (),
    repair: Repair | None = None,
    fault: str | None = None,
) -> Build:
    """The description; `broken` are Python files that do not parse."""
    applied, left = _outcomes(repair)
    return Build(
        mode="offline",
        status="failed" if broken else "completed",
        project_name=blueprint.distribution,
        package=blueprint.package,
        data_model=DataModel(entities=[_entity(entity, blueprint) for entity in blueprint.entities]),
        files=[
            BuiltFile(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for path, content in sorted(files.items())
        ],
        commands=Commands(
            install="python -m pip install .",
            test="python -m unittest",
            start=f"python -m {blueprint.package} --host 127.0.0.1 --port 8000",
        ),
        change_requests_applied=applied,
        change_requests_left=left,
        planted_fault=fault,
        summary=_summary(blueprint, files, broken=broken, applied=len(applied), left=len(left)),
        not_judged=[*NOT_JUDGED, *blueprint.open_points],
    )


def _outcomes(repair: Repair | None) -> tuple[list[ChangeOutcome], list[ChangeOutcome]]:
    applied: list[ChangeOutcome] = []
    left: list[ChangeOutcome] = []
    for request, action, told in repair.done if repair else ():
        known = {"id": str(request.get("id", "")), "kind": str(request.get("kind", "")), "action": action}
        if action == "nothing":
            left.append(ChangeOutcome(**known, path=str(request.get("path") or ""), reason=told))
        else:
            applied.append(ChangeOutcome(**known, path=told))
    return applied, left


def _entity(entity: EntityPlan, blueprint: Blueprint) -> BuiltEntity:
    return BuiltEntity(
        name=entity.name,
        title=entity.title,
        plural=entity.plural_title,
        table=entity.table,
        module=f"{blueprint.package}/entities/{entity.module}.py",
        route=f"/{entity.route}",
        api=f"/api/{entity.route}",
        attributes=[
            BuiltAttribute(
                name=field.column,
                label=field.label,
                kind=field.kind,
                required=field.required,
                personal=field.personal,
            )
            for field in entity.fields
        ],
        belongs_to=[reference.entity for reference in entity.references],
        actions=[action.name for action in entity.actions],
        sentence=entity.sentence,
    )


def _summary(
    blueprint: Blueprint, files: Mapping[str, bytes], *, broken: Sequence[str], applied: int, left: int
) -> str:
    things = ", ".join(entity.plural_title for entity in blueprint.entities)
    said = [f"A web application of {len(files)} files that keeps {things}."]
    if applied or left:
        said.append(f"Change requests: {applied} applied, {left} left.")
    if broken:
        said.append(f"Not valid Python: {', '.join(broken)}.")
    return " ".join(said)
