"""Decides what `zts audit verify` and `zts delete` say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zts_core.errors import BadInput
from zts_producer.cli.options import HELP, json_option, run_argument

if TYPE_CHECKING:
    from zts_core.audit import AuditTrail

TAMPERED = 3


@click.group(context_settings=HELP)
def audit() -> None:
    """Tamper-evident histories, of workflows whose metadata says `audit: true`."""


@audit.command(context_settings=HELP)
@run_argument
@click.option("--against", type=click.Path(path_type=Path), metavar="FILE", help="A run.json kept elsewhere.")
@json_option
def verify(run: str, against: Path | None, as_json: bool) -> int:
    """Check that RUN's history and outputs are as they were written; ends with 3 where they are not."""
    from zts_core.audit import faults
    from zts_producer.cli.output import print_json
    from zts_producer.client import Client

    with Client(workers=False) as client:
        run_id, trail = client.find(run), client.audit(run)
    if not trail.chain:
        raise BadInput(f"run {run_id} has no chain to verify: its workflow does not say `audit: true` in its metadata")
    seal = trail.seal(len(trail.lines))
    found = faults(trail) + (_differs(trail, against) if against else [])
    if as_json:
        print_json({"run": run_id, "lines": len(trail.lines), "sha256": seal, "faults": found})
    else:
        for fault in found:
            click.echo(fault)
        how = "tampered with" if found else "as written"
        click.echo(f"{run_id} {how}: {len(trail.lines)} lines, SHA-256 {seal}")
    return TAMPERED if found else 0


def _differs(trail: AuditTrail, file: Path) -> list[str]:
    """The history may have grown since the file was written; what it was then must still be its beginning."""
    lines, seal = _kept(file)
    same = lines <= len(trail.lines) and trail.seal(lines) == seal
    return [] if same else [f"its first {lines} lines are not those that {file} was sealed with"]


def _kept(file: Path) -> tuple[int, str]:
    try:
        kept = json.loads(file.read_text("utf-8"))["audit"]
        return int(kept["lines"]), str(kept["sha256"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError):
        raise BadInput(f"{file} is no run.json of an audited run; give one that `zts export` wrote") from None


@click.command(context_settings=HELP)
@run_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--without-key", is_flag=True, help="Also a run that goes on, where the key that encrypts it is lost.")
@json_option
def delete(run: str, yes: bool, without_key: bool, as_json: bool) -> None:
    """Delete RUN for good: its idea, outputs, files, recorded answers, history, and what the graph has of it alone."""
    from zts_producer.cli.output import notice, print_json
    from zts_producer.client import Client

    with Client(workers=False, say=notice) as client:
        record = client.record(run)
        if not (yes or sys.stdin.isatty()):
            raise BadInput(f"nobody is asked whether run {record.run_id} may be deleted for good; say it with --yes")
        if not yes:
            click.confirm(f"delete run {record.run_id}, {record.title}, for good?", abort=True, err=True)
        client.delete(record.run_id, without_key=without_key)
    if as_json:
        print_json({"deleted": record.run_id})
    else:
        click.echo(f"{record.run_id} deleted")
