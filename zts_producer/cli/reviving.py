"""Decides what the commands about failed runs do: `retry`, `replay`, `dead list|show|retry|drop`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Unpack

import click

from zts_producer.cli.control import say_who_carries_out
from zts_producer.cli.options import HELP, budget_options, json_option, reuse_option, run_argument

if TYPE_CHECKING:
    from zts_core.ports import DeadLetter, RunRecord
    from zts_producer.client import Client
    from zts_producer.run_options import MoreBudgetOptions


@click.command(context_settings=HELP)
@run_argument
@budget_options
@json_option
def retry(run: str, as_json: bool, **limits: Unpack[MoreBudgetOptions]) -> None:
    """Open RUN again at the steps that failed; finished steps are not done again.

    A run that was halted by its budget goes on with a larger one.
    """
    from zts_producer.client import Client

    with Client(workers=False) as client:
        _tell(client, _retried(client, run, **limits), as_json)


@click.command(context_settings=HELP)
@run_argument
@click.option("--from", "from_state", metavar="STATE", required=True, help="The first state to do again.")
@reuse_option
@json_option
def replay(run: str, from_state: str, reuse_answers: bool, as_json: bool) -> None:
    """Start a new run that reuses every result RUN had before STATE."""
    from zts_producer.client import Client

    with Client(workers=False) as client:
        _tell(client, client.replay(run, from_state, reuse_answers=reuse_answers), as_json)


@click.group(context_settings=HELP)
def dead() -> None:
    """Steps that failed for good: list, show, retry and drop them."""


@dead.command("list", context_settings=HELP)
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest first.")
@json_option
def list_dead(limit: int, as_json: bool) -> None:
    """List the steps that failed for good."""
    from zts_producer.cli.output import print_json, print_table
    from zts_producer.client import Client

    with Client(workers=False) as client:
        letters = client.services.store.dead(limit=limit)
    if as_json:
        print_json({"dead": [_json(letter) for letter in letters]})
        return
    rows = [(each.run_id, each.state, each.crew, str(each.attempts), _one_line(each.error)) for each in letters]
    print_table(rows, ("RUN", "STATE", "CREW", "ATTEMPTS", "ERROR"))


@dead.command(context_settings=HELP)
@run_argument
@click.argument("state", required=False, default="")
@json_option
def show(run: str, state: str, as_json: bool) -> None:
    """Show what a failed step was given, its error, its traceback and its history."""
    from zts_producer.cli.dead_letters import told
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        store = client.services.store
        letters = [store.dead_letter(each.run_id, each.seq) for each in _of_run(client, run, state)]
    if as_json:
        print_json({"dead": [_json(letter) for letter in letters if letter]})
        return
    for letter in filter(None, letters):
        click.echo("\n".join(told(letter)))


@dead.command("retry", context_settings=HELP)
@run_argument
@json_option
def retry_dead(run: str, as_json: bool) -> None:
    """Open RUN again at the steps that failed; the same as `zts retry`."""
    from zts_producer.client import Client

    with Client(workers=False) as client:
        _tell(client, _retried(client, run), as_json)


@dead.command(context_settings=HELP)
@run_argument
@click.argument("state", required=False, default="")
@json_option
def drop(run: str, state: str, as_json: bool) -> None:
    """Strike the failed steps of RUN off the list, or only STATE."""
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        letters = _of_run(client, run, state)
        dropped = [each.state for each in letters if client.services.store.drop_dead(each.run_id, each.seq)]
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"dropped {', '.join(dropped)}")


def _retried(client: Client, run: str, **limits: Unpack[MoreBudgetOptions]) -> RunRecord:
    from zts_producer.cli.output import notice

    before = client.record(run)
    if before.outcome is None:
        notice(f"run {before.run_id} is open, nothing had to be done")
    return client.retry(before.run_id, **limits)


def _of_run(client: Client, run: str, state: str) -> list[DeadLetter]:
    from zts_core.errors import BadInput

    run_id = client.find(run)
    letters = [each for each in client.services.store.dead(limit=10_000) if each.run_id == run_id]
    found = [each for each in letters if not state or state in (each.state, each.state.rpartition(".")[2])]
    if not found:
        what = f"no failed step {state!r}" if state else "no failed step"
        raise BadInput(f"run {run_id} has {what} on the list; `zts dead list` shows those that are")
    return found


def _tell(client: Client, record: RunRecord, as_json: bool) -> None:
    from zts_producer.cli.output import print_json
    from zts_producer.view import record_json

    if as_json:
        print_json(record_json(record))
    else:
        click.echo(f"{record.run_id} {record.outcome or record.status}")
    say_who_carries_out(client, record)


def _json(letter: DeadLetter) -> dict[str, Any]:
    return asdict(letter)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
