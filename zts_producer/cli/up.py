"""Decides what `zts up` does: the embedded stack in the foreground, until it is told to stop."""

from __future__ import annotations

import click

from zts_producer.cli.options import HELP, json_option

LOOK_S = 1.0


@click.command(context_settings=HELP)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
@click.option("--concurrency", type=click.IntRange(1, 256), help="Steps at once per worker (default: by processors).")
@click.option("--neo4j", is_flag=True, help="Keep results in a Neo4j of its own (Java 17 and Maven needed).")
@json_option
def up(workers: int, concurrency: int | None, neo4j: bool, as_json: bool) -> None:
    """Run the embedded stack, a Redis server and workers, until Ctrl-C; runs that were cut short go on."""
    import time

    from zts_core.redis_store.advice import redis_advice
    from zts_core.settings import EMBEDDED, read_settings
    from zts_producer.cli.neo4j_up import neo4j_program, shown, wait_for_neo4j
    from zts_producer.cli.output import notice, print_json
    from zts_producer.wiring import embedded_stack

    settings = read_settings()
    if settings.redis_url and settings.store_url != EMBEDDED:
        notice("REDIS_URL is set: commands use that server and not this stack, unless it is unset for them")
    program = neo4j_program(settings) if neo4j else None
    stack = embedded_stack(settings, workers=workers, concurrency=concurrency, neo4j=program)
    try:
        with stack as address:
            graph = shown(wait_for_neo4j(stack, settings), stack.neo4j_password) if program else {}
            if as_json:
                socket = address.redis_url.startswith("unix")
                print_json({"data_folder": str(settings.data_folder), "socket": socket, **graph})
            else:
                click.echo(f"the embedded stack is up, data in {settings.data_folder}; Ctrl-C stops it")
            if graph and not as_json:
                click.echo(
                    f"Neo4j is up: NEO4J_URI={graph['neo4j_uri']} NEO4J_USER={graph['neo4j_user']}, "
                    f"its password in {graph['neo4j_password_file']}; zts graph finds it by itself"
                )
            for line in redis_advice(address.redis_url, timeout_s=settings.redis_timeout).warnings:
                notice(line)
            told = None
            while True:
                time.sleep(LOOK_S)
                trouble = stack.trouble()
                if trouble and trouble != told:
                    notice(trouble)
                told = trouble
    except KeyboardInterrupt:
        notice("the embedded stack is down")
