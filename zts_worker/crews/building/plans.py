"""Decides what a blueprint holds: frozen records that templates read, and nothing that needs the idea any more."""

from __future__ import annotations

import json
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SQL_TYPES = {"integer": "INTEGER", "money": "INTEGER", "number": "REAL", "flag": "INTEGER NOT NULL DEFAULT 0"}
_WRONG = {
    "date": "soon",
    "email": "nobody",
    "integer": "many",
    "money": "a lot",
    "number": "many",
    "url": "nowhere",
}
_EXAMPLES: dict[str, object] = {
    "date": "2030-01-31",
    "email": "ada@example.org",
    "flag": True,
    "integer": 7,
    "money": "12.50",
    "number": 2.5,
    "url": "https://example.org/page",
}
_SEARCHED = frozenset({"text", "long_text", "email", "url"})
_ADDED_UP = _words("""
    amount calories count distance duration hours minutes number pages parts pieces points portions quantity
    rounds seats steps stock total""")


@dataclass(frozen=True)
class FieldPlan:
    """One column that people fill in."""

    column: str
    label: str
    kind: str
    required: bool
    personal: bool

    @property
    def sql_type(self) -> str:
        """The column's type in SQLite."""
        return _SQL_TYPES.get(self.kind, "TEXT")

    @property
    def adds_up(self) -> bool:
        """Whether a sum over records means something: amounts of money, and counts of things."""
        counts = not _ADDED_UP.isdisjoint(self.column.split("_"))
        return self.kind == "money" or (self.kind in ("integer", "number") and counts)


@dataclass(frozen=True)
class ReferencePlan:
    """A column that names a record of another table."""

    column: str
    label: str
    entity: str
    table: str
    plural_title: str


@dataclass(frozen=True)
class ActionPlan:
    """Something people do to a record."""

    name: str
    label: str


@dataclass(frozen=True)
class EntityPlan:
    """One kind of record: its module, table, address, fields, references and actions."""

    name: str
    module: str
    constant: str
    class_name: str
    table: str
    route: str
    title: str
    plural_title: str
    create_label: str
    sentence: str
    fields: tuple[FieldPlan, ...]
    references: tuple[ReferencePlan, ...]
    actions: tuple[ActionPlan, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a record is written with."""
        return (*(item.column for item in self.fields), *(item.column for item in self.references))

    @property
    def searched(self) -> tuple[str, ...]:
        """The columns a search looks at."""
        return tuple(item.column for item in self.fields if item.kind in _SEARCHED)

    @property
    def summed(self) -> tuple[str, ...]:
        """The columns that are added up."""
        return tuple(item.column for item in self.fields if item.adds_up)

    @property
    def schema_names(self) -> tuple[str, ...]:
        """What its module needs from the project's schema module, sorted."""
        names = ["Entity", "Statements"]
        names += ["Action"] if self.actions else []
        names += ["Reference"] if self.references else []
        return tuple(sorted(names))

    @property
    def wrong_samples(self) -> tuple[tuple[str, str], ...]:
        """For each column that can be wrong, a value that is."""
        return tuple((item.column, _WRONG[item.kind]) for item in self.fields if item.kind in _WRONG)

    @property
    def example_json(self) -> str:
        """A record as the API takes it."""
        example = {item.column: _EXAMPLES.get(item.kind, "Sample") for item in self.fields}
        return json.dumps(example | {item.column: 1 for item in self.references})


@dataclass(frozen=True)
class Blueprint:
    """The whole project; equal blueprints give equal files."""

    title: str
    summary: str
    language: str
    package: str
    distribution: str
    initial: str
    hue: int
    entities: tuple[EntityPlan, ...]
    milestones: tuple[str, ...]
    open_points: tuple[str, ...]
    problem: str
