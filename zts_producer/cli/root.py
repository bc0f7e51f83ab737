"""Decides which commands `zts` has; each is imported when it is called, so that the others cost nothing."""

from __future__ import annotations

from importlib import import_module

import click

from zts_producer.cli.options import HELP, version_option

COMMANDS = {
    "submit": ("submit", "Carry an idea to something shipped; the same as zts-submit."),
    "list": ("runs", "List the newest runs."),
    "status": ("runs", "Show where a run stands, node by node."),
    "watch": ("runs", "Follow a run until it ends."),
    "why": ("why", "Tell why a run is slow, stuck, or ended as it did."),
    "logs": ("logs", "Show a run's log: its history and what its crews logged."),
    "export": ("runs", "Write a run's folder again."),
    "cancel": ("control", "Stop a run."),
    "pause": ("control", "Let no further step of a run start."),
    "resume": ("control", "Let a paused run, or one that was cut short, go on."),
    "retry": ("reviving", "Open a failed run again at what failed."),
    "replay": ("reviving", "Start a new run that reuses earlier results."),
    "dead": ("reviving", "List, show, retry and drop steps that failed for good."),
    "approve": ("answers", "Answer yes to what a run asks."),
    "reject": ("answers", "Answer no to what a run asks."),
    "audit": ("auditing", "Check that a run's history is as it was written."),
    "delete": ("auditing", "Delete a run for good."),
    "key": ("keys", "Make and change the keys that runs are encrypted with."),
    "report": ("report", "Sum up many runs: outcomes, slowest states, retries, cost."),
    "workflows": ("workflows", "List, show, check and simulate workflows."),
    "crews": ("crews", "List the crews that workflows can name."),
    "graph": ("graph", "Ask the graph of all results, in Cypher or by name."),
    "health": ("health", "Ask every part of the system how it is."),
    "up": ("up", "Run the embedded stack in the foreground."),
    "completion": ("completion", "Print what lets a shell complete these commands."),
}


FUNCTIONS = {"list": "list_runs"}
"""Functions that cannot have their command's name."""


class LazyGroup(click.Group):
    """A group whose commands live in the modules that COMMANDS names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"zts_producer.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, FUNCTIONS.get(cmd_name, cmd_name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}{_close(args[0])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _close(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


@click.group(cls=LazyGroup, context_settings=HELP)
@version_option("zts")
def root() -> None:
    """ZeroToShip: from an idea in a text file to something shipped."""
