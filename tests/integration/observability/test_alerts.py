"""A failed step reaches a person: real workers, Prometheus and Alertmanager, with the rules and routes we ship."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from monitoring import DEPLOY, Monitoring, tool
from played_runs import SCRIPTED
from servers import REPOSITORY, wait_until

pytest.importorskip("prometheus_client")

RULES = [DEPLOY / "prometheus/recording.yml", DEPLOY / "prometheus/alerts.yml"]


def alerts() -> list[dict[str, dict[str, str]]]:
    groups = yaml.safe_load(RULES[1].read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def run_tool(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_configuration_are_valid() -> None:
    run_tool(tool("promtool"), "check", "rules", *RULES)
    run_tool(tool("promtool"), "check", "config", DEPLOY / "prometheus/prometheus.yml")
    run_tool(tool("amtool"), "check-config", DEPLOY / "alertmanager/alertmanager.yml")


def test_rules_do_what_their_examples_say() -> None:
    run_tool(tool("promtool"), "test", "rules", Path(__file__).parent / "alert_rules_test.yml")


def test_every_alert_has_an_example_a_severity_and_a_page() -> None:
    examples = (Path(__file__).parent / "alert_rules_test.yml").read_text()
    for alert in alerts():
        assert str(alert["alert"]) in examples
        assert alert["labels"]["severity"] in ("critical", "warning")
        page = (REPOSITORY / alert["annotations"]["runbook_url"]).read_text()
        assert str(alert["alert"]) in page
        assert {"summary", "description"} <= alert["annotations"].keys()


def test_every_page_is_of_an_alert_and_names_only_commands_there_are() -> None:
    from zts_producer.cli.root import COMMANDS

    pages = {alert["annotations"]["runbook_url"] for alert in alerts()}
    for page in (REPOSITORY / "docs/runbooks").glob("*.md"):
        assert page.name == "README.md" or f"docs/runbooks/{page.name}" in pages
        assert set(re.findall(r"`zts ([a-z]+)", page.read_text())) <= COMMANDS.keys()


@pytest.mark.redis
@pytest.mark.worker
def test_the_first_failed_step_reaches_a_person(watching: Monitoring) -> None:
    arrived = wait_until(lambda: watching.webhook.alerts("ZeroToShipStepFailed"), what="the alert arrives")[0]
    assert arrived["status"] == "firing"
    assert arrived["labels"] == {
        "alertname": "ZeroToShipStepFailed",
        "crew_name": SCRIPTED,
        "status": "failed",
        "severity": "critical",
    }
    assert arrived["annotations"]["summary"] == f"A step of {SCRIPTED} failed for good (failed)"
    assert arrived["annotations"]["description"].startswith("1 so far.")
    told = "".join(each["annotations"]["description"] for each in watching.webhook.alerts("ZeroToShipStepFailed"))
    failed = watching.query('zerotoship_run_steps{status="failed"} > 0')
    assert any(f"`zts why {run['metric']['run_id']}`" in told for run in failed), told
    run_failed = wait_until(lambda: watching.webhook.alerts("ZeroToShipRunFailed"), what="the run's alert arrives")[0]
    assert (run_failed["labels"]["workflow_name"], run_failed["labels"]["status"]) == ("main", "failed")
