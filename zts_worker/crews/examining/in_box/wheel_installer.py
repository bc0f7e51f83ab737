"""Decides how a project is installed where there is no pip: its own build back end makes a wheel, which is unpacked.

Arguments: the project's folder and the target folder. Follows PEP 517 (in-tree back ends) and PEP 427 (wheels).
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path


def main(project: str, target: str) -> None:
    """Build and unpack; exits with a sentence where the project needs what is not here."""
    unpack_to = Path(target).resolve()
    os.chdir(project)
    described = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    system = described.get("build-system", {})
    if system.get("requires", ["setuptools"]):
        sys.exit(f"building needs {system.get('requires', ['setuptools'])}, and there is no network here")
    if described.get("project", {}).get("dependencies"):
        sys.exit(f"it depends on {described['project']['dependencies']}, and there is no network here")
    sys.path[:0] = [str(Path(entry).resolve()) for entry in system.get("backend-path", [])]
    module, _, attribute = system["build-backend"].partition(":")
    backend = importlib.import_module(module)
    for part in attribute.split(".") if attribute else ():
        backend = getattr(backend, part)
    with tempfile.TemporaryDirectory() as folder:
        wheel = backend.build_wheel(folder)
        with zipfile.ZipFile(Path(folder) / wheel) as archive:
            archive.extractall(unpack_to)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
