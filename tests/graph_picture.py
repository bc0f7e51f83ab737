"""What a graph holds, as plain data that can be compared: every node by its id, every relationship by its ends."""

from __future__ import annotations

import json
from typing import Any

from zts_core.graph.port import ResultGraph

EVERYTHING = 1_000_000
Picture = dict[str, Any]


def picture(graph: ResultGraph) -> Picture:
    """Nodes and relationships; two graphs with equal pictures hold the same."""
    nodes = graph.ask("MATCH (n) RETURN n", {}, limit=EVERYTHING).rows
    edges = graph.ask("MATCH (a)-[x]->(b) RETURN a.id, type(x), b.id, coalesce(x.path, '')", {}, limit=EVERYTHING).rows
    found = {f"{node['labels'][0]} {node['id']}": dict(sorted(node.items())) for (node,) in nodes}
    assert len(found) == len(nodes), "a node is there twice"
    told = sorted(" ".join(map(str, edge)) for edge in edges)
    assert len(set(told)) == len(told), "a relationship is there twice"
    return {"nodes": dict(sorted(found.items())), "edges": told}


def clear(graph: ResultGraph) -> None:
    """Remove everything, through whatever door the graph has."""
    from zts_core.graph.falkor_graph import GRAPH, FalkorGraph
    from zts_core.graph.neo4j_graph import Neo4jGraph

    if isinstance(graph, FalkorGraph):
        graph._redis.delete(GRAPH)
        graph._names.clear()
    elif isinstance(graph, Neo4jGraph):
        graph._managed([("MATCH (n) DETACH DELETE n", {})])
    graph.prepare()


def shown(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
