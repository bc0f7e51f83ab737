"""Decides how a command follows a run: a live tree on a terminal, a line per event in a pipe, silence with --json."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Protocol

import click

from zts_core.errors import OutputFolderTaken, ServiceUnavailable, ZtsError
from zts_core.ports import LedgerEntry, RunRecord
from zts_core.run import RunStatus, StepStatus
from zts_producer.cli import INTERRUPTED
from zts_producer.cli.output import notice, print_json
from zts_producer.client import Client
from zts_producer.narrate import Narrator
from zts_producer.outcomes import exit_code
from zts_producer.times import clock

PATIENCE_S = 6.0
"""Seconds without any news after which a step that waits for a worker is worth a word."""


class Interrupted(ZtsError):
    """A person has seen enough; the run is not touched by that."""

    exit_code = INTERRUPTED


class Watcher(Protocol):
    """Shows a run while it goes on."""

    def __enter__(self) -> Watcher: ...

    def __exit__(self, *exception: object) -> None: ...

    def show(self, entries: Sequence[LedgerEntry]) -> None:
        """Show what is new; called about every `look_s` seconds, with nothing where nothing is."""

    @property
    def look_s(self) -> float:
        """Seconds to wait for news at most."""


class PlainWatcher:
    """One line per event."""

    look_s = 1.0

    def __init__(self) -> None:
        self._narrator = Narrator()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exception: object) -> None:
        sys.stdout.flush()

    def show(self, entries: Sequence[LedgerEntry]) -> None:
        for entry in entries:
            if line := self._narrator.tell(entry):
                click.echo(f"{clock(entry.at_ms)} {line}")


class SilentWatcher(PlainWatcher):
    """Nothing; the result will tell."""

    def show(self, _entries: Sequence[LedgerEntry]) -> None:
        """The result will tell."""


def follow_to_end(client: Client, record: RunRecord, *, as_json: bool) -> int:
    """Follow a run to its end, write its folder, say how it ended; the exit code of its outcome."""
    try:
        with _watcher(client, record, as_json=as_json) as watcher:
            _look_until_over(client, record.run_id, watcher)
    except KeyboardInterrupt:
        raise Interrupted(_how_to_go_on(client, record.run_id)) from None
    return conclude(client, client.record(record.run_id), as_json=as_json)


def conclude(client: Client, record: RunRecord, *, as_json: bool) -> int:
    """Write the folder of a run that has ended and say what came of it."""
    folder = _export(client, record)
    code = exit_code(record.outcome)
    if as_json:
        print_json({**client.status(record.run_id).to_json(), "folder": folder, "exit_code": code})
    else:
        from zts_producer.cli.summary import print_summary

        print_summary(client, record, folder)
    return code


def _export(client: Client, record: RunRecord) -> str:
    try:
        return str(client.export(record.run_id))
    except OutputFolderTaken as error:
        notice(f"the results are kept, but were not written: {error}; then `zts export {record.run_id}`")
        return ""


def _watcher(client: Client, record: RunRecord, *, as_json: bool) -> Watcher:
    if as_json:
        return SilentWatcher()
    if not sys.stdout.isatty():
        return PlainWatcher()
    from zts_producer.cli.live import LiveWatcher

    return LiveWatcher(client, record)


def _look_until_over(client: Client, run_id: str, watcher: Watcher) -> None:
    waiting = _WorkerHint(client, run_id, notice)
    for entries in client.looks(run_id, wait_s=watcher.look_s, say=notice):
        with contextlib.suppress(ServiceUnavailable):  # the next look finds out whether it stays away
            watcher.show(entries)
            waiting.note(entries)
            for cure in _cures(client, run_id, {entry.kind for entry in entries}):
                notice(cure)


def _cures(client: Client, run_id: str, kinds: Set[str]) -> Iterator[str]:
    """What a person can do about news that let the run wait, where it still does: news may be old."""
    if "approval_asked" in kinds and any(step.status is StepStatus.WAITING for step in client.steps(run_id)):
        yield f"`zts approve {run_id}` or `zts reject {run_id}` answers"
    if "paused" in kinds and client.record(run_id).status is RunStatus.PAUSED:
        yield f"`zts resume {run_id}` lets it go on"


class _WorkerHint:
    """Says once that nobody takes a step, and what to do about it."""

    def __init__(self, client: Client, run_id: str, say: Callable[[str], None]) -> None:
        self._client = client
        self._run_id = run_id
        self._say = say
        self._quiet_since = time.monotonic()
        self._said = False

    def note(self, entries: Sequence[LedgerEntry]) -> None:
        now = time.monotonic()
        if entries:
            self._quiet_since = now
        if self._said or now - self._quiet_since < PATIENCE_S:
            return
        # A full server takes neither claims nor results, so a step at work does not mean that all is well.
        said = self._client.services.advice().refuses or (self._cure() if self._nobody_works() else "")
        if said:
            self._said = True
            self._say(said)
        self._quiet_since = now

    def _nobody_works(self) -> bool:
        if self._client.record(self._run_id).status is not RunStatus.RUNNING:
            return False
        statuses = {step.status for step in self._client.steps(self._run_id)}
        return StepStatus.QUEUED in statuses and not statuses & {StepStatus.RUNNING, StepStatus.RETRYING}

    def _cure(self) -> str:
        if self._client.services.embedded:
            return self._client.services.trouble() or "no worker has taken the step yet; still waiting"
        return (
            f"no worker on {self._client.services.place} has taken the step yet; "
            "start one with `celery -A zts_worker worker`"
        )


def _how_to_go_on(client: Client, run_id: str) -> str:
    if client.services.embedded:
        return f"run {run_id} is kept with all its finished steps; `zts resume {run_id}` goes on with it"
    return f"run {run_id} goes on without this command; `zts watch {run_id}` follows it, `zts cancel {run_id}` stops it"
