"""Decides what a reading of an idea holds: the frozen records every offline crew works from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["text", "long_text", "integer", "number", "money", "date", "flag", "email", "url"]
IdeaKind = Literal["web", "mobile", "hardware", "data", "marketplace", "internal_tool", "game", "api"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing known about an entity. `name` is a snake_case identifier, `personal` tells data about a person."""

    name: str
    kind: FieldKind
    personal: bool


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing the idea keeps track of, in the idea's own word.

    `name` (singular) and `plural` are snake_case ASCII identifiers and differ; `title` is the singular for people;
    `belongs_to` names other entities of the same reading (never in a circle); `sentence` is where it was found.
    """

    name: str
    plural: str
    title: str
    attributes: tuple[Attribute, ...]
    belongs_to: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user or the product does: base form of the verb, the entity it is done to, the sentence."""

    verb: str
    entity: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class IdeaReading:
    """All that the rules found in an idea's text. Texts are plain, unescaped and may hold any character.

    `entities` come most important first, 1 to 6 of them; there are none only where the text is no language the
    rules know any word of. `language` is an ISO 639-1 code, or "und" where none could be told.
    `not_judged` says in sentences what the rules could not read.
    """

    title: str
    slug: str
    summary: str
    problem: str
    audience: tuple[str, ...]
    entities: tuple[Entity, ...]
    actions: tuple[Action, ...]
    kind: IdeaKind
    sentences: tuple[str, ...]
    language: str
    monetisation: tuple[str, ...]
    alternatives: tuple[str, ...]
    numbers: tuple[str, ...]
    unlawful: tuple[str, ...]
    integrations: tuple[str, ...]
    not_judged: tuple[str, ...]
