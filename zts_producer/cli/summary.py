"""Decides what the last lines of a command say: how the run ended, what was built, how to start it."""

from __future__ import annotations

import sys

import click

from zts_core.ports import RunRecord
from zts_core.run import Outcome
from zts_producer.cli.output import emphasise
from zts_producer.client import Client
from zts_producer.narrate import printable
from zts_producer.report.build import built_commands, built_summary
from zts_producer.report.gather import outputs_of
from zts_producer.times import duration, now_ms, run_seconds


def print_summary(client: Client, record: RunRecord, folder: str) -> None:
    """A few lines on standard output."""
    took = duration(run_seconds(record, now_ms()))
    if sys.stdout.isatty():
        click.echo()
    emphasise(printable(f"{record.outcome or record.status}: {record.reason}"), _colour(record))
    click.echo(f"run {record.run_id}, {record.started} step{'' if record.started == 1 else 's'} in {took}")
    outputs = outputs_of(client, record.run_id)
    if summary := built_summary(outputs):
        click.echo(printable(f"built: {summary}"))
    if folder:
        click.echo(f"results: {folder}")
        for name, command in built_commands(outputs):
            click.echo(f"  {name}: {command}")


def _colour(record: RunRecord) -> str:
    return "green" if record.outcome is Outcome.COMPLETED else "yellow" if record.outcome is None else "red"
