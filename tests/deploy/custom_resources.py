"""Decides how tests read what KEDA and the Prometheus Operator are told: with models of their own definitions."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

from browser import CACHE
from servers import skip_or_fail

PACKAGES = ["cloudcoil==0.6.0", "cloudcoil-models-keda==2.16.1.0", "cloudcoil-models-prometheus-operator==0.80.1.0"]
MODELS = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}


def custom_model(found: dict[str, Any]) -> Any:
    """The pydantic model of an object; None where it is Kubernetes' own."""
    if found["apiVersion"] not in MODELS:
        return None
    _reach_packages()
    return getattr(importlib.import_module(MODELS[found["apiVersion"]]), found["kind"])


def _reach_packages() -> None:
    """In a folder of their own, for they bring a plugin that pytest would load in every environment they are in."""
    folder = CACHE / "custom-resources-1"
    if not (folder / "ready").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(folder)]
        if subprocess.run([*command, *PACKAGES], timeout=120).returncode:
            skip_or_fail(f"the models cannot be installed: {' '.join(PACKAGES)}")
        (folder / "ready").touch()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
