"""Decides which graph an address means."""

from __future__ import annotations

from urllib.parse import unquote

from zts_core.errors import SettingInvalid
from zts_core.graph.falkor_graph import SCHEME, FalkorGraph
from zts_core.graph.neo4j_graph import Neo4jGraph
from zts_core.graph.port import ResultGraph
from zts_core.settings import Settings

NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def open_graph(settings: Settings, *, embedded: str = "") -> ResultGraph | None:
    """The graph of NEO4J_URI, else of ZTS_GRAPH_URL, else the `embedded` one; None where there is none.

    An address of Neo4j may hold a login, which comes before the settings'. Connects to nothing yet.
    """
    url = settings.neo4j_uri.get_secret_value() if settings.neo4j_uri else settings.graph_url or embedded
    if not url:
        return None
    scheme = url.partition("://")[0]
    if scheme in (SCHEME, f"{SCHEME}+unix"):
        return FalkorGraph(url, timeout_s=settings.graph_timeout)
    if scheme not in NEO4J_SCHEMES:
        raise SettingInvalid(f"NEO4J_URI begins with {scheme!r}, which is no graph; use {', '.join(NEO4J_SCHEMES)}")
    login, _, place = url.removeprefix(f"{scheme}://").rpartition("@")
    user, _, password = map(unquote, login.partition(":"))
    return Neo4jGraph(
        f"{scheme}://{place}",
        user=user or settings.neo4j_user,
        password=password or (settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""),
        database=settings.neo4j_database,
        timeout_s=settings.graph_timeout,
    )
