"""Decides what every crew's answer says beside its own fields: how it was made and what it leaves open."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A frozen part of a crew's output."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CrewOutput(Answer):
    """Base of the outputs of the shipped crews."""

    mode: Literal["offline", "model"] = Field(description="`offline`: by rules and templates; `model`: by agents.")
    not_judged: list[str] = Field(default=[], description="Sentences saying what this form of the crew did not judge.")


class ModelChange(Answer):
    """A task an agent worked on: whether its files stayed, and why not where they did not."""

    title: str
    kept: bool
    files: list[str]
    reason: str = ""
