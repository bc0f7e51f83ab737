"""Decides what the commands that steer a run say: `cancel`, `pause`, `resume`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from zts_core.run import RunStatus
from zts_producer.cli.options import HELP, json_option, run_argument

if TYPE_CHECKING:
    from zts_core.ports import RunRecord
    from zts_producer.client import Client


@click.command(context_settings=HELP)
@run_argument
@click.option("--reason", default="cancelled by a person", show_default=True, help="What the report will say.")
@json_option
def cancel(run: str, reason: str, as_json: bool) -> None:
    """Stop RUN: nothing starts any more, and the steps at work are told to stop."""
    _steer(lambda client: client.cancel(run, reason=reason), as_json)


@click.command(context_settings=HELP)
@run_argument
@json_option
def pause(run: str, as_json: bool) -> None:
    """Let no further step of RUN start; what is at work goes on to its end."""
    _steer(lambda client: client.pause(run), as_json)


@click.command(context_settings=HELP)
@run_argument
@click.option("--detach", "-d", is_flag=True, help="Do not follow the run.")
@json_option
def resume(run: str, detach: bool, as_json: bool) -> int:
    """Let RUN go on, paused or cut short, and follow it to its end; finished steps are not done again."""
    from zts_producer.cli.following import conclude, follow_to_end
    from zts_producer.cli.output import notice
    from zts_producer.client import Client

    with Client(workers=not detach, say=notice) as client:
        record = client.record(run)
        if record.outcome is not None:
            notice(f"run {record.run_id} has ended already")
            return conclude(client, record, as_json=as_json)
        record = client.resume(record.run_id)
        if not detach:
            return follow_to_end(client, record, as_json=as_json)
        _tell(record, as_json)
        say_who_carries_out(client, record)
    return 0


def say_who_carries_out(client: Client, record: RunRecord) -> None:
    """Where nothing runs beside this command, say what has to."""
    if client.services.idle and record.outcome is None:
        from zts_producer.cli.output import notice

        notice(f"no worker runs now; `zts up` or `zts resume {record.run_id}` carries it out")


def _steer(act: Callable[[Client], RunRecord], as_json: bool) -> None:
    from zts_producer.client import Client

    with Client(workers=False) as client:
        record = act(client)
        _tell(record, as_json)
        if record.status is not RunStatus.PAUSED:
            say_who_carries_out(client, record)


def _tell(record: RunRecord, as_json: bool) -> None:
    from zts_producer.cli.output import print_json
    from zts_producer.view import record_json

    if as_json:
        print_json(record_json(record))
    else:
        click.echo(f"{record.run_id} {record.outcome or record.status}")
