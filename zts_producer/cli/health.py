"""Decides how the system's health is shown, and with which code `zts health` ends."""

from __future__ import annotations

import click

from zts_producer.cli.options import HELP, json_option


@click.command(context_settings=HELP)
@json_option
def health(as_json: bool) -> int:
    """Ask Redis, the workers, the queue and the workflows how they are; exits with 8 where the system is unhealthy."""
    from zts_producer.cli.output import emphasise, print_json
    from zts_producer.client import Client

    with Client() as client:
        found = client.health()
    if as_json:
        print_json(found.to_json())
        return found.exit_code
    emphasise(found.status)
    for part in found.components:
        click.echo(f"{part.name}: {part.status}, {part.latency_ms:.1f} ms, {part.detail}")
    return found.exit_code
