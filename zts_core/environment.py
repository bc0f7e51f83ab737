"""Decides how environment variables and a `.env` file become the fields of a settings model.

pydantic-settings does this and more, and takes a command as much time as pydantic itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

EnvFile = str | Path | None


@dataclass(frozen=True)
class Variables:
    """In a field's annotation: the variables it is read from instead of the one named after it, strongest first."""

    names: tuple[str, ...]


def variables(*names: str) -> Variables:
    """`Variables`, as an annotation is written."""
    return Variables(names)


def read_file(file: EnvFile) -> dict[str, str]:
    """What a `.env` file sets and does not leave empty; nothing where there is no such file."""
    if not file or not Path(file).is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(file).items() if value}


class FromEnvironment(BaseModel):
    """A frozen model that takes what it is not called with from the environment, then from a file.

    Names of variables may be written in small letters too; a variable that is empty counts as not set.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    prefix: ClassVar[str] = ""

    def __init__(self, *, _env_file: EnvFile = ".env", **values: Any) -> None:
        sources = [_in_capitals(os.environ), _in_capitals(read_file(_env_file))]
        asked = [name for name in type(self).model_fields if name not in values]
        found = {name: text for name in asked if (text := _first(self.variables_of(name), sources))}
        super().__init__(**values, **found)

    @classmethod
    def variables_of(cls, field: str) -> tuple[str, ...]:
        """The variables that a field is read from, strongest first."""
        named = (each.names for each in cls.model_fields[field].metadata if isinstance(each, Variables))
        return next(named, (f"{cls.prefix}{field.upper()}",))


def _in_capitals(source: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in source.items() if value}


def _first(names: Iterable[str], sources: Iterable[Mapping[str, str]]) -> str:
    return next((source[name] for source in sources for name in names if name in source), "")
