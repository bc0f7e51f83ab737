"""Runs the benchmarks: `python -m benchmarks [PART...]`, with `--help` for the parts; all of them without one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from benchmarks import encryption, engine, flatness, graph, language, observing, sizing, startup
from benchmarks.measuring import Figure, report

PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "language": language.figures,
    "startup": startup.figures,
    "engine": engine.figures,
    "flatness": flatness.figures,
    "graph": graph.figures,
    "observing": observing.figures,
    "encryption": encryption.figures,
    "sizing": sizing.figures,
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS), help="what to measure")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args()
    found = []
    for part in chosen.parts:
        for figure in PARTS[part]():
            print(f"{figure.name}: {figure.median:.4g} {figure.unit}", file=sys.stderr, flush=True)
            found.append(figure)
    print(report(found, as_json=chosen.json))


if __name__ == "__main__":
    main()
