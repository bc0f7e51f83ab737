"""Decides what `zts-submit` does: check everything, start one run, follow it to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from zts_producer.cli.options import (
    HELP,
    as_key,
    as_mapping,
    assignment,
    budget_options,
    json_option,
    out_option,
    reuse_option,
    version_option,
)

if TYPE_CHECKING:
    from zts_core.ports import RunRecord
    from zts_producer.client import Client
    from zts_producer.run_options import RunOptions


@click.command(context_settings=HELP)
@click.argument("idea_file")
@click.option("--workflow", "-w", metavar="NAME|FILE", help="Workflow to run (default: default_software_build).")
@click.option("--max-steps", type=int, metavar="N", help="Most steps the run may start (default: 50).")
@click.option(
    "--key", metavar="KEY", callback=as_key, help="The same key never starts a second run: it gives the first."
)
@click.option(
    "--priority",
    metavar="LEVEL",
    help="high, normal or low: before or after the steps of other runs (default: normal).",
)
@click.option(
    "--set",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    type=assignment,
    callback=as_mapping,
    help="A value for every step.",
)
@click.option("--deadline", type=float, metavar="SECONDS", help="The run ends as timed out after this long.")
@budget_options
@reuse_option
@out_option
@click.option("--detach", "-d", is_flag=True, help="Print the run's id and leave.")
@json_option
@version_option("zts-submit")
def submit(
    idea_file: str,
    workflow: str | None,
    detach: bool,
    as_json: bool,
    **options: Unpack[RunOptions],
) -> int:
    """Carry the idea in IDEA_FILE (- for standard input) to something shipped.

    Exit codes: 0 completed, 2 bad input, 3 failed, 4 halted by a safeguard, 5 rejected, 6 a loop was exhausted,
    7 cancelled, 8 a service cannot be reached, 130 interrupted.
    """
    from zts_core.settings import misspelled_settings, read_settings
    from zts_producer.cli.output import notice
    from zts_producer.client import DEFAULT_WORKFLOW, Client
    from zts_producer.idea import read_idea
    from zts_producer.submission import prepare

    settings = read_settings()
    submission = prepare(
        settings,
        read_idea(idea_file, limit=settings.idea_bytes),
        DEFAULT_WORKFLOW if workflow is None else workflow,
        **options,
    )
    for line in [*misspelled_settings(), *map(str, submission.warnings), *submission.bounds]:
        notice(line)
    with Client(settings, workers=not detach, say=notice) as client:
        record = client.start(submission)
        if record.run_id != submission.new.run_id:
            notice(
                f"the key {submission.new.key!r} was used before: this is run {record.run_id}, nothing new was started"
            )
        elif record.seen_before:
            notice(f"looks like {record.seen_before[0]}")
        for line in client.services.advice().warnings if not client.services.embedded else ():
            notice(line)
        if detach:
            return _leave(client, record, as_json=as_json)
        from zts_producer.cli.following import follow_to_end

        return follow_to_end(client, record, as_json=as_json)


def _leave(client: Client, record: RunRecord, *, as_json: bool) -> int:
    from zts_producer.cli.output import notice, print_json

    if as_json:
        from zts_producer.view import record_json

        print_json(record_json(record))
    else:
        click.echo(record.run_id)
    if client.services.idle:
        notice(f"recorded in {client.services.place}; `zts up` or `zts resume {record.run_id}` carries it out")
    return 0
