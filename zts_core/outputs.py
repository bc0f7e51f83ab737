"""Decides what stands behind a reference: the output a namespace holds, put together from committed effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zts_core.merging import merge_values
from zts_core.ports import StepResult
from zts_core.run import Ref

Results = Mapping[int, StepResult]


def steps_of(ref: Ref) -> list[int]:
    """Numbers of the steps a reference stands for, in branch order."""
    if isinstance(ref, int):
        return [ref]
    if "items" in ref:
        return [seq for first, last in ref["items"] for seq in range(first, last + 1)]
    return [seq for part in ref["of"] for seq in steps_of(part)]


def output_at(ref: Ref, results: Results) -> Mapping[str, Any]:
    """The output behind a reference; of a foreach `{"items", "count", "failed", "skipped"}`, the items in order."""
    if isinstance(ref, int):
        return results[ref].output if ref in results else {}
    if "items" in ref:
        items = [dict(results[seq].output) for seq in steps_of(ref) if seq in results]
        return {"items": items, "count": len(items), "failed": ref.get("failed", 0), "skipped": ref.get("skipped", 0)}
    return merge_values(ref["merge"], [output_at(part, results) for part in ref["of"]])
