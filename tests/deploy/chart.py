"""Decides how tests render the chart: with Helm's own engine, as a library, and how they read what comes out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from servers import REPOSITORY, skip_or_fail

CHART = REPOSITORY / "deploy" / "helm" / "zerotoship"
RELEASE, NAMESPACE = "demo", "prod"

Object = dict[str, Any]

EVERYTHING: Object = {
    "secrets": {"name": "zts", "producer": "zts-producer"},
    "config": {"ZTS_MODEL": "openai:gpt-4o", "ZTS_FAN_OUT_WINDOW": 50},
    "workers": {
        "steps": {"autoscaling": {"enabled": True}},
        "high": {"enabled": True, "autoscaling": {"enabled": True}},
        "low": {
            "enabled": True,
            "autoscaling": {"enabled": True},
            "pool": "threads",
            "nodeSelector": {"spot": "yes"},
            "tolerations": [{"key": "spot", "operator": "Exists"}],
        },
    },
    "scaling": {"prometheus": {"address": "http://prometheus.monitoring:9090"}},
    "producer": {
        "idea": "# Tool library\n\nNeighbours record a loan.\n",
        "options": ["--workflow", "just_the_build"],
        "workflows": "ours",
    },
    "flower": {"enabled": True},
    "celeryExporter": {"enabled": True},
    "monitoring": {
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "rules": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboards": {"enabled": True},
    },
    "networkPolicy": {"flowerFrom": {"app": "ingress"}, "cidrs": {"redis": ["10.0.0.0/8"]}},
    "extraVolumes": [{"name": "ca", "secret": {"secretName": "redis-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/redis", "readOnly": True}],
    "image": {"pullSecrets": ["registry"]},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "ours", "operator": "Exists"}],
    "redis": {"enabled": True},
}

OTHERWISE: Object = {
    "secrets": {"name": "zts"},
    "artifacts": {"url": "s3://bucket/zts"},
    "workers": {"steps": {"autoscaling": {"enabled": True}}},
    "scaling": {
        "source": "redis",
        "redis": {"address": "redis.example:6379", "usernameKey": "REDIS_USER", "tls": True},
    },
    "producer": {"ideaFrom": {"configMap": "ideas", "key": "bees.txt"}, "options": ["--priority", "high"]},
    "flower": {"enabled": True, "urlPrefix": "/flower"},
    "celeryExporter": {"enabled": True, "brokerUrlKey": "BROKER"},
    "taskEvents": True,
    "networkPolicy": {"metricsFrom": {}},
    "serviceAccount": {"create": False, "name": "theirs"},
    "podAnnotations": {"team": "bees"},
}
"""The other branches of the templates."""


def helm() -> Any:
    """Helm's engine; there is no wheel of it for every machine."""
    try:
        import helm_python
    except ImportError:
        skip_or_fail("no helm-python-sdk on this machine")
    return helm_python


def templates(values: Object) -> dict[str, str]:
    """What each template renders to, by its path in the chart."""
    with quiet(), helm().Chart.load(str(CHART)) as chart:
        rendered: dict[str, str] = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    return {path.removeprefix("zerotoship/templates/"): text for path, text in rendered.items()}


def objects(values: Object) -> list[Object]:
    """Everything that a cluster would be given."""
    texts = [text for path, text in templates(values).items() if path.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def of_kind(found: list[Object], kind: str, name: str = "") -> list[Object]:
    """Those of one kind, or the one with a name."""
    return [each for each in found if each["kind"] == kind and each["metadata"]["name"].endswith(name)]


def pods(found: list[Object]) -> dict[str, Object]:
    """The specs of all pods by what makes them."""
    return {name: spec for name, _, spec in _pods(found)}


def labels(found: list[Object]) -> dict[str, dict[str, str]]:
    """The labels of all pods by what makes them."""
    return {name: metadata["labels"] for name, metadata, _ in _pods(found)}


def _pods(found: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    for each in found:
        if each["kind"] in ("Deployment", "StatefulSet", "Job", "Pod"):
            pod = each["spec"].get("template", each)
            yield each["metadata"]["name"], pod["metadata"], pod["spec"]


def environment(pod: Object, secret: dict[str, str]) -> dict[str, str]:
    """A container's variables as a kubelet would set them from that Secret."""
    given: dict[str, str] = {}
    for variable in pod["containers"][0]["env"]:
        if "value" in variable:
            text = variable["value"]
            for name, known in given.items():
                text = text.replace(f"$({name})", known)
            given[variable["name"]] = text
            continue
        wanted = variable["valueFrom"]["secretKeyRef"]
        if wanted["key"] in secret:
            given[variable["name"]] = secret[wanted["key"]]
        else:
            assert wanted.get("optional"), f"{wanted['key']} is needed"
    return given


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Helm tells of each link it follows on the process's own standard error, where no capture of Python's reaches."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def text_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))
