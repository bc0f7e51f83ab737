"""Every query of the dashboards has an answer from the real Prometheus, beside celery-exporter and our workers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from monitoring import DEPLOY, Monitoring
from servers import skip_or_fail, wait_until

pytest.importorskip("prometheus_client")

DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
VARIABLES = {"$__rate_interval": "1m", "$workflow": ".*", "$crew": ".*"}
ONLY_WITH_A_GRAPH = ("zerotoship_outbox", "zerotoship_graph")
NOT_IN_THE_SCHEMA = {"definition", "titleFormat", "tagKeys"}
"""Fields that Grafana writes itself into variables and annotations, though its published schema does not list them."""


def panels() -> Iterator[tuple[str, str]]:
    """(where, query) of everything that the dashboards ask."""
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                yield f"{file.stem}: {panel['title']}", target["expr"]
        for note in dashboard["annotations"]["list"]:
            yield f"{file.stem}: {note['name']}", note["expr"]
        for variable in dashboard["templating"]["list"]:
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()
            yield f"{file.stem}: ${variable['name']}", f"group by ({label}) ({series})"


def test_dashboards_are_provisioned_and_told_apart() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    found = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({dashboard["uid"] for dashboard in found}) == len(found) == 5
    for dashboard in found:
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        assert all(panel["datasource"]["uid"] == uid for panel in dashboard["panels"])


def test_every_field_of_the_dashboards_is_one_that_grafana_knows() -> None:
    for file in DASHBOARDS:
        raw = json.loads(file.read_text())
        assert {lost.rpartition(".")[2] for lost in unknown(raw)} <= NOT_IN_THE_SCHEMA, file.name
        raw["panels"][0]["options"]["colourMode"] = "value"
        assert ".panels[0].options.colourMode" in unknown(raw)


def unknown(raw: dict[str, Any]) -> list[str]:
    """Paths of a dashboard's fields that are lost by way of the published models of Grafana's dashboards."""
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
    except ImportError:
        skip_or_fail("grafana-foundation-sdk is missing: pip install 'zerotoship[dev]'")
    register_default_plugins()
    return list(differences(raw, json.loads(json.dumps(Dashboard.from_json(raw), cls=JSONEncoder))))


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from differences(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}[{place}]")
    elif ours != theirs:
        yield path


def silent(watching: Monitoring) -> list[str]:
    """Queries without an answer, of those that must have one."""
    found = []
    (goes_on,) = watching.query("zerotoship_run_open_steps")
    values = {**VARIABLES, "$run": goes_on["metric"]["run_id"]}
    for where, query in panels():
        for name, value in values.items():
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
