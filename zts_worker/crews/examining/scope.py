"""Decides whether what the idea asks for is there: for each of its entities a module, a table and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zts_worker.crews.building.naming import identifier
from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.reading import IdeaReading


@dataclass(frozen=True)
class Scope:
    """Names of entities that are there and that are not, with a finding for each of the latter."""

    covered: tuple[str, ...]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]


def compare(
    reading: IdeaReading, build: Mapping[str, Any], *, files: Mapping[str, bytes], answers: Mapping[str, int]
) -> Scope:
    """`answers` are the statuses of the addresses that were asked; empty where nothing could be started."""
    built = {str(entity.get("name", "")): entity for entity in entities_of(build)}
    covered: list[str] = []
    findings: list[Finding] = []
    for entity in reading.entities:
        found = built.get(entity.name) or built.get(identifier(entity.name, otherwise="entry").rstrip("_"))
        lacking = list(_lacking(entity.title, found, files=files, answers=answers))
        findings += lacking
        covered += [] if lacking else [entity.name]
    missing = tuple(entity.name for entity in reading.entities if entity.name not in covered)
    return Scope(tuple(covered), missing, tuple(findings))


def entities_of(build: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entities of a build's data model, whoever made it."""
    model = build.get("data_model")
    entities = model.get("entities") if isinstance(model, Mapping) else None
    return [entity for entity in entities if isinstance(entity, Mapping)] if isinstance(entities, Sequence) else []


def addresses(build: Mapping[str, Any]) -> list[str]:
    """What a running build can be asked for."""
    found = [str(entity[name]) for entity in entities_of(build) for name in ("route", "api") if entity.get(name)]
    return ["/", *found]


def not_seen(validation: Mapping[str, Any], build: Mapping[str, Any]) -> list[str]:
    """Lines of the validation's scope in which no built entity is named: for a person to look at."""
    promised = validation.get("mvp_scope")
    lines = promised.get("included") if isinstance(promised, Mapping) else None
    names = {
        str(entity.get(name, "")).replace("_", " ").lower()
        for entity in entities_of(build)
        for name in ("name", "title", "plural")
    } - {""}
    return [str(line) for line in lines or () if not any(name in str(line).lower() for name in names)]


def _lacking(
    title: str, found: Mapping[str, Any] | None, *, files: Mapping[str, bytes], answers: Mapping[str, int]
) -> Iterator[Finding]:
    if found is None:
        yield Finding("missing_entity", "", f"the idea's {title} is not in the data model", key=title)
        return
    module = str(found.get("module", ""))
    if module not in files:
        yield Finding("missing_file", module, f"{module}, the module of {title}, is not there")
    elif not _has_table(str(found.get("table", "")), files):
        yield Finding("missing_entity", module, f"no table for {title} is created", key=f"{title} table")
    for name in ("route", "api"):
        path = str(found.get(name, ""))
        if answers and path and answers.get(path) != 200:
            message = f"{path} answers {answers.get(path) or 'not at all'}"
            yield Finding("missing_entity", module, message, key=f"{title} {name}")


def _has_table(table: str, files: Mapping[str, bytes]) -> bool:
    pattern = re.compile(
        rb'(?i)create\s+table\s+(?:if\s+not\s+exists\s+)?["`\[]?' + re.escape(table.encode()) + rb'["`\]\s(]'
    )
    return any(pattern.search(content) for path, content in files.items() if path.endswith((".py", ".sql")))
