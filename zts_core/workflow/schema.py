"""Decides what an editor knows of the language: a JSON Schema made from the models.

`python -m zts_core.workflow.schema > docs/workflow.schema.json` writes it anew after the models have changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zts_core.workflow.model import Workflow

IN_LOOP = "InLoop"
"""Suffix of the definitions used inside a loop, where a step may leave its crew to the loop."""

_PREFIX = "#/$defs/"
_NODES = ("Step", "Terminal", "Parallel", "Loop", "Foreach", "Approval", "Call", "Sequence")


def workflow_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a workflow file: one workflow, or a mapping of names to workflows."""
    generated = Workflow.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = generated.pop("$defs")
    definitions = {name: _tidy(definition) for name, definition in definitions.items()}
    workflow = _tidy(generated)
    definitions["Node"] = {"anyOf": [{"$ref": _PREFIX + name} for name in _NODES]}
    definitions.update(_inside_loops(definitions))
    unnamed = {**workflow, "required": ["sequence"]}
    name_pattern = workflow["properties"]["name"]["pattern"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ZeroToShip workflow file",
        "description": "One workflow (`name`, `metadata`, `sequence`), or a mapping of names to workflows.",
        "if": {"required": ["sequence"]},
        "then": {"$ref": _PREFIX + "Workflow"},
        "else": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": name_pattern},
            "additionalProperties": {"$ref": _PREFIX + "NamedWorkflow"},
        },
        "$defs": {**dict(sorted(definitions.items())), "NamedWorkflow": unnamed, "Workflow": workflow},
    }


def schema_text() -> str:
    """The schema as the file in docs/ holds it."""
    return json.dumps(workflow_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """A schema without generated titles, and with one reference wherever any node may stand."""
    if isinstance(value, list):
        return [_tidy(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    alternatives = value.get("oneOf")
    if isinstance(alternatives, list):
        if {entry.get("$ref") for entry in alternatives} == {_PREFIX + name for name in _NODES}:
            return {"$ref": _PREFIX + "Node"}
        return {"anyOf": _tidy(alternatives)}
    return {key: _tidy(entry) for key, entry in value.items() if not (key == "title" and isinstance(entry, str))}


def _inside_loops(definitions: dict[str, Any]) -> dict[str, Any]:
    """The nodes once more as they may stand inside a loop; the loop's own sequence is pointed at them."""
    copied = ("Node", "Step", "Parallel", "Loop", "LoopBody", "Foreach", "ForeachBody", "Sequence")
    renamed = {_PREFIX + name: _PREFIX + name + IN_LOOP for name in copied}
    inside = {name + IN_LOOP: _renamed(definitions[name], renamed) for name in copied}
    step = inside["Step" + IN_LOOP]
    step["required"] = [key for key in step["required"] if key != "crew"]
    body = definitions["LoopBody"]
    body["properties"]["sequence"] = _renamed(body["properties"]["sequence"], renamed)
    return inside


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(entry, names) for entry in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: names.get(entry, entry) if key == "$ref" and isinstance(entry, str) else _renamed(entry, names)
        for key, entry in value.items()
    }


if __name__ == "__main__":
    print(schema_text(), end="")
