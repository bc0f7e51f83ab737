"""Decides what `zts key` does and says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from zts_producer.cli.options import HELP, json_option

if TYPE_CHECKING:
    from zts_core.redis_store.rotated import Rotated

LEFT = 3
TELL_EVERY_S = 1.0


@click.group(context_settings=HELP)
def key() -> None:
    """Make and change the keys that the content of runs is encrypted with (ZTS_ENCRYPTION_KEY)."""


@key.command(context_settings=HELP)
@json_option
def new(as_json: bool) -> None:
    """Print a new key."""
    from zts_core.sealing import new_key
    from zts_producer.cli.output import notice, print_json

    text, key_id = new_key()
    if as_json:
        print_json({"key": text, "id": key_id})
        return
    click.echo(text)
    notice(f"this is key {key_id}; keep a copy where it is safe: without it nothing opens what it encrypts")


@key.command(context_settings=HELP)
@json_option
def rotate(as_json: bool) -> int:
    """Encrypt all that is kept with the first key of ZTS_ENCRYPTION_KEY.

    May be stopped and run again, while workers go on. Ends with 3 where something is left under another key.
    """
    from zts_producer.cli.output import notice, print_json
    from zts_producer.client import Client
    from zts_producer.rotation import rotate

    with Client(workers=False, say=notice) as client:
        done = rotate(client, tell=_now_and_then(notice))
        key_id = client.services.sealer.key_ids[0]
    left = _left(done)
    if as_json:
        print_json({"key": key_id, "values": done.values, "files": done.files, "left": left})
    else:
        click.echo(f"{done.values:,} values and {done.files:,} files encrypted anew, with key {key_id}")
        for line in left:
            click.echo(line)
        if not left:
            click.echo("nothing is left under another key")
    return LEFT if left else 0


def _now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    last = time.monotonic()

    def tell(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= TELL_EVERY_S:
            last = time.monotonic()
            say(line)

    return tell


def _left(done: Rotated) -> list[str]:
    lacking = [
        f"{count:,} are left under key {key_id}, which is not set here; add it to ZTS_ENCRYPTION_KEY and run this again"
        for key_id, count in sorted(done.lacking.items())
    ]
    raced = [f"{done.raced:,} were written by others meanwhile; run this again"] if done.raced else []
    changed = [f"{done.unreadable:,} do not open: they were changed where they are kept"] if done.unreadable else []
    broken = [f"the history of run {run_id} is not as it was written; see `zts audit verify`" for run_id in done.broken]
    return lacking + raced + changed + broken
