"""Decides how an overview of many runs is shown: `zts report`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zts_producer.cli.options import HELP, json_option

if TYPE_CHECKING:
    from zts_core.redis_store.history import RunFacts
    from zts_producer.client import Client
    from zts_producer.overview.tally import Flow, Tally, Work

SHOWN = 10


def _as_since(_ctx: click.Context, _option: click.Parameter, text: str) -> int:
    from zts_producer.overview.since import since_ms

    try:
        return since_ms(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(context_settings=HELP)
@click.option(
    "--since", callback=_as_since, default="30d", show_default=True, metavar="SPAN|DAY", help="30d, 12h, 2026-11-01."
)
@click.option("--html", "file", metavar="FILE", default="", help="Write a page with plots to FILE.")
@json_option
def report(since: int, file: str, as_json: bool) -> None:
    """Sum up the runs submitted since then: outcomes, slowest states, retries, crews, cost."""
    from zts_producer.cli.output import notice, print_json
    from zts_producer.client import Client

    _check(file)
    with Client(workers=False) as client:
        tally = _tally(client, since)
    if file:
        from zts_producer.overview.page import page

        _write(Path(file), page(tally))
    if as_json:
        print_json(tally.to_json())
    elif file:
        click.echo(file)
    elif not tally.runs:
        notice("no run was submitted since then, or none is kept any more")
    else:
        _print(tally)


def _check(file: str) -> None:
    """Before minutes of reading, not after them."""
    path = Path(file)
    if file and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise click.BadParameter(f"{file!r} cannot be written: name a file in a folder that is there (--html FILE)")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{str(path)!r} cannot be written ({error.strerror}); name another (--html)") from None


def _tally(client: Client, since: int) -> Tally:
    from zts_producer.overview.tally import Tally

    history = client.services.history
    tally = Tally(since)
    for runs in _shown(history.since(since), history.count(since)):
        for run in runs:
            tally.add(run)
    return tally


def _shown(pieces: Iterator[Sequence[RunFacts]], total: int) -> Iterator[Sequence[RunFacts]]:
    """The pieces, with how far they are on standard error: on a terminal a bar, else a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from zts_producer.cli.output import notice

    console = Console(stderr=True)
    columns = (TextColumn("reading runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=total)
        for piece in pieces:
            yield piece
            progress.advance(bar, len(piece))
            told, done = done // 20_000, done + len(piece)
            if not console.is_terminal and done // 20_000 > told:
                notice(f"{done} of {total} runs read")


def _print(tally: Tally) -> None:
    from zts_producer.times import moment

    ended = ", ".join(f"{count:,} {outcome}" for outcome, count in tally.outcomes.most_common())
    click.echo(f"since {moment(tally.since_ms)}: {tally.runs:,} {'run' if tally.runs == 1 else 'runs'} ({ended})")
    again = f"{tally.retries:,} tried again"
    click.echo(f"{tally.steps:,} steps, {again}; ${tally.usd:,.2f}, {tally.tokens:,} tokens")
    flows = sorted(tally.workflows.items(), key=lambda item: -item[1].outcomes.total())[:SHOWN]
    _table("Workflows", _FLOW, [_flow_row(name, flow) for name, flow in flows])
    _table("States that took the most time", _WORK, [_work_row(*named) for named in tally.slowest(SHOWN)])
    crews = sorted(tally.crews.items(), key=lambda item: (-item[1].usd, -item[1].took.total_ms))[:SHOWN]
    _table("Crews", _WORK, [_work_row(*named) for named in crews])


_FLOW = ("WORKFLOW", "RUNS", "COMPLETED", "MEDIAN", "95 %", "COST")
_WORK = ("NAME", "STEPS", "AGAIN", "FAILED", "MEDIAN", "95 %", "ALL", "COST")


def _flow_row(name: str, flow: Flow) -> tuple[str, ...]:
    from zts_producer.times import duration

    within = (duration(flow.took.share(part)) for part in (0.5, 0.95))
    return (name, f"{flow.outcomes.total()}", f"{flow.outcomes['completed']}", *within, f"${flow.usd:.2f}")


def _work_row(name: str, work: Work) -> tuple[str, ...]:
    from zts_producer.times import duration

    times = (work.took.share(0.5), work.took.share(0.95), work.took.total_ms / 1000)
    counted = (f"{work.steps}", f"{work.retries}", f"{work.failed}")
    return (name, *counted, *map(duration, times), f"${work.usd:.2f}")


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*heads, title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for number, column in enumerate(table.columns):
        column.justify = "right" if number else "left"
        column.no_wrap = True
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    # In a pipe nobody turns the page: no column is cut.
    Console(width=None if sys.stdout.isatty() else 200).print(table)
