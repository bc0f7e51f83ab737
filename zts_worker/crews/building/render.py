"""Decides how a blueprint becomes files: which template makes which file, and how text is made safe in each."""

from __future__ import annotations

import html
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zts_worker.crews.building.plans import Blueprint

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "project"
_WIDTH, _LINE = 88, 100
_DOTTED = {"gitignore": ".gitignore", "dockerignore": ".dockerignore"}


def render(blueprint: Blueprint) -> dict[str, str]:
    """All files of the project: relative POSIX path -> text."""
    environment = _environment()
    values = {name: getattr(blueprint, name) for name in blueprint.__dataclass_fields__}
    return dict(sorted(_files(environment, blueprint, values)))


def _files(environment: Environment, blueprint: Blueprint, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in environment.list_templates(extensions=["j2"]):
        template = environment.get_template(name)
        path = name.removesuffix(".j2")
        if path.endswith("entity.py"):
            for entity in blueprint.entities:
                target = path.replace("entity.py", f"{_stem(path, entity.module)}.py")
                yield _place(target, blueprint), template.render(values, entity=entity)
        else:
            yield _place(_DOTTED.get(path, path), blueprint), template.render(values)


def _stem(path: str, module: str) -> str:
    return module if path.startswith("package/") else f"entity_{module}"


def _place(path: str, blueprint: Blueprint) -> str:
    return re.sub(r"^package/", f"{blueprint.package}/", path)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - makes code, not pages: each text names its own filter
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {
        "docline": docline,
        "html": html.escape,
        "literal": literal,
        "prose": prose,
        "python": python,
        "quoted": quoted,
        "shell": shlex.quote,
        "wrapped": wrapped,
    }
    return environment


def literal(value: object) -> str:
    """A literal in double quotes, on one line, for Python, TOML and C."""
    return json.dumps(value, ensure_ascii=False)


def python(value: object) -> str:
    """A Python literal on one line, in the quotes that need fewer escapes."""
    if not isinstance(value, str) or value.count('"') <= value.count("'"):
        return literal(value)
    inner = literal(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inner}'"


def docline(text: str) -> str:
    """Text for the inside of a docstring."""
    return text.replace("\\", "/").replace('"', "'").rstrip(".")


def quoted(text: str) -> str:
    """A sentence as indented lines for the inside of a docstring."""
    lines = textwrap.wrap(docline(text), _WIDTH - 4, break_long_words=True)
    return "\n".join(f"    {line}" for line in lines)


def wrapped(text: str, *, after: int) -> str:
    """A Python string that follows `after` characters, over several lines where one cannot hold it."""
    if len(python(text)) + after <= _LINE:
        return python(text)
    lines = textwrap.wrap(text, _WIDTH - 12, drop_whitespace=False, break_long_words=True)
    return "(\n" + "\n".join(f"    {python(line)}" for line in lines) + "\n)"


def prose(text: str) -> str:
    """Text for one line of Markdown, without any effect on its layout."""
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", text)
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
