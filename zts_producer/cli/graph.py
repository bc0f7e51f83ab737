"""Decides what `zts graph` shows: answers to Cypher and to named questions, and how results get into the graph."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zts_core.errors import BadInput
from zts_producer.cli.options import HELP, assignment, json_option

if TYPE_CHECKING:
    from zts_core.graph.lineage import Lineage
    from zts_core.graph.path import RunPath
    from zts_core.graph.port import Table
    from zts_producer.client import Client

LONG_S = 24 * 3600.0
"""Seconds that `sync` and `rebuild` may take."""


class GraphGroup(click.Group):
    """A group in which everything that is no command is Cypher."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in HELP["help_option_names"]:
            if args[0].isidentifier():
                ctx.fail(f"no question {args[0]!r}{_close(args[0], list(self.commands))}")
            args = ["ask", *args]
        return super().parse_args(ctx, args)


def _close(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def limit_option(function: Any) -> Any:
    """`--limit`."""
    return click.option(
        "--limit", "-n", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Most rows."
    )(function)


def since_option(function: Any) -> Any:
    """`--since`."""
    return click.option(
        "--since", metavar="TIME", default="7d", show_default=True, help="An age (30m, 12h, 7d) or a date (2026-01-31)."
    )(function)


def mermaid_option(function: Any) -> Any:
    """`--mermaid`."""
    return click.option("--mermaid", "as_mermaid", is_flag=True, help="As a Mermaid flowchart.")(function)


@click.group(cls=GraphGroup, context_settings=HELP)
def graph() -> None:
    """Ask the results of all runs: zts graph "MATCH (r:Run) RETURN r.title, r.outcome", or a named question.

    Queries only read. The model is in docs/graph.md.
    """


@graph.command(context_settings=HELP)
@click.argument("cypher")
@click.option("--param", "-p", "params", metavar="NAME=VALUE", multiple=True, type=assignment, help="Fills $NAME.")
@limit_option
@json_option
def ask(cypher: str, params: Sequence[tuple[str, Any]], limit: int, as_json: bool) -> None:
    """Answer a Cypher query that only reads; `ask` itself can be left out."""
    with _client() as client:
        _show(_ready(client).graph.ask(cypher, dict(params), limit=limit), as_json=as_json)


@graph.command(context_settings=HELP)
@json_option
def sync(as_json: bool) -> None:
    """Deliver everything that waits for the graph now, and say what did."""
    with _client() as client:
        results = client.services.results
        results.feed.prepare()  # so that a graph that takes nothing says so, also when nothing waits
        lines = results.feed.drain(within_s=LONG_S)
        left = results.feed.outbox.backlog()
    _tell(
        {"lines": lines, "waiting": left.runs, "set_aside": left.poison},
        f"{lines} ledger lines delivered, {left.runs} runs wait, {left.poison} lines are set aside",
        as_json=as_json,
    )


@graph.command(context_settings=HELP)
@json_option
def rebuild(as_json: bool) -> None:
    """Deliver every run in the store again, from its ledger; runs that are not in it any more stay as they are."""
    with _client() as client:
        results = client.services.results
        runs = results.feed.rebuild(within_s=60.0)
        lines = results.feed.drain(within_s=LONG_S)
        left = results.feed.outbox.backlog()
    _tell(
        {"runs": runs, "lines": lines, "waiting": left.runs, "set_aside": left.poison},
        f"{runs} runs delivered again, {lines} ledger lines, {left.poison} lines are set aside",
        as_json=as_json,
    )


@graph.command(context_settings=HELP)
@click.argument("file")
@mermaid_option
@json_option
def lineage(file: str, as_mermaid: bool, as_json: bool) -> None:
    """Where FILE came from, back to the idea: a file a run left, or the path it had there."""
    from zts_core.graph.lineage import lineage as lineage_of

    with _client() as client:
        results = _ready(client)
        digest = _digest(file)
        found = lineage_of(results.graph, digest=digest) if digest else None
        found = found or lineage_of(results.graph, file_path=file)
        if found is None:
            raise BadInput(f"no run left a file like {file}; give one as it was left, or its path in the run's results")
    _show_or_draw(found, as_mermaid=as_mermaid, as_json=as_json)


@graph.command(context_settings=HELP)
@since_option
@limit_option
@json_option
def failures(since: str, limit: int, as_json: bool) -> None:
    """Attempts that failed or lost their worker, the newest first."""
    from zts_core.graph import questions

    since_ms = _since_ms(since)
    with _client() as client:
        _show(questions.failures(_ready(client).graph, since_ms=since_ms, limit=limit), as_json=as_json)


@graph.command(context_settings=HELP)
@json_option
def crews(as_json: bool) -> None:
    """Success, retries, time and cost by crew."""
    from zts_core.graph import questions

    with _client() as client:
        _show(questions.crews(_ready(client).graph), as_json=as_json)


@graph.command(context_settings=HELP)
@click.argument("idea_file", metavar="IDEA")
@limit_option
@json_option
def similar(idea_file: str, limit: int, as_json: bool) -> None:
    """Runs of ideas that share words with the one in the file IDEA (- for standard input)."""
    from zts_core.graph import questions
    from zts_core.settings import read_settings
    from zts_producer.idea import read_idea

    idea = read_idea(idea_file, limit=read_settings().idea_bytes)
    with _client() as client:
        _show(questions.similar(_ready(client).graph, idea, limit=limit), as_json=as_json)


@graph.command(context_settings=HELP)
@click.argument("run")
@mermaid_option
@json_option
def path(run: str, as_mermaid: bool, as_json: bool) -> None:
    """The way RUN took: its steps and decisions in order, and what was reused."""
    from zts_core.errors import UnknownRun
    from zts_core.graph.path import path as path_of

    with _client() as client:
        results = _ready(client)
        run_id = run
        with contextlib.suppress(UnknownRun):  # the graph remembers runs that the store has dropped
            run_id = client.find(run)
        found = path_of(results.graph, run_id)
        if not found.steps and not found.decisions:
            raise BadInput(f"no run {run!r} in the graph; `zts list` shows the newest runs")
    _show_or_draw(found, as_mermaid=as_mermaid, as_json=as_json)


@graph.command(context_settings=HELP)
@since_option
@limit_option
@json_option
def slowest(since: str, limit: int, as_json: bool) -> None:
    """The steps that took longest."""
    from zts_core.graph import questions

    since_ms = _since_ms(since)
    with _client() as client:
        _show(questions.slowest(_ready(client).graph, since_ms=since_ms, limit=limit), as_json=as_json)


def _client() -> Client:
    from zts_producer.client import Client

    return Client(workers=False)


def _ready(client: Client) -> Any:
    results = client.services.results
    results.graph  # noqa: B018 - says at once where there is none
    results.catch_up()
    return results


def _digest(file: str) -> str:
    import hashlib

    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def _since_ms(text: str) -> int:
    from datetime import datetime

    from zts_producer.times import now_ms

    units = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
    if text[-1:] in units and text[:-1].isdigit():
        return now_ms() - int(text[:-1]) * units[text[-1]] * 1000
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise BadInput(f"--since {text!r} is neither an age (30m, 12h, 7d) nor a date (2026-01-31)") from None


def _show_or_draw(found: RunPath | Lineage, *, as_mermaid: bool, as_json: bool) -> None:
    from zts_producer.cli.output import print_json

    if as_mermaid and as_json:
        print_json({"mermaid": found.chart()})
    elif as_mermaid:
        click.echo(found.chart())
    else:
        _show(found.table(), as_json=as_json)


def _show(table: Table, *, as_json: bool) -> None:
    from zts_producer.cli.output import notice, print_json, print_table

    if as_json:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        print_json({"columns": list(table.columns), "rows": rows, "more": table.more})
        return
    shown = [[_cell(name, value) for name, value in zip(table.columns, row, strict=True)] for row in table.rows]
    print_table(shown, [name.removesuffix("_ms").replace("_", " ").upper() for name in table.columns])
    if not table.rows:
        notice("nothing found")
    if table.more:
        notice("there are more rows; --limit asks for them")


def _cell(name: str, value: Any) -> str:
    import json

    from zts_producer.times import moment

    if value is None:
        return ""
    if name == "at_ms" and isinstance(value, int):
        return moment(value)
    if isinstance(value, float):
        return f"{value:.2f}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return " ".join(text.split())


def _tell(found: dict[str, Any], line: str, *, as_json: bool) -> None:
    from zts_producer.cli.output import print_json

    if as_json:
        print_json(found)
    else:
        click.echo(line)
