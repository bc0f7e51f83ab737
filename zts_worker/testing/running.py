"""Decides how a crew is run without Redis, and what it has to keep to be one."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from zts_core.catalogue import check_crew
from zts_core.crew import Crew
from zts_core.errors import StepAbandoned
from zts_core.workflow.shapes import shape_of
from zts_worker.testing.context import IDEAS, TestContext


def run_crew(
    crew: type[Crew],
    context: TestContext | None = None,
    **given: Any,
) -> Any:
    """One attempt of `crew`, as the engine would make it: the output, checked against `crew.Output`.

    `given` is what `TestContext` takes (`idea`, `earlier`, `values`, ...); pass a context of your own to look at the
    files and lines afterwards. Raises what the crew raises, and AssertionError where its answer does not fit.
    """
    mine = context or TestContext(**given)
    try:
        returned = crew().run(mine)
        value = asyncio.run(_awaited(returned)) if inspect.isawaitable(returned) else returned
        return _checked(crew, value)
    finally:
        if context is None:
            mine.close()


def _demand(holds: bool, complaint: str) -> None:
    if not holds:
        raise AssertionError(complaint)


async def _awaited(value: Any) -> Any:
    return await value


def _checked(crew: type[Crew], value: Any) -> BaseModel:
    """The output as the next step would read it: through JSON and back."""
    try:
        output = value if isinstance(value, crew.Output) else crew.Output.model_validate(value)
        text = json.dumps(output.model_dump(mode="json", by_alias=True))
        crew.Output.model_validate_json(text)
    except (ValidationError, TypeError, ValueError) as error:
        raise AssertionError(f"{crew.name} gave no valid {crew.Output.__name__}: {error}") from error
    return output


def assert_contract(
    crew: type[Crew], *, ideas: tuple[str, ...] = IDEAS, earlier: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Check all that the engine and the static checks rely on; AssertionError says what is broken, and the cure.

    The class has its name, namespace, `Output` and `run`; `Output` has a schema that conditions can be checked
    against; on every idea the crew gives a valid output, leaves what earlier steps gave alone, writes only relative
    paths, and gives the same answer again when the attempt is repeated; where it looks, it stops on a cancel.
    """
    check_crew(crew.__name__, crew)
    shape_of(crew.name, crew.namespace, crew.Output)
    for idea in ideas:
        given = copy.deepcopy(dict(earlier or {}))
        first, files = _tried(crew, idea, given)
        _demand(given == dict(earlier or {}), f"{crew.name} changed what earlier steps gave; copy before you change")
        again, files_again = _tried(crew, idea, given)
        same = first == again and files == files_again
        _demand(same, f"{crew.name} answers differently when an attempt is repeated; leave out clocks and chance")
    _assert_stops(crew, ideas[0], earlier)


def _tried(crew: type[Crew], idea: str, earlier: Mapping[str, Mapping[str, Any]]) -> tuple[BaseModel, dict[str, bytes]]:
    context = TestContext(idea=idea, earlier=earlier)
    try:
        return cast(BaseModel, run_crew(crew, context)), context.artifacts.files
    finally:
        context.close()


def _assert_stops(crew: type[Crew], idea: str, earlier: Mapping[str, Mapping[str, Any]] | None) -> None:
    """A crew that never calls `check()` is only stopped by force; one that does must let the error through."""
    context = TestContext(idea=idea, earlier=earlier, cancelled=True)
    looked: list[bool] = []
    check = context.check

    def checked() -> None:
        looked.append(True)
        check()

    context.check = checked  # type: ignore[method-assign]
    try:
        run_crew(crew, context)
    except StepAbandoned:
        return
    finally:
        context.close()
    _demand(not looked, f"{crew.name} goes on after check() raised StepAbandoned; let that error through")
