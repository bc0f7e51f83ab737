"""Decides what a project consists of: tables, fields, references and actions, all from the idea's reading."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zts_worker.crews.building.naming import class_name, identifier, label, one_line, package_name, unique
from zts_worker.crews.building.plans import ActionPlan, Blueprint, EntityPlan, FieldPlan, ReferencePlan
from zts_worker.crews.reading import Action, Attribute, Entity, IdeaReading


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COLUMNS = ("id", "created_at", "updated_at", "history", "token")
_ROUTES = ("api", "health", "static", "new")
_CONSTANTS = ("CREATE_TABLE", "INSERT", "UPDATE", "DELETE", "ONE", "PAGE", "COUNT", "TOTALS", "CHOICES")
_CREATING = _words("""
    add book collect create enter list log make note order place plan post publish record register report
    request reserve save schedule store submit track upload write""")
_PLAIN = _words("""
    browse change check compare delete edit filter find get give have hold include keep look manage need open
    read remove search see show sort update use view want""")
_MAX_ACTIONS = 6
_ENTRY = Entity("entry", "entries", "Entry", (Attribute("notes", "long_text", False),), (), "")


def draw(reading: IdeaReading, *, tasks: Sequence[Mapping[str, Any]] = (), left_out: Sequence[str] = ()) -> Blueprint:
    """The blueprint of an idea.

    The README lists the titles of the graph crew's `tasks`, and what the validation's scope left out.
    """
    package = package_name(reading.slug)
    title = one_line(reading.title, at_most=70) or "An idea"
    return Blueprint(
        title=title,
        summary=one_line(reading.summary, at_most=400) or title,
        language=reading.language if reading.language.isalpha() and reading.language != "und" else "en",
        package=package,
        distribution=package.replace("_", "-"),
        initial=next((letter.upper() for letter in title if letter.isalnum()), "Z")[:1],
        hue=zlib.crc32(package.encode()) % 360,
        entities=_entities(reading),
        milestones=tuple(_titles(tasks)),
        open_points=tuple(dict.fromkeys((*open_points(reading), *(one_line(point) for point in left_out)))),
        problem=one_line(reading.problem),
    )


def open_points(reading: IdeaReading) -> Iterator[str]:
    """What of the idea the project does not do, in sentences."""
    if not reading.entities:
        yield "No thing to keep track of was found in the idea: the project keeps plain entries."
    for service in reading.integrations:
        yield f"{one_line(service)} is not connected: that needs an account and its keys."
    built = {action.verb for action in reading.actions if action.entity is not None}
    for action in reading.actions:
        if action.entity is None and action.verb not in built | _PLAIN | _CREATING:
            yield f"“{one_line(action.verb)}” is not built: {one_line(action.sentence, at_most=160)}"


def _titles(tasks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for task in tasks[:60]:
        found = task.get("title") or task.get("name") if isinstance(task, Mapping) else None
        if isinstance(found, str) and found.strip():
            yield one_line(found, at_most=120)


def _entities(reading: IdeaReading) -> tuple[EntityPlan, ...]:
    names: dict[str, str] = {}
    routes: list[str] = list(_ROUTES)
    plans: list[EntityPlan] = []
    found = reading.entities or (_ENTRY,)
    for entity in found:
        names[entity.name] = unique(identifier(entity.name, otherwise="entry").rstrip("_"), names.values())
    titles = {entity.name: entity for entity in found}
    for entity in found:
        route = unique(identifier(entity.plural, otherwise=f"{names[entity.name]}_list").strip("_"), routes)
        routes.append(route)
        references = [titles[name] for name in _above(entity, titles)]
        actions = [action for action in reading.actions if action.entity == entity.name]
        plans.append(_plan(entity, names, route=route, references=references, actions=actions))
    return tuple(plans)


def _above(entity: Entity, known: Mapping[str, Entity]) -> Iterator[str]:
    """What `entity` belongs to, without what belongs to `entity` itself: a first record must be possible."""
    for name in dict.fromkeys(entity.belongs_to):
        if name in known and entity.name not in _line(name, known):
            yield name


def _line(name: str, known: Mapping[str, Entity]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in known and current not in seen:
            seen.add(current)
            waiting += known[current].belongs_to
    return seen


def _plan(
    entity: Entity,
    names: Mapping[str, str],
    *,
    route: str,
    references: Sequence[Entity],
    actions: Sequence[Action],
) -> EntityPlan:
    name = names[entity.name]
    constant = name.upper()
    title = _title(entity)
    referred = tuple(_reference(target, names[target.name]) for target in references)
    return EntityPlan(
        name=name,
        module=identifier(name, otherwise="entry"),
        constant=f"{constant}_ENTITY" if constant in _CONSTANTS else constant,
        class_name=class_name(name),
        table=name,
        route=route.replace("_", "-"),
        title=title,
        plural_title=_plural_title(entity),
        create_label=_create_label(title, actions),
        sentence=one_line(entity.sentence),
        fields=_fields(entity.attributes, taken=[item.column for item in referred]),
        references=referred,
        actions=_actions(actions),
    )


def _title(entity: Entity) -> str:
    return one_line(entity.title, at_most=40) or label(entity.name)


def _plural_title(entity: Entity) -> str:
    title = _title(entity)
    # An identifier has lost its accents: better the singular as people write it than a maimed plural.
    return one_line(label(entity.plural), at_most=40) if title.isascii() else title


def _reference(target: Entity, name: str) -> ReferencePlan:
    return ReferencePlan(
        column=f"{name}_id",
        label=_title(target),
        entity=name,
        table=name,
        plural_title=_plural_title(target),
    )


def _fields(attributes: Sequence[Attribute], *, taken: Sequence[str]) -> tuple[FieldPlan, ...]:
    used = [*taken, *_COLUMNS]
    plans: list[FieldPlan] = []
    attributes = attributes or (Attribute("name", "text", False),)
    texts = [attribute for attribute in attributes if attribute.kind == "text"]
    # One field is enough to tell a record by; what else must be filled in, only its users know.
    needed = next((item for item in (*texts, *attributes) if item.kind != "flag"), None)
    for attribute in attributes:
        column = unique(identifier(attribute.name, otherwise="value").rstrip("_"), used)
        used.append(column)
        required = attribute is needed
        plans.append(FieldPlan(column, label(attribute.name), attribute.kind, required, attribute.personal))
    return tuple(plans)


def _create_label(title: str, actions: Sequence[Action]) -> str:
    for action in actions:
        if action.verb in _CREATING:
            return one_line(f"{action.verb.capitalize()} {title.lower() if title.isascii() else title}")
    return f"New {title.lower() if title.isascii() else title}"


def _actions(actions: Sequence[Action]) -> tuple[ActionPlan, ...]:
    plans: dict[str, ActionPlan] = {}
    for action in actions:
        name = identifier(action.verb, otherwise="").strip("_").replace("_", "-")
        if name and action.verb not in _PLAIN | _CREATING:
            plans.setdefault(name, ActionPlan(name, label(action.verb)))
    return tuple(plans.values())[:_MAX_ACTIONS]
