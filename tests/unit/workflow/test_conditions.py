"""Conditions: every operator, missing fields, values that do not fit, and patterns that would never end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from zts_core.workflow.comparing import compare, same
from zts_core.workflow.conditions import (
    MISSING,
    Verdict,
    facts_from,
    fields_of,
    first_failing,
    holds,
)
from zts_core.workflow.model import OPERATORS, Condition
from zts_core.workflow.patterns import MAX_PATTERN, MAX_TEXT, pattern_problem, search

CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)


def condition(raw: dict[str, Any]) -> Any:
    return CONDITION.validate_python(raw)


def leaf(operator: str, value: Any = None, field: str = "a.b") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def judge(operator: str, value: Any, found: Any) -> Verdict:
    return holds(condition(leaf(operator, value)), {} if found is MISSING else {"a.b": found})


@pytest.mark.parametrize(
    ("found", "operator", "value", "expected"),
    [
        (1, "==", 1.0, True),
        (1, "==", True, False),
        (True, "==", True, True),
        ("x", "==", "x", True),
        ([1, [2]], "==", [1.0, [2]], True),
        ({"a": 1}, "==", {"a": True}, False),
        (None, "==", None, True),
        (None, "==", 3, False),
        (None, "!=", 3, True),
        (2, "!=", 3, True),
        (3, "!=", 3, False),
        ("3", "!=", 3, False),
        (0.9, ">", 0.8, True),
        (0.8, ">", 0.8, False),
        (0.8, ">=", 0.8, True),
        (0.7, ">=", 0.8, False),
        (1, "<", 2, True),
        (2, "<", 2, False),
        (2, "<=", 2, True),
        (3, "<=", 2, False),
        ("a", "<", "b", True),
        (True, ">", 0, False),
        (False, "<", True, False),
        ("9", ">", 1, False),
        (None, "<", 1, False),
        ([2], ">", [1], False),
        (float("nan"), ">", 1, False),
        (2, "in", [1, 2], True),
        (True, "in", [1, 2], False),
        (3, "in", [1, 2], False),
        (3, "in", 3, False),
        (3, "not_in", [1, 2], True),
        (1, "not_in", [1, 2], False),
        (3, "not_in", "abc", False),
        ([1, 2], "contains", 2, True),
        ([1, 2], "contains", True, False),
        ("hello", "contains", "ell", True),
        ("hello", "contains", "z", False),
        ({"k": 1}, "contains", "k", True),
        (5, "contains", 5, False),
        ("go", "matches", "^(?:go|pivot)$", True),
        ("no_go", "matches", "^go$", False),
        (5, "matches", "5", False),
        ("x", "matches", 5, False),
        ("x", "matches", "(", False),
        (0, "exists", None, True),
        (0, "exists", True, True),
        (0, "exists", False, False),
        (None, "exists", True, False),
        (None, "exists", False, True),
        (MISSING, "exists", True, False),
        (MISSING, "exists", False, True),
    ],
)
def test_each_operator_judges_values_as_documented(found: Any, operator: str, value: Any, expected: bool) -> None:
    verdict = judge(operator, value, found)
    assert verdict.holds is expected
    assert verdict.explanation.startswith("a.b ")


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "exists"])
def test_a_missing_field_makes_every_comparison_false(operator: str) -> None:
    verdict = judge(operator, [1] if "in" in operator else 1, MISSING)
    assert not verdict.holds
    assert verdict.explanation.startswith("a.b is missing, so it ")


@pytest.mark.parametrize(
    ("found", "operator", "value", "said"),
    [
        (0.62, ">", 0.8, "a.b = 0.62 is not > 0.8"),
        (0.9, ">", 0.8, "a.b = 0.9 is > 0.8"),
        (MISSING, ">", 0.8, "a.b is missing, so it is not > 0.8"),
        (MISSING, "not_in", [1], "a.b is missing, so it does not count as not in [1]"),
        (False, "==", True, "a.b = false is not == true"),
        ("x", ">", 1, 'a.b = "x" is not > 1 (a text is not compared with a number)'),
        (True, ">", False, "a.b = true is not > false (a bool has no order)"),
        (3, "not_in", [3], "a.b = 3 is in [3]"),
        ("ab", "contains", "z", 'a.b = "ab" does not contain "z"'),
        ("ab", "matches", "z", 'a.b = "ab" does not match "z"'),
        (None, "exists", True, "a.b is null, which counts as missing, and must exist"),
        (4, "exists", False, "a.b exists (4), and must not"),
    ],
)
def test_a_verdict_names_field_value_and_comparison(found: Any, operator: str, value: Any, said: str) -> None:
    assert judge(operator, value, found).explanation == said


def test_all_any_and_not_combine_and_say_what_decided() -> None:
    one, two = leaf("==", 1, "a.one"), leaf("==", 2, "a.two")
    facts = {"a.one": 1, "a.two": 3}
    assert holds(condition({"all": [one, two]}), facts) == Verdict(False, "a.two = 3 is not == 2")
    assert holds(condition({"any": [two, one]}), facts) == Verdict(True, "a.one = 1 is == 1")
    assert holds(condition({"any": [two]}), facts) == Verdict(False, "a.two = 3 is not == 2")
    assert holds(condition({"not": one}), facts) == Verdict(False, "a.one = 1 is == 1, and must not")
    assert holds(condition({"not": {"not": one}}), facts).holds
    assert holds(condition({"all": [one]}), facts) == Verdict(True, "a.one = 1 is == 1")


def test_the_first_failing_entry_of_a_list_is_found() -> None:
    entries = [condition(leaf("==", 1)), condition(leaf("==", 2)), condition(leaf("==", 3))]
    found = first_failing(entries, {"a.b": 1})
    assert found is not None
    assert found[0] is entries[1]
    assert first_failing(entries[:1], {"a.b": 1}) is None
    assert first_failing([], {}) is None


def test_fields_of_a_condition_are_those_of_all_its_leaves() -> None:
    nested = condition({"all": [leaf("==", 1, "a.x"), {"any": [{"not": leaf("==", 1, "b.y.z")}]}]})
    assert fields_of(nested) == {"a.x", "b.y.z"}


def test_facts_from_data_follow_mappings_and_count_into_lists() -> None:
    facts = facts_from({"graph": {"tasks": [{"id": "t0"}], "note": None}})
    assert facts("graph.tasks.0.id") == "t0"
    assert facts("graph.note") is None
    for path in ("graph.tasks.1.id", "graph.tasks.x", "graph.note.deep", "nothing.here", "graph.tasks.-1"):
        assert facts(path) is MISSING


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(found=json_values | st.just(MISSING), operator=st.sampled_from(OPERATORS), value=json_values)
def test_no_data_makes_a_verdict_raise(found: Any, operator: str, value: Any) -> None:
    verdict = judge(operator, value, found)
    negated = holds(condition({"not": leaf(operator, value)}), {} if found is MISSING else {"a.b": found})
    assert verdict.explanation
    assert negated.holds is not verdict.holds


@settings(deadline=None)
@given(left=json_values, right=json_values)
def test_equality_is_reflexive_and_symmetric(left: Any, right: Any) -> None:
    assert same(left, left)
    assert same(left, right) == same(right, left)
    if same(left, right):
        assert compare(left, "==", right)[0]


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*)*",
        "(?:a|b)*c",
        "(a|aa)+$",
        "(a?a)*b",
        "((a+)b?)+",
        "(?P<x>a{1,3})+",
        "a?" * 40 + "a" * 40,
        "(a|a)" * 40,
        "x" * (MAX_PATTERN + 1),
        "(?x) a + # comment",
        "(?#()a",
        "(a)?(?(1)b|c)",
        "[[a]",
        ".*" * 12,
        "(",
        "a{99999999999999999999}",
    ],
)
def test_patterns_that_may_never_end_are_refused(pattern: str) -> None:
    assert pattern_problem(pattern)
    assert not search(pattern, "a").found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^go$", "go"),
        (r"\d+\.\d+", "v1.2"),
        (r"^v?\d+\.\d+\.\d+(?:-[a-z0-9.]+)?$", "v1.20.3-rc.1"),
        ("[]a-z]+", "]"),
        (r"[^\]]+x", "ax"),
        ("(?i)READY", "ready"),
        ("(ab){3}", "ababab"),
        (r"\(a\+\)\+", "(a+)+"),
        ("go|no_go", "no_go"),
        ("a{2,3}b", "aab"),
        ("x{,3}y", "xy"),
    ],
)
def test_ordinary_patterns_are_accepted(pattern: str, text: str) -> None:
    assert pattern_problem(pattern) is None
    assert search(pattern, text).found


@pytest.mark.parametrize("pattern", ["a+b", "a*a*b", "a*a*a*b", "^a*a*a*b", ".*.*=.*", "a{1,50}a{1,50}b"])
def test_accepted_patterns_end_soon_on_the_worst_text(pattern: str) -> None:
    assert pattern_problem(pattern) is None
    assert search(pattern, "a" * MAX_TEXT * 2).found is False  # without the bound these take hours


@settings(deadline=None)
@given(pattern=st.text(alphabet="ab()[]{}?*+|\\^$.,#<=!:P123x-", max_size=20) | st.text(max_size=20))
def test_no_pattern_makes_the_search_raise(pattern: str) -> None:
    refused = pattern_problem(pattern)
    assert not (refused and search(pattern, "abab").found)


def test_text_beyond_the_limit_is_not_searched_and_the_verdict_says_so() -> None:
    verdict = judge("matches", "end$", "x" * MAX_TEXT + "end")
    assert not verdict.holds
    assert f"searched in the first {MAX_TEXT} of {MAX_TEXT + 3} characters" in verdict.explanation
