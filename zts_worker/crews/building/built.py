"""Decides what the builder says of a project it made."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zts_worker.crews.output import Answer, CrewOutput, ModelChange

PREFIX = "project"
"""The folder of the project below the build's artifacts."""


class BuiltFile(Answer):
    """A file of the project: its path below `project/`, SHA-256 in hex, size in bytes, and who made what it says."""

    path: str
    sha256: str
    bytes: int
    by: Literal["rules", "model"] = "rules"


class BuiltAttribute(Answer):
    """A column: its kind is text, long_text, integer, number, money, date, flag, email or url."""

    name: str
    label: str
    kind: str
    required: bool
    personal: bool


class BuiltEntity(Answer):
    """A kind of record; `module` is its file, `route` its address for people, `api` the one for programs."""

    name: str
    title: str
    plural: str
    table: str
    module: str
    route: str
    api: str
    attributes: list[BuiltAttribute]
    belongs_to: list[str]
    actions: list[str]
    sentence: str


class DataModel(Answer):
    """All kinds of records."""

    entities: list[BuiltEntity]


class Commands(Answer):
    """What a person types in the project's folder."""

    install: str
    test: str
    start: str


class ChangeOutcome(Answer):
    """What became of a change request: `action` on `path`, or the reason why nothing was done."""

    id: str
    kind: str
    action: str
    path: str
    reason: str = ""


class Build(CrewOutput):
    """What the builder gives."""

    status: Literal["completed", "failed"]
    project_name: str
    package: str
    data_model: DataModel
    files: list[BuiltFile]
    commands: Commands
    change_requests_applied: list[ChangeOutcome] = Field(default_factory=list)
    change_requests_left: list[ChangeOutcome] = Field(default_factory=list)
    model_changes: list[ModelChange] = Field(default_factory=list, description="What agents worked on, kept or not.")
    tests_passed: int | None = Field(default=None, description="At the last proof of the agents' work.")
    planted_fault: str | None = None
    summary: str
