"""Decides what a namespace holds when several parallel steps wrote it: always in branch order, never in time order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from zts_core.run import Held, Ref
from zts_core.workflow.model import Merge


def merge_values(policy: Merge, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One output from several, in branch order.

    first / last: that one whole. union: lists are joined end to end, mappings merged, of other values the last one.
    max: the larger number, true before false, of other values the last one.
    """
    if policy in ("first", "last"):
        return dict(values[0 if policy == "first" else -1])
    merged: dict[str, Any] = {}
    for value in values:
        for key, new in value.items():
            merged[key] = _join(policy, merged[key], new) if key in merged else new
    return merged


def _join(policy: Merge, old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return merge_values(policy, (old, new))
    if policy == "union" and isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    if policy == "max" and isinstance(old, int | float) and isinstance(new, int | float):
        return max(old, new)
    return new


def merge_held(policy: Merge, held: Sequence[Held]) -> Held:
    """What the namespace holds after the join: a reference that readers resolve with `merge_values`."""
    if len(held) == 1:
        return held[0]
    if policy in ("first", "last"):
        return held[0 if policy == "first" else -1]
    ref: Ref = {"merge": policy, "of": [each.ref for each in held]}
    return Held(ref, digest_of(policy, *(each.digest for each in held)), _merge_facts(policy, held))


def _merge_facts(policy: Merge, held: Sequence[Held]) -> dict[str, Any]:
    facts = merge_values(policy, [each.facts for each in held])
    for name in [name for name in facts if name.startswith("#")]:
        lengths = [each.facts[name] for each in held if name in each.facts]
        facts[name] = sum(lengths) if policy == "union" else lengths[-1]
    return facts


def items_ref(first: int, count: int, without: Sequence[int], *, skipped: int = 0) -> Ref:
    """The reference to a foreach's outputs: ranges of step numbers in item order, and why it lacks how many items."""
    ranges: list[list[int]] = []
    missing = set(without)
    for item in range(count) if missing else ():
        if item in missing:
            continue
        if ranges and ranges[-1][1] == first + item - 1:
            ranges[-1][1] = first + item
        else:
            ranges.append([first + item, first + item])
    if not without and count:
        ranges = [[first, first + count - 1]]
    return {"items": ranges, "failed": len(without) - skipped, "skipped": skipped}


def digest_of(*parts: str) -> str:
    """A short digest (16 hexadecimal digits) of some strings, told apart by position."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
