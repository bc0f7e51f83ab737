"""A step context on a temporary folder: what a crew writes can be read back, what it says is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel

from zts_core.crew import EarlierArtifacts
from zts_core.likeness import SeenBefore

Result = TypeVar("Result", bound=BaseModel)


class KeptArtifacts:
    """Artifacts of one namespace or several, in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write_text(self, path: str, text: str) -> None:
        self.write_bytes(path, text.encode("utf-8"))

    def write_bytes(self, path: str, content: bytes) -> None:
        pure = PurePosixPath(path)
        assert not pure.is_absolute()
        assert ".." not in pure.parts
        self.files[path] = content

    def add_folder(self, folder: Path, prefix: str) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.write_bytes(f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes())

    def text(self, path: str) -> str:
        return self.files[path].decode("utf-8")


class NoEarlierArtifacts:
    """No earlier step left a file."""

    def paths(self, namespace: str) -> tuple[str, ...]:
        return ()

    def read_bytes(self, namespace: str, path: str) -> bytes:
        raise KeyError(path)

    def extract(self, namespace: str, folder: Path) -> None:
        return None


class FakeContext:
    """`StepContext` for an idea, earlier outputs and workflow metadata."""

    def __init__(
        self,
        idea: str,
        folder: Path,
        *,
        earlier: Mapping[str, Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
        seen_before: Sequence[SeenBefore] = (),
    ) -> None:
        self.run_id = "run-1"
        self.state = "STEP"
        self.idea = idea
        self.seen_before = seen_before
        self.workflow = "default_software_build"
        self.metadata = dict(metadata or {})
        self.values = dict(values or {})
        self.models = None
        self.attempt = 1
        self.idempotency_key = "key-1"
        self.artifacts = KeptArtifacts()
        self.earlier_artifacts: EarlierArtifacts = NoEarlierArtifacts()
        self.work_folder = folder
        self.log = logging.LoggerAdapter(logging.getLogger("crews_text"), {})
        self.seconds_left = 300.0
        self.said: list[str] = []
        self._earlier = dict(earlier or {})

    def earlier(self, namespace: str) -> Mapping[str, Any] | None:
        return self._earlier.get(namespace)

    def earlier_as(self, namespace: str, model: type[Result]) -> Result | None:
        found = self.earlier(namespace)
        return None if found is None else model.model_validate(found)

    def say(self, line: str) -> None:
        self.said.append(line)

    def check(self) -> None:
        return None
