"""Decides which class a crew's name means: an entry point of the group `zerotoship.crews`, or `package.module:Class`.

Crews are imported when they are asked for, never before, so that one that is broken troubles nobody else. What our own
crews write stands in `crew_shapes.json` too, so that a submit checks a workflow without importing any of them. The file
is made by `python -m zts_core.catalogue`, and a test compares it with the crews.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from zts_core.crew import Crew, Role
from zts_core.errors import BadInput
from zts_core.limits import MOST_SLOTS
from zts_core.workflow.closest import suggestion
from zts_core.workflow.shapes import CrewShape, shape_of

GROUP = "zerotoship.crews"
"""The entry-point group in which packages announce their crews."""

SHAPES = Path(__file__).with_name("crew_shapes.json")

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]*\Z")


class CrewInvalid(BadInput):
    """No crew has this name, or what has it is no crew."""


def list_crews() -> tuple[str, ...]:
    """Names of all announced crews, sorted; none of them is imported."""
    return tuple(sorted(_announced()))


@lru_cache(maxsize=256)
def find_crew(name: str) -> type[Crew]:
    """The class of a crew, checked against the contract; `CrewInvalid` says what is wrong with it."""
    return check_crew(name, _imported(name))


@lru_cache(maxsize=256)
def find_shape(name: str) -> CrewShape:
    """What the crew of this name writes; `CrewInvalid` as `find_crew`."""
    if known := _known_shapes().get(name):
        return CrewShape(name, known["namespace"], known["schema"])
    crew = find_crew(name)
    return shape_of(name, crew.namespace, crew.Output)


def find_limit(name: str) -> int:
    """`max_concurrent` of the crew of this name; `CrewInvalid` as `find_crew`."""
    known = _known_shapes().get(name)
    return known["max_concurrent"] if known else max_concurrent(find_crew(name))


@cache
def _known_shapes() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(SHAPES.read_text("utf-8"))
    return found


def shapes_as_they_are() -> dict[str, dict[str, Any]]:
    """What `crew_shapes.json` should say, read from our own crews themselves."""
    crews = {name: find_crew(name) for name in sorted(_shipped())}
    return {
        name: {
            "namespace": crew.namespace,
            "max_concurrent": max_concurrent(crew),
            "schema": shape_of(name, crew.namespace, crew.Output).schema,
        }
        for name, crew in crews.items()
    }


def max_concurrent(crew: type[Crew]) -> int:
    """How many steps of a crew may be at work at once in all runs; 0 where it does not say."""
    limit: object = getattr(crew, "max_concurrent", 0)
    if type(limit) is not int or not 0 <= limit <= MOST_SLOTS:
        raise CrewInvalid(
            f"max_concurrent of the crew {crew.name} is {limit!r:.60}; give a whole number from 1 to {MOST_SLOTS}, "
            "or leave it out for no limit"
        )
    return limit


def team_of(crew: type[Crew]) -> tuple[Role[Any], ...]:
    """The agents a crew has with a model, in the order of their work; none for a crew that names no `team`."""
    named: object = getattr(crew, "team", ())
    found = _imported_team(crew.name, named) if isinstance(named, str) else named
    if not isinstance(found, tuple) or not all(isinstance(role, Role) for role in found):
        raise CrewInvalid(f"the team of the crew {crew.name} is {found!r:.60}; give a tuple of zts_core.crew.Role")
    return found


def _imported_team(crew: str, place: str) -> object:
    try:
        return _load(EntryPoint(name=crew, value=place, group=GROUP))
    except Exception as error:  # whatever a foreign module raises while it is imported
        told = f"the team {place} of the crew {crew} cannot be imported ({type(error).__name__}: {error}); correct it"
        raise CrewInvalid(told) from error


@cache
def _shipped() -> dict[str, EntryPoint]:
    """Our own crews, read from one file: a look into those of all installed packages takes as long as pydantic."""
    try:
        return {point.name: point for point in distribution("zerotoship").entry_points.select(group=GROUP)}
    except PackageNotFoundError:
        return {}


def _announced() -> dict[str, EntryPoint]:
    return {**{point.name: point for point in entry_points(group=GROUP)}, **_shipped()}


def _point(name: str) -> EntryPoint | None:
    return _shipped().get(name) or _announced().get(name)


def _imported(name: str) -> object:
    point = EntryPoint(name=name, value=name, group=GROUP) if ":" in name else _point(name)
    if point is None:
        cure = suggestion(name, _announced(), otherwise="name an announced crew, or one by package.module:Class")
        raise CrewInvalid(f"no crew is called {name}; {cure}")
    try:
        return _load(point)
    except Exception as error:  # whatever a foreign module raises while it is imported
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        cure = (
            "install its package, put its folder on PYTHONPATH, or correct it"
            if isinstance(error, ImportError)
            else "correct it"
        )
        raise CrewInvalid(f"the crew {name} cannot be imported ({reason}); {cure}") from error


def _load(point: EntryPoint) -> object:
    module_name, _, attribute = point.value.partition(":")
    if not re.fullmatch(r"[\w.]+", module_name) or not attribute.replace(".", "").isidentifier():
        raise ImportError(f"{point.value} is not of the form package.module:Class")
    found: object = importlib.import_module(module_name)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def check_crew(name: str, found: object) -> type[Crew]:
    """`found` as a crew class, or `CrewInvalid` with everything the contract misses."""
    if not isinstance(found, type):
        raise CrewInvalid(f"the crew {name} is {found!r:.60}; name a class")
    missing = list(_missing(found))
    if missing:
        raise CrewInvalid(f"the crew {name} lacks {', '.join(missing)}; see the contract in zts_core/crew.py")
    return cast(type[Crew], found)


def _missing(found: type) -> list[str]:
    output = getattr(found, "Output", None)
    checks = {
        "a `name` (text)": isinstance(getattr(found, "name", None), str),
        "a `namespace` (small letters, digits, underscores)": bool(
            _NAMESPACE.match(str(getattr(found, "namespace", "")))
        ),
        "an `Output` (a pydantic model)": isinstance(output, type) and issubclass(output, BaseModel),
        "a method `run(context)`": callable(getattr(found, "run", None)),
    }
    return [what for what, there in checks.items() if not there]


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(known)}" for name, known in shapes_as_they_are().items()]
    SHAPES.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
