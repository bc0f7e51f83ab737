"""Decides which run a person means: by id, by an unambiguous beginning of it, by its folder's name, or `last`."""

from __future__ import annotations

from pathlib import PurePath

from zts_core.errors import BadInput, UnknownRun
from zts_core.ports import RunStore
from zts_producer.naming import RUN_ID

SEARCHED = 10_000
"""How many of the newest runs a beginning is looked for in."""
SHOWN = 5


def find_run(store: RunStore, said: str, *, place: str) -> str:
    """The id of the run that `said` means; `place` says in messages where was looked."""
    wanted = said.strip()
    if wanted == "last":
        return _newest(store, place)
    name = PurePath(wanted.rstrip("/")).name.rpartition("-")[2].lower()
    if RUN_ID.fullmatch(name):
        return name
    found = [run.run_id for run in store.runs(limit=SEARCHED) if name and run.run_id.startswith(name)]
    if not found:
        raise UnknownRun(f"no run {said!r} in {place}; `zts list` shows the runs that are there")
    if len(found) > 1:
        named = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
        raise BadInput(f"{said!r} is the beginning of {len(found)} runs ({named}); give more of the id")
    return found[0]


def _newest(store: RunStore, place: str) -> str:
    # The very newest may have ended and be gone, and an older one go on.
    newest = store.runs(limit=1) or store.runs(limit=SEARCHED)
    if not newest:
        raise UnknownRun(f"no run in {place} yet; `zts-submit IDEA_FILE` starts one")
    return newest[0].run_id
