"""Decides how an idea becomes a project that runs, and how a review's change requests change it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from zts_core.crew import StepContext
from zts_core.errors import PermanentError
from zts_worker.crews.building.built import (
    Build,
    BuiltAttribute,
    BuiltEntity,
    BuiltFile,
    ChangeOutcome,
    Commands,
    DataModel,
)

if TYPE_CHECKING:
    from zts_worker.crews.building.plans import Blueprint, EntityPlan
    from zts_worker.crews.building.repair import Repair

PREFIX = "project"
NOT_JUDGED = (
    "Whether the fields found in the idea's text are those its users need.",
    "Roles and rights: one optional password guards the whole project.",
    "How it behaves under load: SQLite on one machine is assumed.",
)


class BuilderCrew:
    """Builds the project; with a rejected review before it, repairs what the review asks for."""

    name: ClassVar[str] = "BuilderCrew"
    namespace: ClassVar[str] = "build"
    Output: ClassVar[type[Build]] = Build

    def run(self, context: StepContext) -> Build:
        """Write the project below the artifacts' `project/` and describe it.

        Raises PermanentError for an idea that describes something illegal, and on a wrong `with`.
        """
        from zts_worker.crews.building.blueprint import draw
        from zts_worker.crews.building.render import render
        from zts_worker.crews.reading import read_idea

        reading = read_idea(context.idea)
        if reading.unlawful:  # a workflow need not have a gate before the build, and a review looks at code only
            raise PermanentError(f"nothing is built for something illegal: {reading.unlawful[0]!r}")
        blueprint = draw(reading, tasks=_tasks(context), left_out=_left_out(context, reading.sentences))
        context.say(f"data model: {', '.join(entity.plural_title for entity in blueprint.entities)}")
        context.check()
        derived = {path: text.encode() for path, text in render(blueprint).items()}
        files, repair, fault = _files(context, blueprint, derived)
        broken = _broken(files)
        for path, content in files.items():
            context.artifacts.write_bytes(f"{PREFIX}/{path}", content)
        context.say(f"{len(files)} files written")
        return _describe(blueprint, files, broken=broken, repair=repair, fault=fault)


def _files(
    context: StepContext, blueprint: Blueprint, derived: dict[str, bytes]
) -> tuple[dict[str, bytes], Repair | None, str | None]:
    from zts_worker.crews.building.faults import plant
    from zts_worker.crews.building.repair import repair

    requests = _requests(context)
    if context.earlier("build") is not None and requests:
        context.say(f"working on {len(requests)} change requests")
        done = repair(_former(context), derived, requests)
        return done.files, done, None
    fault = context.values.get("plant_fault")
    if not fault or context.earlier("build") is not None:
        return derived, None, None
    texts = plant(str(fault), {path: content.decode() for path, content in derived.items()}, blueprint)
    return {path: text.encode() for path, text in texts.items()}, None, str(fault)


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


def _tasks(context: StepContext) -> list[Mapping[str, Any]]:
    tasks = (context.earlier("graph") or {}).get("tasks")
    return [task for task in tasks if isinstance(task, Mapping)] if isinstance(tasks, Sequence) else []


def _left_out(context: StepContext, sentences: Sequence[str]) -> list[str]:
    """What the idea's own sentences leave for later, as the validation read them."""
    scope = (context.earlier("validation") or {}).get("mvp_scope")
    points = scope.get("left_out") if isinstance(scope, Mapping) else None
    return [str(point) for point in points or () if point in sentences]


def _requests(context: StepContext) -> list[Mapping[str, Any]]:
    requests = (context.earlier("feedback") or {}).get("change_requests")
    if not isinstance(requests, Sequence):
        return []
    return [request for request in requests if isinstance(request, Mapping)]


def _broken(files: Mapping[str, bytes]) -> list[str]:
    """Python files that do not parse."""
    broken = []
    for path, content in files.items():
        if path.endswith(".py"):
            try:
                ast.parse(content)
            except (SyntaxError, ValueError):
                broken.append(path)
    return broken


def _describe(
    blueprint: Blueprint,
    files: Mapping[str, bytes],
    *,
    broken: Sequence[str],
    repair: Repair | None,
    fault: str | None,
) -> Build:
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
