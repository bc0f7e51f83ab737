"""Decides what the two halves of the sandbox tell each other: the plan of one execution and its report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What one execution may use; sizes in bytes, times in seconds of processor.

    `memory_bytes` bounds the address space of each process and the resident memory of all together;
    `disk_bytes` all that is below the folder; `output_bytes` what is kept of stdout and of stderr each.
    """

    cpu_s: int = 60
    memory_bytes: int = 1 << 30
    file_bytes: int = 64 << 20
    disk_bytes: int = 256 << 20
    open_files: int = 256
    processes: int = 64
    output_bytes: int = 64 << 10


@dataclass(frozen=True)
class Isolation:
    """Which walls to put up: one that cannot be put up fails the execution, so none is claimed in vain."""

    user_namespace: bool = False
    namespaces: bool = False
    private_root: bool = False
    uid: int | None = None

    def in_words(self) -> tuple[str, ...]:
        """What is in force, for people."""
        words = ["resource limits", "clean environment", "own process group"]
        if self.namespaces:
            words += ["no network", "own process namespace"]
        if self.private_root:
            words.append("private file system")
        if self.uid is not None:
            words.append("unprivileged user")
        return tuple(words)


@dataclass(frozen=True)
class Plan:
    """One execution: what to run, where, for how long and behind which walls."""

    argv: tuple[str, ...]
    folder: str
    timeout_s: float
    environment: dict[str, str]
    limits: Limits
    isolation: Isolation
    readable: tuple[str, ...]
    root_point: str
    report_fd: int
    lifeline_fd: int

    def to_json(self) -> str:
        """The plan as one JSON line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        data["limits"] = Limits(**data["limits"])
        data["isolation"] = Isolation(**data["isolation"])
        data["argv"], data["readable"] = tuple(data["argv"]), tuple(data["readable"])
        return cls(**data)


@dataclass(frozen=True)
class Report:
    """How it ended; `error` says why the sandbox itself could not be set up, and then nothing was run."""

    exit_code: int = 127
    killed_reason: str | None = None
    leftovers: int = 0
    error: str | None = None

    def to_json(self) -> str:
        """The report as one JSON line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report `to_json` wrote."""
        return cls(**json.loads(text))
