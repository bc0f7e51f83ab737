"""Decides how a bench becomes files: which templates there are, and how text is made safe in each."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from zts_worker.crews.building.render import docline, literal, prose
from zts_worker.crews.prototyping.bench import Bench

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "prototype"


def render(bench: Bench) -> dict[str, str]:
    """All files of the prototype: relative POSIX path -> text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - makes code, not pages: each text names its own filter
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {"comment": _comment, "docline": docline, "literal": literal, "prose": prose}
    values = {name: getattr(bench, name) for name in bench.__dataclass_fields__}
    values["wiring_json"] = wiring_json(bench)
    files = {}
    for name in environment.list_templates(extensions=["j2"]):
        path = name.removesuffix(".j2")
        files[".gitignore" if path == "gitignore" else path] = environment.get_template(name).render(values)
    return files


def wiring_json(bench: Bench) -> str:
    """The wiring table as data."""
    wires = [asdict(wire) for wire in bench.wires]
    return json.dumps({"board": bench.board, "wires": wires}, indent=2, ensure_ascii=False)


def _comment(text: str) -> str:
    """Text for the inside of a C comment."""
    return text.replace("*/", "* /").replace("\\", "/").replace("??", "?")
