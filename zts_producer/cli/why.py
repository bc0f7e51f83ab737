"""Decides how the reasons for a run's present state are shown: `zts why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zts_producer.cli.options import HELP, json_option, run_argument

if TYPE_CHECKING:
    from zts_producer.cli.reasons import Explanation
    from zts_producer.client import Client


@click.command(context_settings=HELP)
@run_argument
@json_option
def why(run: str, as_json: bool) -> None:
    """Tell why RUN (an id, the beginning of one, or `last`) is slow, stuck, or ended as it did."""
    from zts_producer.cli.output import print_json
    from zts_producer.cli.reasons import explain
    from zts_producer.client import Client
    from zts_producer.times import now_ms

    with Client(workers=False) as client:
        record = client.record(run)
        store = client.services.store
        found = explain(
            record,
            store.steps(record.run_id),
            store.ledger(record.run_id),
            store.plan(record.plan_digest),
            now_ms=now_ms(),
        )
        refuses = "" if record.outcome else client.services.advice().refuses
        workers = _workers(client, found)
    if as_json:
        print_json(
            {
                **found.to_json(),
                **({"redis": refuses} if refuses else {}),
                **({"workers": workers} if workers is not None else {}),
            }
        )
        return
    about_workers = _about_workers(workers, encrypted=client.services.sealer.on)
    for line in [*lines(found), *filter(None, [refuses, about_workers])]:
        click.echo(line)


def _workers(client: Client, found: Explanation) -> int | None:
    """How many workers answer, where a step waits for one; None where none does, or the broker does not tell."""
    from zts_core.errors import ServiceUnavailable
    from zts_producer.health import PING_S

    if not any(reason.what.startswith("waits for a worker") for reason in found.reasons):
        return None
    try:
        return client.services.workers_answer(PING_S)
    except ServiceUnavailable:
        return None


def _about_workers(count: int | None, *, encrypted: bool) -> str:
    if count is None:
        return ""
    if count == 0:
        return "no worker answers: start one with `celery -A zts_worker worker`"
    one = count == 1
    busy = f"{'it is' if one else 'they are'} busy with others"
    key = f", or {'lacks' if one else 'lack'} the key of this run, which a worker's log says" if encrypted else ""
    return f"{count} {'worker answers' if one else 'workers answer'}: {busy}{key}"


def lines(found: Explanation) -> list[str]:
    """The explanation for a terminal."""
    from zts_producer.cli.reasons import commands
    from zts_producer.times import clock, duration

    told = [f"{found.run_id} {found.summary}"]
    for reason in found.reasons:
        at = clock(reason.at_ms) if reason.at_ms else " " * 8
        named = reason.state and not reason.what.startswith(reason.state)
        told.append(f"  {at}  {f'{reason.state}: ' if named else ''}{reason.what}")
    if found.spent.seconds:
        told.append("time: " + ", ".join(f"{duration(took)} {what}" for what, took in found.spent.seconds.items()))
    if found.spent.slowest:
        told.append("longest at work: " + ", ".join(f"{state} {duration(took)}" for state, took in found.spent.slowest))
    return [*told, *(f"try: {command}" for command in commands(found.reasons))]
