"""A step context on temporary folders: what earlier steps left is handed on as a run would."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.errors import StepAbandoned

Result = TypeVar("Result", bound=BaseModel)


class FolderArtifacts:
    """Both halves: a writer into one namespace, and a reader of all of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def of(self, namespace: str) -> Path:
        return self.root / namespace

    def paths(self, namespace: str) -> tuple[str, ...]:
        folder = self.of(namespace)
        return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))

    def read_bytes(self, namespace: str, path: str) -> bytes:
        try:
            return (self.of(namespace) / path).read_bytes()
        except OSError as reason:
            raise KeyError(path) from reason

    def extract(self, namespace: str, folder: Path) -> None:
        if self.of(namespace).is_dir():
            shutil.copytree(self.of(namespace), folder, dirs_exist_ok=True)


class NamespaceWriter:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_text(self, path: str, text: str) -> None:
        self.write_bytes(path, text.encode())

    def write_bytes(self, path: str, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def add_folder(self, folder: Path, prefix: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.write_bytes(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())


class FakeContext:
    """One step of a run; fulfils `zts_core.crew.StepContext`."""

    def __init__(self, run: FakeRun, namespace: str, *, values: Mapping[str, Any], folder: Path) -> None:
        self.run_id = "run-1"
        self.state = f"TEST_{namespace.upper()}"
        self.idea = run.idea
        self.workflow = run.workflow
        self.metadata: Mapping[str, Any] = run.metadata
        self.values = values
        self.models = None
        self.seen_before = ()
        self.attempt = 1
        self.idempotency_key = "key-1"
        self.earlier_artifacts = run.artifacts
        self.artifacts = NamespaceWriter(folder / "made")
        self.work_folder = folder / "work"
        self.work_folder.mkdir(parents=True)
        self.log = logging.LoggerAdapter(logging.getLogger("crews_code"), {})
        self.seconds_left = 300.0
        self.said: list[str] = []
        self.cancelled = False
        self._outputs = run.outputs

    def earlier(self, namespace: str) -> Mapping[str, Any] | None:
        return self._outputs.get(namespace)

    def earlier_as(self, namespace: str, model: type[Result]) -> Result | None:
        found = self.earlier(namespace)
        return None if found is None else model.model_validate(found)

    def say(self, line: str) -> None:
        self.said.append(line)

    def check(self) -> None:
        if self.cancelled:
            raise StepAbandoned("the run was cancelled")


class FakeRun:
    """A run: its idea, the outputs of its steps as JSON data, and their files."""

    def __init__(self, idea: str, root: Path, *, workflow: str = "default_software_build") -> None:
        self.idea = idea
        self.root = root
        self.workflow = workflow
        self.metadata: dict[str, Any] = {}
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self.artifacts = FolderArtifacts(root / "artifacts")
        self.steps = 0
        self.said: list[str] = []
        """What the newest step said."""

    def context(self, namespace: str, **values: Any) -> FakeContext:
        self.steps += 1
        return FakeContext(self, namespace, values=values, folder=self.root / f"step-{self.steps}")

    def step(self, crew: Any, **values: Any) -> Any:
        """Run a crew, then commit: its output and files replace those its namespace had."""
        context = self.context(crew.namespace, **values)
        output = crew.run(context)
        self.said = context.said
        self.outputs[crew.namespace] = crew.Output.model_validate(output).model_dump(mode="json")
        target = self.artifacts.of(crew.namespace)
        shutil.rmtree(target, ignore_errors=True)
        if context.artifacts.folder.is_dir():
            shutil.copytree(context.artifacts.folder, target)
        shutil.rmtree(context.work_folder, ignore_errors=True)
        return output
