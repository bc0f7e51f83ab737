"""Decides what the commands that look at runs show: `list`, `status`, `watch`, `export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from zts_producer.cli.options import HELP, json_option, out_option, run_argument


@click.command(context_settings=HELP)
@click.option("--limit", "-n", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@json_option
def list_runs(limit: int, as_json: bool) -> None:
    """List the newest runs: id, outcome or status, steps, workflow, title."""
    from zts_producer.cli.output import notice, print_json, print_table
    from zts_producer.client import Client
    from zts_producer.times import moment
    from zts_producer.view import record_json

    with Client(workers=False) as client:
        runs = client.list(limit)
    if as_json:
        print_json({"runs": [record_json(run) for run in runs]})
        return
    if not runs:
        notice("no run yet; `zts-submit IDEA_FILE` starts one")
    rows = [
        (run.run_id, run.outcome or run.status, f"{run.started}", moment(run.created_ms), run.workflow, run.title)
        for run in runs
    ]
    print_table(rows, ("RUN", "STATE", "STEPS", "SUBMITTED", "WORKFLOW", "TITLE"))


@click.command(context_settings=HELP)
@run_argument
@click.option("--calls", is_flag=True, help="Show its model calls: prompt, model, tokens, dollars, what came of them.")
@json_option
def status(run: str, calls: bool, as_json: bool) -> None:
    """Show where RUN stands (an id, the beginning of one, or `last`), node by node."""
    if calls:
        _calls(run, as_json=as_json)
        return
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        view = client.status(run)
    if as_json:
        print_json(view.to_json())
        return
    from zts_producer.cli.tree import print_view

    print_view(view)


def _calls(run: str, *, as_json: bool) -> None:
    from zts_producer.calls import bill_of
    from zts_producer.cli.output import print_json, print_table
    from zts_producer.client import Client

    with Client(workers=False) as client:
        record = client.record(run)
        bill = bill_of(client.services.store.ledger(record.run_id))
    if as_json:
        print_json({"usd": round(bill.usd, 6), "tokens": bill.tokens, "reused": bill.reused, "calls": bill.calls})
        return
    rows = [
        (f"{c['seq']}", c["prompt"], c["model"], f"{c['tokens']}", f"{c['usd']:.4f}", f"{c['seconds']:.1f}", _came(c))
        for c in bill.calls
    ]
    print_table(rows, ("STEP", "PROMPT", "MODEL", "TOKENS", "DOLLARS", "SECONDS", "ANSWER"))
    click.echo(bill.against(record) or "no model call")


def _came(call: Mapping[str, Any]) -> str:
    words = " ".join(str(call.get("error") or call.get("answered", "")).split())
    return f"{'reused: ' if call.get('reused') else ''}{words}"[:60]


@click.command(context_settings=HELP)
@run_argument
@json_option
def watch(run: str, as_json: bool) -> int:
    """Follow RUN until it ends, then write its folder; exits with the code of its outcome."""
    from zts_producer.cli.following import follow_to_end
    from zts_producer.cli.output import notice
    from zts_producer.client import Client

    with Client(say=notice) as client:
        return follow_to_end(client, client.record(run), as_json=as_json)


@click.command(context_settings=HELP)
@run_argument
@out_option
@json_option
def export(run: str, out: str, as_json: bool) -> None:
    """Write the folder of RUN, also of one that goes on, and print where it is."""
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        run_id = client.find(run)
        folder = client.export(run_id, out)
    if as_json:
        print_json({"run_id": run_id, "folder": str(folder)})
    else:
        click.echo(folder)
