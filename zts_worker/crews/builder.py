"""Decides how an idea becomes a project that runs, and how a review's change requests change it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zts_core.crew import StepContext
from zts_core.errors import PermanentError
from zts_worker.crews.building.built import PREFIX, Build


class BuilderCrew:
    """Builds the project; with a rejected review before it, repairs what the review asks for."""

    name: ClassVar[str] = "BuilderCrew"
    namespace: ClassVar[str] = "build"
    team: ClassVar[str] = "zts_worker.crews.builder_team:TEAM"
    Output: ClassVar[type[Build]] = Build

    def run(self, context: StepContext) -> Build:
        """Write the project below the artifacts' `project/` and describe it.

        Raises PermanentError for an idea that describes something illegal, and on a wrong `with`.
        """
        from zts_worker.crews.building.blueprint import draw
        from zts_worker.crews.building.describe import describe
        from zts_worker.crews.building.making import make
        from zts_worker.crews.building.render import render
        from zts_worker.crews.reading import read_idea

        reading = read_idea(context.idea)
        if reading.unlawful:  # a workflow need not have a gate before the build, and a review looks at code only
            raise PermanentError(f"nothing is built for something illegal: {reading.unlawful[0]!r}")
        blueprint = draw(reading, tasks=_tasks(context), left_out=_left_out(context, reading.sentences))
        context.say(f"data model: {', '.join(entity.plural_title for entity in blueprint.entities)}")
        context.check()
        derived = {path: text.encode() for path, text in render(blueprint).items()}
        made = make(context, blueprint, derived)
        broken = _broken(made.files)
        for path, content in made.files.items():
            context.artifacts.write_bytes(f"{PREFIX}/{path}", content)
        context.say(f"{len(made.files)} files written")
        build = describe(blueprint, made.files, broken=broken, repair=made.repair, fault=made.fault)
        if made.improved is None:
            return build
        from zts_worker.crews.builder_team import described

        before = context.earlier("build") or {}
        return described(build, made.improved, files=made.files, derived=derived, before=before)


def _tasks(context: StepContext) -> list[Mapping[str, Any]]:
    tasks = (context.earlier("graph") or {}).get("tasks")
    return [task for task in tasks if isinstance(task, Mapping)] if isinstance(tasks, Sequence) else []


def _left_out(context: StepContext, sentences: Sequence[str]) -> list[str]:
    """What the idea's own sentences leave for later, as the validation read them."""
    scope = (context.earlier("validation") or {}).get("mvp_scope")
    points = scope.get("left_out") if isinstance(scope, Mapping) else None
    return [str(point) for point in points or () if point in sentences]


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
