"""Decides what `zts completion` prints: the script that lets a shell complete both commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from zts_producer.cli.options import HELP

WHERE = {
    "bash": 'eval "$(zts completion bash)"  # in ~/.bashrc',
    "zsh": 'eval "$(zts completion zsh)"   # in ~/.zshrc',
    "fish": "zts completion fish | source   # in ~/.config/fish/config.fish",
}


@click.command(context_settings=HELP, epilog="; ".join(WHERE.values()))
@click.argument("shell", type=click.Choice(list(WHERE)))
def completion(shell: str) -> None:
    """Print what SHELL has to run to complete zts and zts-submit with the Tab key."""
    from zts_producer.cli.root import root
    from zts_producer.cli.submit import submit

    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 - click knows the three shells of WHERE
    for command, name in ((root, "zts"), (submit, "zts-submit")):
        variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
        click.echo(script(command, {}, name, variable).source())
