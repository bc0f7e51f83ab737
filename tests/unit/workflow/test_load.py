"""Reading workflow files: forms, places, complaints all at once, and nothing that a file can do to the program."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_core.workflow.load import MAX_BYTES, Loaded, load_file, load_text
from zts_core.workflow.translate import MAX_PROBLEMS
from zts_core.workflow.yaml_reader import MAX_DEPTH, MAX_VALUES, Reader, Unreadable

ONE = "name: one\nsequence:\n  - {state: A, crew: X}\n"


def told(text: str) -> list[tuple[str, int, str]]:
    """Code, line and node path of every problem."""
    return [(problem.code, problem.line, problem.path) for problem in load_text(text, "f.yaml").problems]


def said(text: str) -> str:
    return "\n".join(str(problem) for problem in load_text(text, "f.yaml").problems)


def step(line: str) -> str:
    """A workflow of one step with one more line."""
    return f"name: one\nsequence:\n  - state: A\n    crew: X\n    {line}\n"


# -- forms


def test_a_file_holds_one_workflow() -> None:
    loaded = load_text(ONE, "f.yaml")
    assert list(loaded.workflows) == ["one"]
    assert loaded.problems == ()
    assert not loaded.has_errors


def test_a_file_holds_a_mapping_of_names_to_workflows_with_or_without_a_name_inside() -> None:
    loaded = load_text(
        "a:\n  sequence: [{state: A, crew: X}]\nb:\n  name: b\n  sequence: [{state: B, crew: X}]\n", "f.yaml"
    )
    assert list(loaded.workflows) == ["a", "b"]
    assert loaded.problems == ()


def test_metadata_is_kept_as_it_was_written() -> None:
    loaded = load_text(
        "name: one\nmetadata: {owner: me, since: 2024-01-31, deep: {list: [1, 2.5, null, true]}}\n" + ONE[10:], "f"
    )
    assert loaded.workflows["one"].metadata == {
        "owner": "me",
        "since": "2024-01-31",
        "deep": {"list": [1, 2.5, None, True]},
    }


def test_inner_steps_of_a_loop_get_its_crew_where_they_name_none() -> None:
    text = """
name: one
sequence:
  - loop:
      state_prefix: L
      crew: X
      max_iterations: 2
      sequence:
        - {state: A}
        - {state: B, crew: Y}
        - parallel: [{state: C}, {sequence: [{state: D}]}]
        - loop: {state_prefix: M, max_iterations: 2}
        - foreach: {over: a.b, as: item, step: {state: E}}
        - {state: COMPLETED}
"""
    loaded = load_text(text, "f.yaml")
    assert loaded.problems == ()
    dumped = str(loaded.workflows["one"].model_dump(by_alias=True))
    assert dumped.count("'crew': 'X'") == 6
    assert dumped.count("'crew': 'Y'") == 1


def test_anchors_aliases_and_merge_keys_work_as_in_safe_load() -> None:
    text = """
name: one
metadata: {defaults: &defaults {timeout: 60, retry_attempts: 2}}
sequence:
  - {<<: *defaults, state: A, crew: X}
  - {<<: [*defaults], state: B, crew: X, timeout: 90}
"""
    steps = load_text(text, "f.yaml").workflows["one"].sequence
    assert [(entry.timeout, entry.retry_attempts) for entry in steps] == [(60, 2), (90, 2)]  # type: ignore[union-attr]


def test_every_node_and_field_has_its_line() -> None:
    lines = load_text(step("conditions:\n      - {field: a.b, operator: exists}"), "f.yaml").lines
    assert lines["one"] == 1
    assert lines["one/sequence[0]"] == 3
    assert lines["one/sequence[0]/crew"] == 4
    assert lines["one/sequence[0]/conditions[0]/operator"] == 6


# -- complaints


@pytest.mark.parametrize(
    ("line", "code", "path", "fragments"),
    [
        ("timeout: yes", "ZTS012", "timeout", ["`yes` was read as the bool true"]),
        ('timeout: "300"', "ZTS012", "timeout", ["write 300 without quotes"]),
        ("timeout: -1", "ZTS013", "timeout", ["-1 is not more than 0"]),
        ("timeout: 99999999", "ZTS013", "timeout", ["at most"]),
        ("timeout: .nan", "ZTS013", "timeout", []),
        ("retry_attempts: 1.5", "ZTS012", "retry_attempts", ["whole number"]),
        ("retry_attempts: true", "ZTS012", "retry_attempts", ["bool true"]),
        ("retry_attempts: 21", "ZTS013", "retry_attempts", ["at most 20"]),
        ("on_error: no", "ZTS013", "on_error", ["fail, continue", "YAML reads no as a bool"]),
        ("on_error: contnue", "ZTS013", "on_error", ["did you mean `continue`?"]),
        ("with: [1]", "ZTS012", "with", ["a mapping was expected, and a list was read"]),
        ("with: {a: .inf}", "ZTS006", "with", ["inf"]),
        ("with: {1: a}", "ZTS006", "", ["the key `1` as a number"]),
        ("with: {? [a] : b}", "ZTS006", "", ["a key is a list"]),
        ("with: {a: !!binary aGk=}", "ZTS006", "", ["`!!binary`"]),
        ("with: {a: !mine x}", "ZTS006", "", ["`!mine`"]),
        ("with: {a: 2024-13-45}", "ZTS006", "", ["looks like a date"]),
        ("with: !!set {a}", "ZTS006", "", ["`!!set`"]),
        ("conditions: {field: a.b}", "ZTS012", "conditions", ["start each entry with a dash"]),
        ("conditions: [x]", "ZTS012", "conditions[0]", ['the text "x" was read']),
        ("conditions: [{all: []}]", "ZTS013", "conditions[0]/all", ["it is empty"]),
        ("conditions: [{field: b, operator: exists}]", "ZTS013", "conditions[0]/field", ["validation.confidence"]),
        ('conditions: [{field: a.b, operator: "="}]', "ZTS013", "conditions[0]/operator", ["`==`"]),
        ("conditions: [{field: a.b, operator: not in}]", "ZTS013", "conditions[0]/operator", ["`not_in`"]),
        ("conditions: [{field: a.b, operator: != }]", "ZTS006", "", ["write '!=' in quotes"]),
        ("conditions: [{field: a.b, operator: exists, on_fail: skp}]", "ZTS013", "conditions[0]/on_fail", ["`skip`"]),
        ("conditions: [{field: a.b, operator: exists, on_fail: {escalate_to: 3}}]", "ZTS012", "", ["'3' in quotes"]),
        ("conditions: [{field: a.b, operator: exists, on_fail: {goto: x}}]", "ZTS010", "", ["`goto`"]),
        ("tiemout: 3", "ZTS010", "tiemout", ["did you mean `timeout`?"]),
        ("xyz: 3", "ZTS010", "xyz", ["known here: state, crew"]),
        ("<<: 3", "ZTS002", "", ["`<<` takes mappings only"]),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_cure(line: str, code: str, path: str, fragments: list[str]) -> None:
    problems = load_text(step(line), "f.yaml").problems
    found = [problem for problem in problems if problem.code == code]
    assert found, said(step(line))
    assert found[0].line == 5
    assert found[0].file == "f.yaml"
    if path:
        assert found[0].path == f"one/sequence[0]/{path}"
    for fragment in fragments:
        assert fragment in str(found[0])


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("{operator: !=}", "write operators such as '!=' in quotes"),
        ("operator: >=\n", "write operators such as '>=' in quotes"),
        ("a:\n\t- b", "spaces, not with tabs"),
        ("a: *nothing", "write `&nothing` where the value is defined"),
        ("a: 1\n---\nb: 2", "several documents"),
        ("a: \0", "unacceptable character"),
        ("a: 'x", "f.yaml:1"),
        ("a: &a {b: *a}", "stands inside `&a`"),
        ("", "it holds nothing"),
        ("# only a comment\n", "it holds nothing"),
        ("{}", "it holds nothing"),
        ("just text", "it holds a text"),
        ("[1]", "it holds a list"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, fragment: str) -> None:
    loaded = load_text(text, "f.yaml")
    assert fragment in said(text)
    assert loaded.workflows == {}
    assert loaded.broken == {"f"}
    assert loaded.has_errors


def test_all_problems_of_a_file_are_told_at_once_from_top_to_bottom() -> None:
    text = """
first:
  sequence:
    - {state: a, crew: X}
    - {crew: X}
    - loop: {state_prefix: L, max_iterations: 0}
second: 7
third:
  sequence:
    - {state: B, crew: X, crew: Y}
fourth:
  sequence:
    - {state: C, crew: X}
"""
    assert told(text) == [
        ("ZTS013", 4, "first/sequence[0]/state"),
        ("ZTS011", 5, "first/sequence[1]"),
        ("ZTS013", 6, "first/sequence[2]/loop/max_iterations"),
        ("ZTS012", 7, "second"),
        ("ZTS005", 10, ""),
    ]
    loaded = load_text(text, "f.yaml")
    assert list(loaded.workflows) == ["third", "fourth"]
    assert loaded.broken == {"first", "second"}


def test_fields_that_slipped_out_of_their_loop_are_explained() -> None:
    text = "name: one\nsequence:\n  - loop:\n    state_prefix: L\n    crew: X\n"
    assert "indent what belongs to `loop` further" in said(text)


def test_a_bare_greater_sign_is_explained() -> None:
    text = step("conditions:\n      - field: a.b\n        operator: >\n        value: 1")
    assert "write operators such as '>' in quotes" in said(text)


def test_a_loop_without_a_body_is_told() -> None:
    text = "name: one\nsequence:\n  - loop: {state_prefix: L, max_iterations: 2}\n"
    assert told(text) == [("ZTS011", 3, "one/sequence[0]/loop")]


def test_a_workflow_without_a_name_is_known_by_its_file() -> None:
    loaded = load_text("sequence: [{state: A, crew: X}]", "folder/mine.yaml")
    assert loaded.broken == {"mine"}
    assert "`name` is missing" in str(loaded.problems[0])


def test_more_problems_than_a_person_reads_are_counted() -> None:
    text = "name: one\nsequence: [" + "3, " * 1000 + "]"
    problems = load_text(text, "f.yaml").problems
    assert len(problems) <= MAX_PROBLEMS + 1
    assert "800 more problems" in said(text)


# -- files


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    for name, encoding in (("a.yaml", "utf-8"), ("b.yaml", "utf-8-sig")):
        (tmp_path / name).write_text(ONE, encoding=encoding)
        assert list(load_file(tmp_path / name).workflows) == ["one"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: café".encode("latin-1"))
    (tmp_path / "huge.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.yaml")
    expected = {"missing.yaml": "ZTS001", "latin.yaml": "ZTS001", "huge.yaml": "ZTS003", "pipe.yaml": "ZTS001"}
    for name, code in {**expected, ".": "ZTS001", "a\0b": "ZTS001"}.items():
        loaded = load_file(tmp_path / name)
        assert [problem.code for problem in loaded.problems] == [code]
        assert loaded.problems[0].file
        assert loaded.workflows == {}


# -- bombs and noise

BOMBS = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)),
    "merges": "a: &a {x: 1}\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{','.join(['*' + chr(97 + i)] * 9)}]}}\n" for i in range(20)),
    "depth by alias": f"a: &a {'[' * 25}{']' * 25}\nb: &b {'[' * 25}*a {']' * 25}\nc: {'[' * 25}*b {']' * 25}\n",
    "open brackets": "[" * 500_000,
    "dashes": "- " * 300_000,
    "question marks": "? " * 300_000,
    "values": "name: a\nsequence: [" + "1," * 300_000 + "]",
    "keys": "".join(f"k{i}: 1\n" for i in range(60_000)),
    "long key": f"{{? {'x' * 400_000} : 1}}",
    "base 60": "a: " + "1:" * 300_000 + "1",
    "digits": "a: " + "9" * 600_000,
    "anchors": "".join(f"- &k{i} 1\n" for i in range(49_000)),
    "deep and wide": "name: a\nsequence: " + "[{sequence: " * 20 + "[" + "{state: 3}," * 9_000 + "]" + "}]" * 20,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_bounded_memory(name: str) -> None:
    tracemalloc.start()
    loaded = load_text(BOMBS[name], "bomb.yaml")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loaded.has_errors
    assert most < 200 * 1024 * 1024


def test_the_limits_are_reached_before_they_are_passed() -> None:
    deep = "x: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert "ZTS003" not in said(deep)
    assert "ZTS003" in said("x: [" + deep[3:] + "]")
    wide = "x: [" + "1," * (MAX_VALUES - 3) + "]"
    assert "holds more than" not in said(wide)
    assert "holds more than" in said("x: [" + "1," * MAX_VALUES + "]")


def _sound(loaded: Loaded) -> None:
    """A file gave workflows or reasons, and every reason can be printed on one line."""
    assert loaded.workflows or loaded.has_errors
    for problem in loaded.problems:
        assert "\n" not in str(problem)
        assert problem.code.startswith("ZTS")
        assert problem.cure


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_make_the_loader_raise(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.yaml"
    path.write_bytes(content)
    _sound(load_file(path))


YAMLISH = st.lists(
    st.sampled_from(
        [
            "name: ",
            "sequence:",
            "- ",
            "  ",
            "\n",
            "{",
            "}",
            "[",
            "]",
            ",",
            ": ",
            "state: A",
            "crew: X",
            "loop:",
            "parallel:",
            "*a",
            "&a ",
            "<<: ",
            "!!str ",
            "!x ",
            "'",
            '"',
            "> ",
            ">=",
            "no",
            "2024-01-01",
            "1:2",
            "0x1f",
            "1e3",
            ".nan",
            "~",
            "? ",
            "# ",
            "---",
            "...",
            "%YAML 1.1",
            "\t",
            "max_iterations: 3",
            "state_prefix: L",
            "conditions: ",
            "field: a.b",
            "operator: ",
            "on_fail: ",
            "escalate_to: ",
            "foreach: ",
            "as: t",
            "over: a.b",
            "step: ",
            "with: ",
            "é",
            "\x85",
            "\x07",
            "`",
            "@",
        ]
    ),
    max_size=60,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=YAMLISH)
def test_no_text_that_looks_like_yaml_makes_the_loader_raise(text: str) -> None:
    _sound(load_text(text, "f.yaml"))


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "name",
        "metadata",
        "sequence",
        "state",
        "crew",
        "parallel",
        "loop",
        "foreach",
        "approval",
        "call",
        "step",
        "conditions",
        "field",
        "operator",
        "value",
        "on_fail",
        "max_iterations",
        "break_conditions",
        "state_prefix",
        "over",
        "as",
        "all",
        "any",
        "not",
        "timeout",
        "with",
        "merge",
    ]
)
workflowish = st.recursive(
    plain | st.sampled_from(["A", "COMPLETED", "a.b", "==", "skip"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(data=st.fixed_dictionaries({"name": st.just("a"), "sequence": st.lists(workflowish, min_size=1, max_size=4)}))
def test_no_structure_makes_the_loader_raise(data: Any) -> None:
    _sound(load_text(yaml.safe_dump(data), "f.yaml"))


@settings(max_examples=200, deadline=None)
@given(data=plain, flow=st.booleans())
def test_values_are_those_of_safe_load(data: Any, flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    reader = Reader("f.yaml")
    assert reader.read(text)[0] == yaml.safe_load(text)
    assert not [problem for problem in reader.problems if problem.code != "ZTS009"]


@pytest.mark.parametrize(
    "scalar", ["yes", "No", "on", "0x1F", "0b11", "017", "1_000", "5:00", "1.5e3", "~", "", "2024-01-01", "'no'"]
)
def test_scalars_are_those_of_safe_load(scalar: str) -> None:
    assert Reader("f").read(f"a: {scalar}")[0] == yaml.safe_load(f"a: {scalar}")


def test_reading_stops_where_it_cannot_go_on() -> None:
    with pytest.raises(Unreadable):
        Reader("f").read("[")
