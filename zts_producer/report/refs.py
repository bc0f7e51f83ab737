"""Decides what a namespace holds in the end: its output and its files, by the reference the run's position keeps."""

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


def output_at(ref: Ref, results: Results) -> dict[str, Any]:
    """The output behind a reference; of a foreach `{"items": [...]}` in item order."""
    if isinstance(ref, int):
        return dict(results[ref].output) if ref in results else {}
    if "items" in ref:
        return {"items": [dict(results[seq].output) for seq in steps_of(ref) if seq in results]}
    return merge_values(ref["merge"], [output_at(part, results) for part in ref["of"]])


def effective(refs: Mapping[str, Ref], results: Results) -> dict[str, Ref]:
    """What each namespace holds; where a run ended before a join, what its newest step gave."""
    newest: dict[str, Ref] = {results[seq].namespace: seq for seq in sorted(results) if results[seq].namespace}
    return {**newest, **refs}
