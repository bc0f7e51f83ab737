"""Decides how an overview looks as a page: one HTML file, its plots drawn in it, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from zts_producer.overview.tally import Tally, day_of
from zts_producer.times import duration, moment, now_ms

COLOURS = {
    "completed": "#2e7d32",
    "rejected": "#8d6e63",
    "exhausted": "#f9a825",
    "failed": "#c62828",
    "halted_step_cap": "#ef6c00",
    "halted_loop": "#d84315",
    "halted_budget": "#ad1457",
    "timed_out": "#6a1b9a",
    "cancelled": "#757575",
}
RUNNING = "#1565c0"
MOST_BARS = 92
"""Days that are drawn one by one; of a longer time, the last ones."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A coloured part of a bar, in hundredths of the plot's height or width."""

    label: str
    colour: str
    at: float
    size: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its name and what is written beside it."""

    name: str
    pieces: tuple[Piece, ...]
    words: str


def page(tally: Tally) -> str:
    """The whole file."""
    return (
        _templates()
        .get_template("overview.html.j2")
        .render(
            tally=tally,
            since=moment(tally.since_ms),
            until=moment(now_ms()),
            days=_days(tally),
            legend=[(name, COLOURS.get(name, RUNNING)) for name, _ in tally.outcomes.most_common()],
            states=_states(tally),
            cost=_cost(tally),
            slowest=tally.slowest(SHOWN),
            version=version("zerotoship"),
        )
    )


def _days(tally: Tally) -> list[Bar]:
    """A bar for each day, also for those without a run."""
    if not tally.days:
        return []
    first = max(min(tally.days), (date.today() - timedelta(days=MOST_BARS - 1)).isoformat())
    last = max(max(tally.days), day_of(now_ms()))
    start = date.fromisoformat(first)
    span = (date.fromisoformat(last) - start).days + 1
    names = [(start + timedelta(days=number)).isoformat() for number in range(span)]
    most = max((sum(tally.days[name].values()) for name in names if name in tally.days), default=1)
    return [_day(tally, name, most) for name in names]


def _day(tally: Tally, name: str, most: int) -> Bar:
    counts: Mapping[str, int] = tally.days.get(name, {})
    pieces, top = [], 100.0
    for outcome in [*COLOURS, *(other for other in counts if other not in COLOURS)]:
        if number := counts.get(outcome, 0):
            size = 100.0 * number / most
            top -= size
            pieces.append(Piece(f"{number} {outcome}", COLOURS.get(outcome, RUNNING), top, size))
    return Bar(name, tuple(pieces), f"{sum(counts.values())} runs")


def _states(tally: Tally) -> list[Bar]:
    """Median and 95 % of the states that took the most time."""
    found = tally.slowest(SHOWN)
    longest = max((work.took.share(0.95) for _, work in found), default=0.0) or 1.0
    bars = []
    for name, work in found:
        half, most = work.took.share(0.5), work.took.share(0.95)
        pieces = (
            Piece("95 %", "#90caf9", 0, 100 * most / longest),
            Piece("median", RUNNING, 0, 100 * half / longest),
        )
        bars.append(Bar(name, pieces, f"{duration(half)} · 95 % within {duration(most)}"))
    return bars


def _cost(tally: Tally) -> list[Bar]:
    paid = sorted((item for item in tally.crews.items() if item[1].tokens), key=lambda item: -item[1].usd)[:SHOWN]
    most = max((work.usd for _, work in paid), default=0.0)
    tokens = max((work.tokens for _, work in paid), default=1)
    return [
        Bar(
            name,
            (Piece("cost", "#00838f", 0, 100 * (work.usd / most if most else work.tokens / tokens)),),
            f"${work.usd:.2f} · {work.tokens:,} tokens",
        )
        for name, work in paid
    ]


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("zts_producer.overview"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment
