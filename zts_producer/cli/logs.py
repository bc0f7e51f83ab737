"""Decides how a run's log is shown: `zts logs`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from zts_producer.cli.options import HELP, run_argument

if TYPE_CHECKING:
    from zts_producer.journal import Line


@click.command(context_settings=HELP)
@run_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@click.option(
    "--level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="debug",
    show_default=True,
    help="The least level to show.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def logs(run: str, follow: bool, level: str, as_json: bool) -> None:
    """Show the log of RUN (an id, the beginning of one, or `last`): its history and what its crews logged."""
    from zts_producer.client import Client
    from zts_producer.journal import Journal

    with Client(workers=False) as client:
        run_id = client.find(run)
        journal = Journal(client.services.run_log, run_id, level=level)
        if not follow:
            _show(journal.read(client.services.store.ledger(run_id)), as_json=as_json)
            return
        for entries in client.looks(run_id):
            _show(journal.read(entries), as_json=as_json)


def _show(lines: list[Line], *, as_json: bool) -> None:
    for line in lines:
        click.echo(json.dumps(line.to_json(), ensure_ascii=False) if as_json else line.text())
    sys.stdout.flush()
