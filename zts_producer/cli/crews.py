"""Decides what `zts crews` shows."""

from __future__ import annotations

import click

from zts_producer.cli.options import HELP, json_option


@click.group(context_settings=HELP)
def crews() -> None:
    """The crews that workflows can name."""


@crews.command("list", context_settings=HELP)
@json_option
def list_crews(as_json: bool) -> None:
    """List the installed crews: name, namespace, what it does."""
    from zts_core.catalogue import list_crews as installed
    from zts_producer.cli.output import print_json, print_table

    found = installed()
    if as_json:
        print_json({"crews": found})
        return
    print_table([(str(crew),) for crew in found], ("CREW",))
