"""Decides what the commands about workflows show: `list`, `show`, `validate`, `simulate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from zts_producer.cli.options import HELP, assignment, json_option

cap_option = click.option(
    "--max-steps", type=click.IntRange(1), default=50, show_default=True, help="The step cap of the run."
)


@click.group(context_settings=HELP)
def workflows() -> None:
    """List, show, check and simulate workflows."""


@workflows.command("list", context_settings=HELP)
@json_option
def list_workflows(as_json: bool) -> None:
    """List the workflows that --workflow can name."""
    from zts_core.settings import read_settings
    from zts_producer.cli.output import print_json, print_table
    from zts_producer.library import entries

    found = entries(read_settings())
    if as_json:
        print_json({"workflows": [entry.to_json() for entry in found]})
        return
    rows = [(entry.name, "cannot be run" if entry.has_errors else "ok", entry.description) for entry in found]
    print_table(rows, ("WORKFLOW", "STATE", "DESCRIPTION"))


@workflows.command(context_settings=HELP)
@click.argument("workflow", metavar="NAME|FILE")
@click.option("--mermaid", "as_mermaid", is_flag=True, help="As Mermaid text.")
@json_option
def show(workflow: str, as_mermaid: bool, as_json: bool) -> None:
    """Draw a workflow as a tree: its steps, crews, gates and loops."""
    import json

    from zts_core.settings import read_settings
    from zts_core.workflow.draw import tree
    from zts_core.workflow.mermaid import mermaid
    from zts_core.workflow.plan import compile_plan
    from zts_producer.cli.output import print_json
    from zts_producer.library import find_workflow

    found = find_workflow(read_settings(), workflow)
    if as_json:
        plan = compile_plan(found.workflow.name, found.library.workflows)
        print_json(json.loads(plan.to_json()))
    else:
        click.echo(mermaid(found.workflow).rstrip() if as_mermaid else "\n".join(tree(found.workflow)))


@workflows.command(context_settings=HELP)
@click.argument("workflow", metavar="[NAME|FILE]", default="")
@cap_option
@json_option
def validate(workflow: str, max_steps: int, as_json: bool) -> int:
    """Check a workflow, a file, or all workflows; exits with 2 where one cannot be run."""
    from zts_core.settings import read_settings
    from zts_core.workflow.problems import Severity
    from zts_producer.cli.output import print_json
    from zts_producer.library import problems_of
    from zts_producer.narrate import counted

    problems = problems_of(read_settings(), workflow, max_steps=max_steps)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        print_json({"valid": not errors, "problems": [_problem_json(problem) for problem in problems]})
    else:
        for problem in problems:
            click.echo(str(problem))
        warnings = len(problems) - errors
        found = f"{counted(errors, 'error', none='no')}, {counted(warnings, 'warning', none='no')}"
        click.echo(f"{workflow or 'all workflows'}: {found}")
    return 2 if errors else 0


@workflows.command(context_settings=HELP)
@click.argument("workflow", metavar="NAME|FILE")
@click.option(
    "--given",
    metavar="[STATE:]FIELD=VALUE",
    multiple=True,
    type=assignment,
    help="What a crew gives, such as validation.confidence=0.9; with a state before it, for that state only.",
)
@click.option("--fail", "failing", metavar="STATE", multiple=True, help="A state that fails.")
@click.option("--reject", "rejected", metavar="STATE", multiple=True, help="An approval that is answered no.")
@cap_option
@json_option
def simulate(
    workflow: str,
    given: Sequence[tuple[str, Any]],
    failing: Sequence[str],
    rejected: Sequence[str],
    max_steps: int,
    as_json: bool,
) -> None:
    """Show which way a workflow would go with given results, without running a crew."""
    from zts_producer.cli.simulating import print_simulation, run_simulation

    found = run_simulation(workflow, given, failing=failing, rejected=rejected, max_steps=max_steps)
    print_simulation(found, as_json=as_json)


def _problem_json(problem: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(problem)
