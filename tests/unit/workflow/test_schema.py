"""The JSON Schema: the committed file is current, accepts what the loader accepts, refuses plain mistakes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.unit.workflow.test_documented_language import EXAMPLES
from tests.unit.workflow.test_documented_problems import DOCS, sections
from zts_core.workflow.library import shipped_folder
from zts_core.workflow.schema import schema_text, workflow_schema

SCHEMA = workflow_schema()
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def accepts(schema: Any, value: Any) -> bool:
    """Whether a value fits a schema, for the keywords that ours uses; any other keyword is an error."""
    if schema is True:
        return True
    if "if" in schema:
        rest = {key: entry for key, entry in schema.items() if key not in ("if", "then", "else")}
        return accepts(rest, value) and accepts(schema["then" if accepts(schema["if"], value) else "else"], value)
    return all(_CHECKS[key](entry, value, schema) for key, entry in schema.items())


def _is_a(name: str, value: Any) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _properties(entry: Any, value: Any, _: Any) -> bool:
    return not isinstance(value, dict) or all(accepts(entry[key], value[key]) for key in value if key in entry)


def _additional(entry: Any, value: Any, schema: Any) -> bool:
    extra = [value[key] for key in value if key not in schema.get("properties", {})] if isinstance(value, dict) else []
    return not extra if entry is False else all(accepts(entry, each) for each in extra)


def _note(*_: Any) -> bool:
    return True


_CHECKS: dict[str, Any] = {
    **dict.fromkeys(("$schema", "$defs", "title", "description", "default"), _note),
    "$ref": lambda entry, value, _: accepts(SCHEMA["$defs"][entry.rpartition("/")[2]], value),
    "type": lambda entry, value, _: _is_a(entry, value),
    "anyOf": lambda entry, value, _: any(accepts(each, value) for each in entry),
    "enum": lambda entry, value, _: value in entry,
    "const": lambda entry, value, _: value == entry,
    "pattern": lambda entry, value, _: not isinstance(value, str) or re.search(entry, value) is not None,
    "required": lambda entry, value, _: not isinstance(value, dict) or all(key in value for key in entry),
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": lambda entry, value, _: not isinstance(value, dict) or all(accepts(entry, key) for key in value),
    "items": lambda entry, value, _: not isinstance(value, list) or all(accepts(entry, each) for each in value),
    "minItems": lambda entry, value, _: not isinstance(value, list) or len(value) >= entry,
    "minProperties": lambda entry, value, _: not isinstance(value, dict) or len(value) >= entry,
    "minLength": lambda entry, value, _: not isinstance(value, str) or len(value) >= entry,
    "minimum": lambda entry, value, _: not _is_a("number", value) or value >= entry,
    "maximum": lambda entry, value, _: not _is_a("number", value) or value <= entry,
    "exclusiveMinimum": lambda entry, value, _: not _is_a("number", value) or value > entry,
}


def test_the_committed_schema_is_current() -> None:
    committed = (DOCS / "workflow.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: python -m zts_core.workflow.schema > docs/workflow.schema.json"


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_workflow_fits_the_schema_and_points_to_it(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert accepts(SCHEMA, yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=../docs/workflow.schema.json\n")


@pytest.mark.parametrize("example", EXAMPLES, ids=[text.partition("\n")[0][:40] for text in EXAMPLES])
def test_an_example_of_the_reference_fits_the_schema(example: str) -> None:
    assert accepts(SCHEMA, yaml.safe_load(example))


@pytest.mark.parametrize("code", ["ZTS007", "ZTS010", "ZTS011", "ZTS012", "ZTS013"])
def test_an_editor_sees_the_mistakes_of_form(code: str) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", sections()[code][2], re.MULTILINE | re.DOTALL)
    assert not accepts(SCHEMA, yaml.safe_load(example))


def test_a_step_may_leave_its_crew_to_the_loop_around_it_and_nowhere_else() -> None:
    bare = {"state": "A"}
    loop = {"state_prefix": "L", "crew": "X", "max_iterations": 2, "sequence": [{"parallel": [bare]}]}
    assert accepts(SCHEMA, {"name": "a", "sequence": [{"loop": loop}]})
    assert not accepts(SCHEMA, {"name": "a", "sequence": [bare]})
    assert not accepts(SCHEMA, {"name": "a", "sequence": [{"parallel": [bare]}]})


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    references = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', schema_text()))
    assert references <= SCHEMA["$defs"].keys()
