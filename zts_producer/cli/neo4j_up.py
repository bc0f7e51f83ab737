"""Decides what a person sees while `zts up --neo4j` fetches Neo4j and waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from zts_core.errors import BadInput, ServiceUnavailable
from zts_producer.cli.output import notice

if TYPE_CHECKING:
    from pathlib import Path

    from zts_core.settings import Settings
    from zts_producer.embedded import EmbeddedStack
    from zts_producer.embedded.neo4j_program import Neo4jProgram

ORDERED_S = 10.0
STARTED_S = 120.0
"""Seconds for the stack to start Neo4j, and for Neo4j to answer, on a slow disk too."""
FILES_A_LINE = 50
"""Downloaded files per line where nobody sees a moving one."""


def neo4j_program(settings: Settings) -> Neo4jProgram:
    """Neo4j as it can run here, fetched the first time. BadInput and ServiceUnavailable say why it cannot."""
    from zts_producer.embedded import default_folder, running
    from zts_producer.embedded.neo4j_program import VERSION, find_java, find_neo4j, has_neo4j

    if settings.neo4j_uri or settings.graph_url:
        named = "NEO4J_URI" if settings.neo4j_uri else "ZTS_GRAPH_URL"
        raise BadInput(f"{named} names a graph already: unset it, or leave --neo4j out")
    if running(settings.data_folder):
        raise BadInput(f"the embedded stack in {settings.data_folder} is up already: stop it, then run zts up --neo4j")
    cache = default_folder() / "servers"
    if has_neo4j(cache):
        return find_neo4j(cache, lambda _: None)
    find_java()
    with _told(f"fetching Neo4j {VERSION} from Maven Central into {cache}, once, about 130 MB") as tell:
        return find_neo4j(cache, tell)


def wait_for_neo4j(stack: EmbeddedStack, settings: Settings) -> str:
    """The address, with its login, once it answers."""
    from zts_core.graph.opening import open_graph

    url = _ordered(stack)
    graph = open_graph(settings, embedded=url)
    assert graph is not None  # noqa: S101 - it was given an address
    until = time.monotonic() + STARTED_S
    with _told("starting Neo4j"):
        while True:
            try:
                graph.prepare()
            except ServiceUnavailable as error:
                if time.monotonic() > until or stack.trouble():
                    raise ServiceUnavailable(stack.trouble() or str(error)) from error
                time.sleep(0.2)
            else:
                graph.close()
                return url


def shown(url: str, password_file: Path) -> dict[str, str]:
    """What another program needs to find it."""
    parts = urlsplit(url)
    return {
        "neo4j_uri": f"bolt://{parts.hostname}:{parts.port}",
        "neo4j_user": parts.username or "",
        "neo4j_password_file": str(password_file),
    }


def _ordered(stack: EmbeddedStack) -> str:
    until = time.monotonic() + ORDERED_S
    while not (url := stack.neo4j()):
        if time.monotonic() > until:
            raise ServiceUnavailable("another command started the stack meanwhile, without Neo4j: stop it, try again")
        time.sleep(0.05)
    return url


@contextmanager
def _told(what: str) -> Iterator[Callable[[str], None]]:
    """A line that moves on a terminal; elsewhere one at the beginning, and one for every so many files."""
    from rich.console import Console

    console, files = Console(stderr=True), 0
    if not console.is_terminal:
        notice(what)

    def tell(name: str) -> None:
        nonlocal files
        files += 1
        if console.is_terminal:
            status.update(f"{what}: {files} files, {name}")
        elif files % FILES_A_LINE == 0:
            notice(f"{files} files fetched")

    with console.status(what) as status:
        yield tell
