"""Every query of the dashboards has an answer from the real Prometheus, beside celery-exporter and our workers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml
from monitoring import DEPLOY, Monitoring
from servers import wait_until

pytest.importorskip("prometheus_client")

DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
VARIABLES = {"$__rate_interval": "1m", "$workflow": ".*", "$crew": ".*"}
ONLY_WITH_A_GRAPH = ("zerotoship_outbox", "zerotoship_graph")


def panels() -> Iterator[tuple[str, str]]:
    """(where, query) of everything that the dashboards ask."""
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']}", target["expr"]
        for note in dashboard["annotations"]["list"]:
            yield f"{file.stem}: {note['name']}", note["expr"]


def test_dashboards_are_provisioned_and_told_apart() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    found = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({dashboard["uid"] for dashboard in found}) == len(found) >= 4
    for dashboard in found:
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        assert all(panel["datasource"]["uid"] == uid for panel in dashboard["panels"])


def silent(watching: Monitoring) -> list[str]:
    """Queries without an answer, of those that must have one."""
    found = []
    for where, query in panels():
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        if not watching.query(query) and not any(name in query for name in ONLY_WITH_A_GRAPH):
            found.append(f"{where}: {query}")
    return found


@pytest.mark.redis
@pytest.mark.worker
def test_every_query_of_the_dashboards_has_an_answer(watching: Monitoring) -> None:
    # A rate needs two scrapes.
    wait_until(lambda: not silent(watching), what="\n".join(silent(watching)))


@pytest.mark.redis
@pytest.mark.worker
def test_what_celerys_exporter_counts_agrees_with_our_own(watching: Monitoring) -> None:
    steps = 'sum(celery_task_succeeded_total{name="zts.step"})'
    ours = "sum(zerotoship_request_processing_seconds_count)"
    wait_until(lambda: watching.value(steps) == watching.value(ours) == 3, what="both count three messages")
