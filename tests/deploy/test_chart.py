"""The chart renders to what clusters, KEDA and Prometheus take, refuses in one line, and holds no second copy."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import chart
import pytest
import yaml
from chart import CHART, EVERYTHING, OTHERWISE
from custom_resources import custom_model
from servers import skip_or_fail

from zts_core.celery_queue import CONTROL_QUEUE, QUEUES
from zts_core.settings import Settings

LEAST = {"secrets": {"name": "zts"}}
CLUSTERS = ("1.29", "1.35")


@pytest.fixture(scope="module")
def everything() -> list[chart.Object]:
    return chart.objects(EVERYTHING)


@pytest.mark.parametrize("values", [LEAST, EVERYTHING, OTHERWISE], ids=["least", "everything", "otherwise"])
def test_helm_finds_nothing_to_complain_about(values: chart.Object) -> None:
    with chart.quiet():
        report = chart.helm().lint(str(CHART), values, strict=True)
    assert not report["errors"]
    assert [each for each in report["messages"] if each["severity"] > 1] == []


@pytest.mark.parametrize("values", [EVERYTHING, OTHERWISE], ids=["everything", "otherwise"])
def test_clusters_keda_and_the_prometheus_operator_take_all_that_is_rendered(values: chart.Object) -> None:
    import kubernetes_validate

    for each in chart.objects(values):
        if model := custom_model(each):
            # Unknown fields are dropped by these models, so what comes out is held against what went in.
            read = model.model_validate(each).model_dump(by_alias=True, exclude_unset=True, mode="json")
            assert read == each
            continue
        for version in CLUSTERS:
            kubernetes_validate.validate(each, version, strict=True)


def test_pods_are_nobody_write_nothing_gain_nothing_and_are_bounded(everything: list[chart.Object]) -> None:
    for name, pod in chart.pods(everything).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert container["resources"]["requests"]["cpu"], name


def test_each_queue_has_its_workers_and_no_other_is_named(everything: list[chart.Object]) -> None:
    ours = {CONTROL_QUEUE, *QUEUES.values()}
    taken: set[str] = set()
    for each in chart.of_kind(everything, "Deployment"):
        words = chart.pods([each])[each["metadata"]["name"]]["containers"][0]["args"]
        if "--queues" in words:
            taken |= set(words[words.index("--queues") + 1].split(","))
    assert taken == ours
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(schema["definitions"]["queue"]["enum"]) == ours


def test_a_group_may_have_nodes_and_a_pool_of_its_own(everything: list[chart.Object]) -> None:
    pods = chart.pods(everything)
    low, steps = pods["demo-zerotoship-low"], pods["demo-zerotoship-steps"]
    assert (low["nodeSelector"], steps["nodeSelector"]) == ({"spot": "yes"}, {"disk": "fast"})
    assert (low["tolerations"][0]["key"], steps["tolerations"][0]["key"]) == ("spot", "ours")
    assert "--pool threads" in " ".join(low["containers"][0]["args"])
    assert "--pool" not in steps["containers"][0]["args"]


def test_a_pod_lives_longer_than_its_worker_may_take_to_leave(everything: list[chart.Object]) -> None:
    for shutdown in (0, 10, 3600):
        workers = chart.of_kind(chart.objects(LEAST | {"shutdownSeconds": shutdown}), "Deployment")
        for name, pod in chart.pods(workers).items():
            given = chart.environment(pod, {"REDIS_URL": "redis://r"})
            assert float(given["ZTS_SHUTDOWN"]) == shutdown, name
            assert pod["terminationGracePeriodSeconds"] >= shutdown + 30, name


def test_groups_are_scaled_by_what_waits_in_their_own_queues(everything: list[chart.Object]) -> None:
    for group, priorities in (("steps", "high|normal|low"), ("high", "high"), ("low", "low")):
        (scaled,) = chart.of_kind(everything, "ScaledObject", f"-{group}")
        (deployment,) = chart.of_kind(everything, "Deployment", f"-{group}")
        assert scaled["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"], "KEDA sets them"
        waiting, oldest = (trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"])
        assert waiting == f'sum(max by (priority) (zerotoship_waiting_steps{{priority=~"{priorities}"}}))'
        assert oldest == f'max(zerotoship_waiting_oldest_seconds{{priority=~"{priorities}"}})'
    assert chart.of_kind(everything, "Deployment", "-control")[0]["spec"]["replicas"] == 1


def test_prometheus_answers_what_keda_asks_with_one_number(everything: list[chart.Object], tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        skip_or_fail("no promtool; Debian's package prometheus has it")
    series = []
    for worker in ("a", "b"):  # every worker shows the whole cluster's numbers
        for priority, number, oldest in (("high", 1, 5), ("normal", 30, 90), ("low", 200, 900)):
            labels = f'{{priority="{priority}",instance="{worker}"}}'
            series.append({"series": f"zerotoship_waiting_steps{labels}", "values": f"{number}x5"})
            series.append({"series": f"zerotoship_waiting_oldest_seconds{labels}", "values": f"{oldest}x5"})
    asked = []
    for group, answers in (("steps", (231, 900)), ("high", (1, 5)), ("low", (200, 900))):
        (scaled,) = chart.of_kind(everything, "ScaledObject", f"-{group}")
        queries = [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
        for query, answer in zip(queries, answers, strict=True):
            asked.append({"expr": query, "eval_time": "3m", "exp_samples": [{"labels": "{}", "value": answer}]})
    story = {"rule_files": [], "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}]}
    (tmp_path / "story.yml").write_text(yaml.safe_dump(story))
    done = subprocess.run([str(promtool), "test", "rules", "story.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_prometheus_keda_measures_the_lists_with_a_password_from_the_secret() -> None:
    found = chart.objects(OTHERWISE)
    (scaled,) = chart.of_kind(found, "ScaledObject")
    lists = [trigger["metadata"]["listName"] for trigger in scaled["spec"]["triggers"]]
    assert set(lists) == set(QUEUES.values())
    (login,) = chart.of_kind(found, "TriggerAuthentication")
    assert {trigger["authenticationRef"]["name"] for trigger in scaled["spec"]["triggers"]} == {
        login["metadata"]["name"]
    }
    assert login["spec"]["secretTargetRef"] == [
        {"parameter": "username", "name": "zts", "key": "REDIS_USER"},
        {"parameter": "password", "name": "zts", "key": "REDIS_PASSWORD"},
    ]


def test_the_rules_of_the_cluster_are_those_of_compose_with_addresses_of_runbooks(
    everything: list[chart.Object], repository: Path
) -> None:
    for name in ("recording", "alerts"):
        (rule,) = chart.of_kind(everything, "PrometheusRule", f"-{name}")
        text = (repository / "deploy" / "prometheus" / f"{name}.yml").read_text()
        base = "https://github.com/zerotoship/zerotoship/blob/main/docs/"
        assert rule["spec"] == yaml.safe_load(text.replace("runbook_url: docs/", f"runbook_url: {base}"))
        assert (CHART / "files" / f"{name}.yml").is_symlink(), "one copy in the repository"
    (watched,) = chart.of_kind(everything, "PodMonitor")
    assert watched["spec"]["podMetricsEndpoints"][0]["relabelings"] == [
        {"targetLabel": "job", "replacement": "zerotoship"}
    ]


def test_the_dashboards_of_the_cluster_are_those_of_compose(everything: list[chart.Object], repository: Path) -> None:
    ours = {path.name: path.read_text() for path in (repository / "deploy" / "grafana" / "dashboards").glob("*.json")}
    maps = [
        each for each in chart.of_kind(everything, "ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]
    ]
    assert {name: text for each in maps for name, text in each["data"].items()} == ours


def test_every_pod_may_be_evicted_one_at_a_time_and_talks_only_where_it_must(everything: list[chart.Object]) -> None:
    workers = [each["metadata"]["name"] for each in chart.of_kind(everything, "ScaledObject")]
    assert (
        {f"demo-zerotoship-{group}" for group in ("control", "steps", "high", "low")}
        == {each["metadata"]["name"] for each in chart.of_kind(everything, "PodDisruptionBudget")}
        >= set(workers)
    )
    selected = [each["spec"]["podSelector"]["matchLabels"] for each in chart.of_kind(everything, "NetworkPolicy")]
    for name, labels in chart.labels(everything).items():
        assert any(wanted.items() <= labels.items() for wanted in selected), name


def test_no_secret_is_among_arguments_and_producers_get_the_least(everything: list[chart.Object]) -> None:
    for name, pod in chart.pods(everything).items():
        words = " ".join([*pod["containers"][0].get("args", []), *pod["containers"][0].get("command", [])])
        assert "$(" not in words, name
    given = [
        pod
        for name, pod in chart.pods(chart.objects(EVERYTHING | {"redis": {"enabled": False}})).items()
        if "submit" in name
    ]
    secrets = [each["valueFrom"]["secretKeyRef"] for each in given[0]["containers"][0]["env"] if "valueFrom" in each]
    assert {each["name"] for each in secrets} == {"zts-producer"}
    assert not {"NEO4J_PASSWORD", "OPENAI_API_KEY", "ZTS_MODEL_API_KEY"} & {each["key"] for each in secrets}


def test_variables_that_the_chart_sets_are_settings_of_ours(everything: list[chart.Object]) -> None:
    known = {f"ZTS_{name.upper()}" for name in Settings.model_fields}
    for name, pod in chart.pods(everything).items():
        for variable in pod["containers"][0].get("env", []):
            if variable["name"].startswith("ZTS_"):
                assert variable["name"] in known, f"{name}: {variable['name']}"


def test_settings_reach_a_pod_as_they_were_written() -> None:
    config = {"ZTS_IDEA_BYTES": 10_000_000, "ZTS_LEASE": 2.5, "ZTS_RUN_LOG": False, "ZTS_MODEL": "openai:gpt-4o"}
    pods = chart.pods(chart.objects(LEAST | {"config": config}))
    given = chart.environment(pods["demo-zerotoship-steps"], {"REDIS_URL": "redis://r"})
    shown = {"ZTS_IDEA_BYTES": "10000000", "ZTS_LEASE": "2.5", "ZTS_RUN_LOG": "false", "ZTS_MODEL": "openai:gpt-4o"}
    assert shown.items() <= given.items()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "secrets.name is empty: name a Secret that holds REDIS_URL"),
        (LEAST | {"workers": {"steps": {"concurency": 3}}}, "additional properties 'concurency' not allowed"),
        (LEAST | {"workers": {"steps": {"queues": ["zts.stepz"]}}}, "must be one of 'zts.control', 'zts.high'"),
        (LEAST | {"workers": {"control": {"enabled": False}}}, "queue zts.control is taken by no group of workers"),
        (LEAST | {"shutdownSeconds": "10s"}, "'/shutdownSeconds': got string, want integer"),
        (LEAST | {"config": {"ZTS_MODEL_API_KEY": "sk-1"}}, "config.ZTS_MODEL_API_KEY is a secret"),
        (LEAST | {"config": {"ZTS_SHUTDOWN": 5}}, "config.ZTS_SHUTDOWN is set by the chart: use shutdownSeconds"),
        (
            LEAST | {"workers": {"steps": {"autoscaling": {"enabled": True}}}},
            "scaling.prometheus.address is empty: name your Prometheus",
        ),
        (
            LEAST | {"workers": {"steps": {"autoscaling": {"enabled": True, "min": 20}}}},
            "workers.steps.autoscaling.min (20) is above its max (10)",
        ),
        (
            LEAST | {"producer": {"idea": "x", "ideaFrom": {"configMap": "y"}}},
            "producer.idea and producer.ideaFrom.configMap are both set",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_refused_in_one_line_that_names_it(values: chart.Object, said: str) -> None:
    with pytest.raises(chart.helm().HelmError) as refused:
        chart.objects(values)
    assert said in str(refused.value)


def test_another_idea_is_another_job_and_the_same_one_is_not() -> None:
    def job(idea: str) -> str:
        (found,) = chart.of_kind(chart.objects(LEAST | {"producer": {"idea": idea}}), "Job")
        return str(found["metadata"]["name"])

    assert job("# Bees") == job("# Bees") != job("# Wasps")
    assert not chart.of_kind(chart.objects(LEAST), "Job")


def test_the_chart_has_the_projects_version(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    of_chart = chart.text_of(CHART / "Chart.yaml")
    assert of_chart["appVersion"] == of_chart["version"] == project["version"]


def test_a_packed_chart_holds_the_rules_and_dashboards_themselves(tmp_path: Path) -> None:
    with chart.quiet():
        packed = chart.helm().package(str(CHART), destination=str(tmp_path))
    with tarfile.open(packed) as archive:
        names = {member.name: member for member in archive.getmembers()}
    for name in ("files/alerts.yml", "files/dashboards/overview.json", "values.schema.json"):
        assert names[f"zerotoship/{name}"].isfile(), f"{name} in {sorted(names)}"


def test_its_readme_names_values_that_there_are() -> None:
    values = chart.text_of(CHART / "values.yaml")
    named = re.findall(r"--set(?:-file|-string)? ([\w.]+)=", (CHART / "README.md").read_text())
    assert named
    for path in named:
        place = values
        for part in path.split("."):
            assert part in place, f"README.md sets {path}, which values.yaml does not have"
            place = place[part]


def test_the_helm_of_this_machine_renders_the_same(tmp_path: Path) -> None:
    program = os.environ.get("ZTS_HELM") or shutil.which("helm")
    if not program:
        pytest.skip("no helm here; the library above is its engine")
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(EVERYTHING))
    command = [program, "template", chart.RELEASE, str(CHART), "--namespace", chart.NAMESPACE]
    done = subprocess.run(
        [*command, "--values", str(tmp_path / "values.yaml")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr

    def by_name(found: list[chart.Object]) -> dict[tuple[str, str], chart.Object]:
        return {(each["kind"], each["metadata"]["name"]): each for each in found}

    assert by_name([each for each in yaml.safe_load_all(done.stdout) if each]) == by_name(chart.objects(EVERYTHING))
