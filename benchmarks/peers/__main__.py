"""Compares engines: `python -m benchmarks.peers [--rounds N] [--only NAME ...] [--json FILE] [--chart FILE]`.

Each engine runs the same no-op steps of about 200 bytes on this machine: one run of 50 steps in sequence, 200 runs of
5 steps at once, one step that fans out to 100 and joins. Rounds are interleaved, so that a machine that grows slower
does so for all; the table has medians and, in brackets, the spread. CPU time is that of workers and servers together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import machine
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.talking import Engine, Unavailable, started

STEPS, RUNS, RUN_STEPS, WIDTH = 50, 200, 5, 100
WITHIN_A_ROUND = 5
"""Repetitions of what takes well below a second."""


class Findings:
    """Everything that was measured of one engine."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.values: dict[str, list[float]] = defaultdict(list)
        self.versions: dict[str, str] = {}
        self.trouble = ""

    def add_round(self, engine: Engine) -> None:
        self.versions = engine.versions
        for _ in range(WITHIN_A_ROUND):
            self._add("ms a step", engine.measure("sequence", STEPS), 1000 / STEPS)
        for _ in range(WITHIN_A_ROUND):
            self._add("fan-out ms", engine.measure("fan_out", WIDTH), 1000)
        runs = int(self.peer.settings.get("MANY", RUNS))
        found = engine.measure("many", runs, RUN_STEPS)
        if found:
            self.values["steps/s"].append(runs * RUN_STEPS / found["seconds"])
            self.values["CPU s per 1,000"].append(found["cpu_seconds"] * 1000 / (runs * RUN_STEPS))

    def _add(self, name: str, found: dict[str, Any], factor: float) -> None:
        if found:
            self.values[name].append(found["seconds"] * factor)

    def median(self, name: str) -> float | None:
        return statistics.median(self.values[name]) if self.values[name] else None

    def cell(self, name: str) -> str:
        values = self.values[name]
        if not values:
            return "-"
        return f"{_short(statistics.median(values))} ({_short(min(values))} to {_short(max(values))})"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each engine is started and measured")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="engines whose name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value here")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the comparison here (needs matplotlib)")
    chosen = parser.parse_args()
    peers = [each for each in PEERS if not chosen.only or any(n.lower() in each.name.lower() for n in chosen.only)]
    found = measure(peers, rounds=chosen.rounds)
    print(table(found))
    if chosen.json:
        chosen.json.write_text(json.dumps(_plain(found), indent=1), "utf-8")
    if chosen.chart:
        from benchmarks.peers.chart import draw

        draw({each.peer.name: each.median for each in found if not each.trouble}, chosen.chart)


def measure(peers: Sequence[Peer], *, rounds: int) -> list[Findings]:
    """All rounds, interleaved; an engine that cannot be run says why and is left out of later rounds."""
    found = [Findings(peer) for peer in peers]
    log = Path("peers.log")
    for number in range(rounds):
        for each in found:
            if each.trouble:
                continue
            print(f"round {number + 1} of {rounds}: {each.peer.name}", file=sys.stderr, flush=True)
            try:
                with started(each.peer, log=log) as engine:
                    each.add_round(engine)
            except Unavailable as error:
                each.trouble = str(error)
                print(f"  left out: {error} (see {log})", file=sys.stderr, flush=True)
    return found


def table(found: Sequence[Findings]) -> str:
    """A table for the documentation, with the machine and what each row means."""
    names = ("ms a step", "steps/s", "CPU s per 1,000", "fan-out ms")
    rows = [
        f"Machine: {', '.join(f'{name} {value}' for name, value in machine().items())}",
        "",
        f"| engine | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
    ]
    rows += [f"| {each.peer.name} | {' | '.join(map(each.cell, names))} |" for each in found]
    rows += ["", *(f"- {each.peer.name}: {_about(each)}" for each in found)]
    return "\n".join(rows)


def _about(each: Findings) -> str:
    if each.trouble:
        return f"could not be run here: {each.trouble}"
    versions = ", ".join(f"{name} {version}" for name, version in each.versions.items())
    return f"{each.peer.note} ({versions})"


def _plain(found: Sequence[Findings]) -> dict[str, Any]:
    rows = [
        {"engine": f.peer.name, "note": f.peer.note, "versions": f.versions, "trouble": f.trouble, **f.values}
        for f in found
    ]
    return {"machine": machine(), "engines": rows}


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
