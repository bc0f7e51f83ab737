"""Decides how the comparison looks as a picture: three panels of bars, shortest or longest first, logarithmic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

PANELS = (
    ("ms a step", "one run of 50 steps: ms a step (less is better)", False),
    ("steps/s", "200 runs of 5 steps: steps a second (more is better)", True),
    ("fan-out ms", "1 to 100 to 1: ms (less is better)", False),
)
OURS, OTHERS = "#0b6e4f", "#9aa5b1"


def draw(medians: Mapping[str, Callable[[str], float | None]], path: Path) -> None:
    """Write the picture (its ending says the format)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    picture, places = pyplot.subplots(len(PANELS), 1, figsize=(9, 10), layout="constrained")
    for (name, title, more), place in zip(PANELS, places, strict=True):
        known = {engine: median(name) for engine, median in medians.items()}
        rows = sorted(((value, engine) for engine, value in known.items() if value), reverse=not more)
        bars = place.barh(
            [engine for _, engine in rows],
            [value for value, _ in rows],
            color=[OURS if engine.startswith("ZeroToShip") else OTHERS for _, engine in rows],
        )
        place.bar_label(bars, labels=[f" {value:,.3g}" if value < 1000 else f" {value:,.0f}" for value, _ in rows])
        place.set_xscale("log")
        place.set_title(title, loc="left")
        place.margins(x=0.15)
        place.spines[["top", "right"]].set_visible(False)
    picture.savefig(path, dpi=110)
