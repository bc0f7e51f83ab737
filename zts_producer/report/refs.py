"""Decides what each namespace holds in the end, also where a run ended before a join."""

from __future__ import annotations

from collections.abc import Mapping

from zts_core.outputs import Results
from zts_core.run import Ref


def effective(refs: Mapping[str, Ref], results: Results) -> dict[str, Ref]:
    """What each namespace holds; where a run ended before a join, what its newest step gave."""
    newest: dict[str, Ref] = {results[seq].namespace: seq for seq in sorted(results) if results[seq].namespace}
    return {**newest, **refs}
