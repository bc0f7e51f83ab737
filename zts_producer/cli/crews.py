"""Decides what `zts crews` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from zts_producer.cli.options import HELP, json_option

if TYPE_CHECKING:
    from zts_producer.crew_facts import CrewFacts, RoleFacts


@click.group(context_settings=HELP)
def crews() -> None:
    """The crews that workflows can name."""


@crews.command("list", context_settings=HELP)
@json_option
def list_crews(as_json: bool) -> None:
    """List the installed crews: name, namespace, the model each works with here, what it does."""
    from dataclasses import asdict

    from zts_core.settings import read_settings
    from zts_producer.cli.output import print_json, print_table
    from zts_producer.crew_facts import lines

    found = list(lines(read_settings()))
    if as_json:
        print_json({"crews": [asdict(line) for line in found]})
        return
    rows = [(line.name, line.namespace, line.model, line.task or line.trouble) for line in found]
    print_table(rows, ("CREW", "WRITES", "WORKS", "WHAT IT DOES"))


@crews.command("show", context_settings=HELP)
@click.argument("crew", metavar="NAME|MODULE:CLASS")
@json_option
def show_crew(crew: str, as_json: bool) -> None:
    """Show a crew: its output, its team with a model, their prompts and the limits of their calls."""
    from zts_core.settings import read_settings
    from zts_producer.cli.output import print_json
    from zts_producer.crew_facts import facts_of

    facts = facts_of(read_settings(), crew)
    if as_json:
        print_json(facts.to_json())
    else:
        click.echo("\n".join(_told(facts)))


def _told(facts: CrewFacts) -> Iterator[str]:
    yield f"{facts.name}: {facts.task or 'its docstring says nothing'}"
    yield f"works {'offline' if facts.model == 'offline' else f'with {facts.model}'}"
    yield f"\nwrites {facts.namespace}:"
    yield from (f"  {name:<24} {kind}" for name, kind in facts.output.items())
    if not facts.roles:
        yield "\nnames no `team`: it works without a model, or asks one in its own way"
        return
    yield "\nteam, where a model is configured:"
    for role in facts.roles:
        yield from _role(role)
    yield "\nlimits of each call:"
    yield from (f"  {name.replace('_', ' '):<24} {_limit(value)}" for name, value in facts.limits.items())


def _role(role: RoleFacts) -> Iterator[str]:
    yield f"  {role.name}: {role.task}"
    yield f"    reads {', '.join(role.reads)}; fills {role.fills['model']} ({', '.join(role.fills['fields'])})"
    if role.tools:
        yield f"    tools: {', '.join(role.tools)}; at most {role.most_calls} calls"
    yield f"    prompt {role.digest} ({role.prompt})"


def _limit(value: object) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
