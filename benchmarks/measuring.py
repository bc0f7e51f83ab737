"""Decides how a figure is taken: several rounds after a warm-up, median and spread, with the machine beside it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("celery", "kombu", "redis", "pydantic")


@dataclass(frozen=True)
class Figure:
    """One measured quantity."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    rounds: int
    note: str = ""

    def row(self) -> str:
        spread = f"{_short(self.low)} to {_short(self.high)}"
        return f"| {self.name} | {_short(self.median)} {self.unit} | {spread} | {self.rounds} | {self.note} |"


def figure(name: str, unit: str, values: Sequence[float], *, note: str = "") -> Figure:
    """A figure from the values of its rounds."""
    return Figure(name, unit, statistics.median(values), min(values), max(values), len(values), note)


def timed(action: Callable[[], object], *, rounds: int, warm_up: int = 1) -> list[float]:
    """Seconds of each round."""
    for _ in range(warm_up):
        action()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        found.append(time.perf_counter() - started)
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system seconds that the processes and their dead children have used so far (Linux)."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / ticks


def memory_mb(pid: int) -> float:
    """Memory that is this process's own share (proportional set size), in MB (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children_of(pid: int) -> list[int]:
    """Processes started by `pid` (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def report(figures: Sequence[Figure], *, as_json: bool) -> str:
    """The table, or one JSON object."""
    if as_json:
        return json.dumps({"machine": machine(), "figures": [asdict(each) for each in figures]}, indent=2)
    head = ["| figure | median | spread | rounds | what |", "| --- | --- | --- | --- | --- |"]
    place = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([f"Machine: {place}", "", *head, *(each.row() for each in figures)])


@contextmanager
def process(command: Sequence[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with its group."""
    started = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def python(*arguments: str) -> list[str]:
    """A command that runs this Python."""
    return [sys.executable, *arguments]


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
