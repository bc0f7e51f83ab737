"""Decides how a person answers what a run asks: `approve`, `reject`."""

from __future__ import annotations

import click

from zts_producer.cli.control import say_who_carries_out
from zts_producer.cli.options import HELP, json_option, run_argument


@click.command(context_settings=HELP)
@run_argument
@click.argument("state", default="")
@click.option("--comment", default="", help="Kept in the run's history.")
@json_option
def approve(run: str, state: str, comment: str, as_json: bool) -> None:
    """Answer yes to what RUN asks; name the STATE where it asks several things."""
    _answer(run, state, approved=True, comment=comment, as_json=as_json)


@click.command(context_settings=HELP)
@run_argument
@click.argument("state", default="")
@click.option("--comment", default="", help="Kept in the run's history.")
@json_option
def reject(run: str, state: str, comment: str, as_json: bool) -> None:
    """Answer no to what RUN asks; name the STATE where it asks several things."""
    _answer(run, state, approved=False, comment=comment, as_json=as_json)


def _answer(run: str, state: str, *, approved: bool, comment: str, as_json: bool) -> None:
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        run_id = client.find(run)
        answer = client.approve if approved else client.reject
        step = answer(run_id, state, comment=comment)
        if as_json:
            print_json({"run_id": run_id, "state": step.state, "approved": approved, "comment": comment})
        else:
            click.echo(f"{run_id} {step.state} {'approved' if approved else 'rejected'}")
        say_who_carries_out(client, client.record(run_id))
