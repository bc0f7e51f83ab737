"""Measures start-up: from the command to the first step, and the orchestrator."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from benchmarks.engine import CREW, Engine
from benchmarks.measuring import Figure, figure, python, timed
from zts_core.settings import Settings
from zts_producer.client import Client

IDEA = Path(__file__).resolve().parent.parent / "examples" / "ideas" / "bee_hive_log.txt"


def figures(*, rounds: int = 5) -> Iterator[Figure]:
    """All figures of starting."""
    command = _script("zts-submit")
    values = [_to_first_step(command) for _ in range(rounds)]
    yield figure("zts-submit to its first step, embedded", "s", values, note="Redis and workers started for it")
    with Engine() as engine:
        values = [_to_first_step(command, REDIS_URL=engine.url) for _ in range(rounds)]
        yield figure("zts-submit to its first step, Redis and worker running", "s", values)
        yield figure("submit_many", "runs/s", [_submitted_per_s(engine.url) for _ in range(rounds)], note="1,000 ideas")
        # It would be at work on what is submitted here, on the same processors.
        engine.worker.terminate()
        engine.worker.wait(30)
        detach = [*command, "--detach", str(IDEA)]
        environment = _environment(tempfile.gettempdir(), REDIS_URL=engine.url)
        values, processor = _both(detach, environment, rounds=rounds * 4)
        yield figure("zts-submit --detach", "s", values, note="whole command")
        yield figure("zts-submit --detach, processor time", "s", processor, note="user and system")
        values = timed(lambda: _quiet([*_script("zts"), "status", "last"], environment), rounds=rounds)
        yield figure("zts status last", "s", values, note="whole command")
    values = timed(lambda: _quiet(python("-c", _ORCHESTRATOR), _environment(tempfile.gettempdir())), rounds=rounds)
    yield figure("orchestrator: import, construct, list workflows", "s", values, note="whole process")
    for option in ("--version", "--help"):
        command, environment = [*_script("zts"), option], _environment(tempfile.gettempdir())
        yield figure(f"zts {option}", "s", timed(partial(_quiet, command, environment), rounds=rounds))


_ORCHESTRATOR = """
import asyncio
from zts_producer import ZeroToShipOrchestrator
async def main():
    await ZeroToShipOrchestrator().list_available_workflows()
asyncio.run(main())
"""


def _submitted_per_s(redis_url: str) -> float:
    """Runs per second that one call records and sends, the check of their workflow included."""
    ideas = [f"# Idea {number}\n\nKeepers write down each inspection of a hive." for number in range(1000)]
    with tempfile.TemporaryDirectory(prefix="zts-bench-") as home:
        flow = Path(home) / "one_step.yaml"
        flow.write_text(f"name: one_step\nsequence:\n  - {{state: ONLY, crew: {CREW!r}}}\n")
        with Client(Settings(redis_url=SecretStr(redis_url), data_folder=Path(home)), workers=False) as client:
            client.submit("warm up", str(flow), out=home)
            started = time.perf_counter()
            client.submit_many(ideas, str(flow), out=home)
            return len(ideas) / (time.perf_counter() - started)


def _to_first_step(command: list[str], **environment: str) -> float:
    """Seconds until the ledger of the run says that its first attempt started, by the wall clock of this machine."""
    with tempfile.TemporaryDirectory(prefix="zts-bench-") as home:
        started = time.time()
        answer = subprocess.run(
            [*command, "--json", "--out", f"{home}/shipped", str(IDEA)],
            env=_environment(home, **environment),
            capture_output=True,
            text=True,
            check=True,
            cwd=home,
        )
        folder = Path(json.loads(answer.stdout)["folder"])
        ledger = json.loads((folder / "run.json").read_text())["ledger"]
        first = next(entry for entry in ledger if entry["kind"] == "attempt_started")
        return float(first["at_ms"]) / 1000 - started


def _both(command: list[str], environment: dict[str, str], *, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds by the clock and of processor time, of each round after the first."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    clock, processor = [], []
    for _ in range(rounds + 1):
        before, started = used(), time.perf_counter()
        _quiet(command, environment)
        clock.append(time.perf_counter() - started)
        processor.append(used() - before)
    return clock[1:], processor[1:]


def _environment(home: str, **more: str) -> dict[str, str]:
    """As a user has it: without settings of ours, and with compiled modules kept."""
    ours = ("ZTS_", "REDIS_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HOME": home, "XDG_DATA_HOME": f"{home}/data", **more}


def _script(name: str) -> list[str]:
    return [str(Path(sys.executable).parent / name)]


def _quiet(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
