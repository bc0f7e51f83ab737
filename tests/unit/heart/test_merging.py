"""Merging: one output from several, always in branch order, and facts that agree with the data they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zts_core.merging import digest_of, items_ref, merge_held, merge_values
from zts_core.run import Held
from zts_core.workflow.conditions import MISSING, lookup

scalars = st.one_of(st.integers(-3, 3), st.booleans(), st.sampled_from(["a", "b"]))
FIELDS = {
    "n": st.integers(-3, 3),
    "ok": st.booleans(),
    "text": st.sampled_from(["a", "b"]),
    "tags": st.lists(st.integers(0, 3), max_size=3),
    "deep": st.fixed_dictionaries(
        {}, optional={"n": st.integers(0, 3), "tags": st.lists(st.integers(0, 3), max_size=2)}
    ),
}
outputs = st.fixed_dictionaries({}, optional=FIELDS)
policies = st.sampled_from(["first", "last", "union", "max"])
READ = ("n", "ok", "text", "tags", "deep.n", "#tags", "#deep.tags")


def facts_of(output: dict[str, Any]) -> dict[str, Any]:
    """What a plan that reads all of READ would take from an output."""
    found: dict[str, Any] = {}
    for path in READ:
        value = lookup(output, path.removeprefix("#"))
        if path.startswith("#"):
            value = len(value) if isinstance(value, list) else MISSING
        if value is not MISSING:
            found[path] = value
    return found


@given(policies, st.lists(outputs, min_size=1, max_size=4))
def test_merged_facts_are_the_facts_of_the_merged_output(policy: Any, versions: list[dict[str, Any]]) -> None:
    held = [Held(seq, str(seq), facts_of(output)) for seq, output in enumerate(versions)]
    assert merge_held(policy, held).facts == facts_of(merge_values(policy, versions))


@given(policies, outputs)
def test_one_version_is_itself(policy: Any, output: dict[str, Any]) -> None:
    held = Held(4, "d", facts_of(output))
    assert merge_held(policy, [held]) == held
    assert merge_values(policy, [output]) == output


@given(st.sampled_from(["union", "max"]), outputs, outputs, outputs)
def test_merging_may_be_done_in_groups(policy: Any, a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    grouped = merge_values(policy, [merge_values(policy, [a, b]), c])
    assert merge_values(policy, [a, b, c]) == grouped == merge_values(policy, [a, merge_values(policy, [b, c])])


@pytest.mark.parametrize(
    ("count", "without", "expected"),
    [
        (0, [], []),
        (3, [], [[5, 7]]),
        (3, [0], [[6, 7]]),
        (3, [1], [[5, 5], [7, 7]]),
        (3, [0, 1, 2], []),
        (6, [0, 3], [[6, 7], [9, 10]]),
    ],
)
def test_items_are_found_by_ranges_of_numbers(count: int, without: list[int], expected: list[list[int]]) -> None:
    assert items_ref(5, count, without) == {"items": expected, "failed": len(without), "skipped": 0}


def test_digests_tell_parts_apart_by_position() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("a", "b") != digest_of("b", "a")
    assert len(digest_of()) == 16
