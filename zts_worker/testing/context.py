"""Decides what a crew sees in a test: a step's context in memory, with what earlier steps are said to have left."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.artifacts import safe_path
from zts_core.crew import Models
from zts_core.errors import StepAbandoned
from zts_core.likeness import SeenBefore

Result = TypeVar("Result", bound=BaseModel)
EarlierFiles = Mapping[str, Mapping[str, bytes]]

IDEAS = (
    "A log for bee hives. Bee keepers forget what they saw at the last inspection. They record each inspection with "
    "a date, a hive, the queen's state and notes. A bee keeper wants to see which hive needs a visit.",
    "",
    "Eine App für Imker, ohne ein Wort Englisch. Ümläüte & <script>alert(1)</script> ' \" \\ \x07 {{ idea }} ${idea}",
)
"""What `assert_contract` submits when the author gives no ideas: a plain one, an empty one and a hostile one."""


class TestArtifacts:
    """What the crew wrote: `files` by path."""

    __test__ = False

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write_text(self, path: str, text: str) -> None:
        self.write_bytes(path, text.encode("utf-8"))

    def write_bytes(self, path: str, content: bytes) -> None:
        self.files[safe_path(path)] = content

    def add_folder(self, folder: Path, prefix: str) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                self.write_bytes(f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes())

    def text(self, path: str) -> str:
        """One file as text; KeyError where the crew wrote no such file."""
        return self.files[path].decode("utf-8")


class TestEarlierArtifacts:
    """Files that earlier steps are said to have left, by namespace."""

    __test__ = False

    def __init__(self, files: EarlierFiles) -> None:
        self._files = files

    def paths(self, namespace: str) -> tuple[str, ...]:
        return tuple(sorted(self._files.get(namespace, {})))

    def read_bytes(self, namespace: str, path: str) -> bytes:
        return self._files[namespace][path]

    def extract(self, namespace: str, folder: Path) -> None:
        for path in self.paths(namespace):
            target = folder / safe_path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read_bytes(namespace, path))


class TestContext:
    """A `StepContext` in memory.

    After a run, `artifacts.files` holds what the crew wrote and `said` its lines. `cancelled=True` lets `check()`
    raise StepAbandoned, as in a run that was cancelled. `timeout` in seconds.
    """

    __test__ = False

    def __init__(
        self,
        *,
        idea: str = IDEAS[0],
        earlier: Mapping[str, Mapping[str, Any] | BaseModel] | None = None,
        values: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        earlier_files: EarlierFiles | None = None,
        models: Models | None = None,
        seen_before: Sequence[SeenBefore] = (),
        attempt: int = 1,
        timeout: float = 300.0,
        cancelled: bool = False,
    ) -> None:
        self.run_id = "test-run"
        self.state = "TEST_STEP"
        self.idea = idea
        self.workflow = "test_workflow"
        self.metadata: Mapping[str, Any] = dict(metadata or {})
        self.values: Mapping[str, Any] = dict(values or {})
        self.attempt = attempt
        self.idempotency_key = "test-run:1"
        self.artifacts = TestArtifacts()
        self.earlier_artifacts = TestEarlierArtifacts(earlier_files or {})
        self.models = models
        self.seen_before = tuple(seen_before)
        self.log = logging.LoggerAdapter(logging.getLogger("zts.crew"), {"run": self.run_id})
        self.said: list[str] = []
        self.cancelled = cancelled
        self._earlier = {name: _plain(output) for name, output in (earlier or {}).items()}
        self._deadline = time.monotonic() + timeout
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def work_folder(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="zts-test-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    @property
    def seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    def earlier(self, namespace: str) -> Mapping[str, Any] | None:
        return self._earlier.get(namespace)

    def earlier_as(self, namespace: str, model: type[Result]) -> Result | None:
        found = self.earlier(namespace)
        return None if found is None else model.model_validate(found)

    def say(self, line: str) -> None:
        self.said.append(line)

    def check(self) -> None:
        if self.cancelled:
            raise StepAbandoned(f"{self.state} of run {self.run_id} may not go on: cancelled")

    def close(self) -> None:
        """Remove the work folder."""
        if self._folder is not None:
            self._folder.cleanup()


def _plain(output: Mapping[str, Any] | BaseModel) -> Mapping[str, Any]:
    return output.model_dump(mode="json", by_alias=True) if isinstance(output, BaseModel) else output
