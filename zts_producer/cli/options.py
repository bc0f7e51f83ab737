"""Decides what options and arguments of several commands are called and mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from zts_core.limits import Budget

HELP = {"help_option_names": ["-h", "--help"]}
Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(function: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")(function)


def version_option(name: str) -> Callable[[Command], Command]:
    """`--version`, without importing anything but what knows the version."""

    def show(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
        if wanted:
            from importlib.metadata import version

            click.echo(f"{name} {version('zerotoship')}")
            ctx.exit()

    return click.option(
        "--version", is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show the version."
    )


def run_argument(function: Command) -> Command:
    """RUN."""
    return click.argument("run")(function)


def reuse_option(function: Command) -> Command:
    """`--reuse-answers`."""
    return click.option(
        "--reuse-answers", is_flag=True, help="A model call that was answered before, in any run, is not paid again."
    )(function)


def out_option(function: Command) -> Command:
    """`--out`."""
    return click.option("--out", metavar="DIR", default="", help="Folder for results (default: shipped/).")(function)


def assignment(text: str) -> tuple[str, Any]:
    """`name=value` as a pair; the value is JSON where it reads as JSON, and text otherwise."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise click.BadParameter(f"{text!r} is not of the form name=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
    except RecursionError:
        raise click.BadParameter(f"the value of {name} is nested too deeply") from None


def as_key(_ctx: click.Context, _option: click.Parameter, key: str | None) -> str:
    """A key, or empty where none was given; one that is given and empty would start a second run unnoticed."""
    if key is not None and not key.strip():
        raise click.BadParameter("the key is empty, as from an unset variable; give one, or leave --key out")
    return key or ""


def as_crew_budgets(_ctx: click.Context, _option: click.Parameter, texts: Sequence[str]) -> dict[str, Budget]:
    """`builder=2.50usd`, several times, as budgets by crew."""
    from zts_core.limits import crew_budgets

    try:
        return crew_budgets(texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def as_mapping(_ctx: click.Context, _option: click.Parameter, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Repeated assignments as one mapping; the last of a name counts."""
    return dict(pairs)


def budget_options(function: Command) -> Command:
    """`--budget-usd`, `--budget-tokens` and `--crew-budget`."""
    options = (
        click.option("--budget-usd", type=float, metavar="DOLLARS", help="Most that the run's model calls may cost."),
        click.option("--budget-tokens", type=int, metavar="N", help="Most tokens they may use (ZTS_BUDGET_TOKENS)."),
        click.option(
            "--crew-budget",
            "crew_budgets",
            metavar="CREW=AMOUNT",
            multiple=True,
            callback=as_crew_budgets,
            help="The same for one crew: builder=2.50usd or builder=200000tokens.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
