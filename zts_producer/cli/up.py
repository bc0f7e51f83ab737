"""Decides what `zts up` does: the embedded stack in the foreground, until it is told to stop."""

from __future__ import annotations

import click

from zts_producer.cli.options import HELP, json_option

LOOK_S = 1.0


@click.command(context_settings=HELP)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
@click.option("--concurrency", type=click.IntRange(1, 256), help="Steps at once per worker (default: by processors).")
@json_option
def up(workers: int, concurrency: int | None, as_json: bool) -> None:
    """Run the embedded stack, a Redis server and workers, until Ctrl-C; runs that were cut short go on."""
    import time

    from zts_core.settings import read_settings
    from zts_producer.cli.output import notice, print_json
    from zts_producer.redis_choice import EMBEDDED
    from zts_producer.wiring import embedded_stack

    settings = read_settings()
    if settings.redis_url and settings.store_url != EMBEDDED:
        notice("REDIS_URL is set: commands use that server and not this stack, unless it is unset for them")
    stack = embedded_stack(settings, workers=workers, concurrency=concurrency)
    try:
        with stack as address:
            if as_json:
                print_json({"data_folder": str(settings.data_folder), "socket": address.redis_url.startswith("unix")})
            else:
                click.echo(f"the embedded stack is up, data in {settings.data_folder}; Ctrl-C stops it")
            told = None
            while True:
                time.sleep(LOOK_S)
                trouble = stack.trouble()
                if trouble and trouble != told:
                    notice(trouble)
                told = trouble
    except KeyboardInterrupt:
        notice("the embedded stack is down")
