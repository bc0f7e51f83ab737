"""The image: built from a lock that fits the project, run by nobody in particular, holding no more than it needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

IN_THE_IMAGE = ("graph", "metrics", "flower", "models", "tracing", "artifacts")
LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.M)


def instructions(repository: Path) -> list[tuple[str, str]]:
    text = (repository / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word.upper(), rest) for word, rest in lines]


def test_the_lock_holds_all_that_the_project_needs_in_versions_that_fit(repository: Path) -> None:
    text = (repository / "deploy" / "requirements.lock").read_text()
    locked = {name.lower().replace("_", "-"): version for name, version in LOCKED.findall(text)}
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in IN_THE_IMAGE:
        wanted += project["optional-dependencies"][extra]
    for each in map(Requirement, wanted):
        version = locked.get(each.name.lower().replace("_", "-"))
        assert version, f"{each.name} is not in the lock; `make lock` writes it anew"
        assert each.specifier.contains(version), f"{each} does not take {version}; `make lock` writes the lock anew"
    assert text.count("--hash=sha256:") >= len(locked)
    assert "--index-url" not in text
    assert "https://" not in text


def test_the_image_runs_as_nobody_in_particular_behind_an_init(repository: Path) -> None:
    stages = instructions(repository)
    last = stages[max(index for index, (word, _) in enumerate(stages) if word == "FROM") :]
    assert [rest for word, rest in last if word == "USER"] == ["10001"]
    assert '"/usr/bin/tini"' in dict(last)["ENTRYPOINT"]
    assert "sbom" in " ".join(rest for word, rest in last if word == "LABEL")
    assert not any(word in ("ADD", "ARG") for word, _ in last)


def test_all_that_is_copied_is_there_and_let_through(repository: Path) -> None:
    allowed = {line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [rest.split()[:-1] for word, rest in instructions(repository) if word == "COPY" and "--from" not in rest]
    for source in [source for sources in copied for source in sources]:
        assert (repository / source).exists(), source
        assert source.removeprefix("./") in allowed, source


def test_nothing_is_built_without_hashes(repository: Path) -> None:
    commands = " ".join(rest for word, rest in instructions(repository) if word == "RUN")
    assert "--require-hashes --requirement deploy/requirements.lock" in commands
    assert "pip install --no-deps ." in commands
