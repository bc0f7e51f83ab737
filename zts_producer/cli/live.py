"""Decides how a run looks live on a terminal: its workflow's tree, redrawn as things happen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from zts_core.errors import ServiceUnavailable
from zts_core.ports import LedgerEntry, RunRecord, StepRecord
from zts_producer.client import Client
from zts_producer.narrate import printable
from zts_producer.outcomes import exit_code
from zts_producer.times import duration, now_ms, run_seconds, step_seconds
from zts_producer.view import NodeStatus, NodeView, RunView, run_view

REDRAW_S = 0.2
READ_SHARE = 10
"""A view that took t seconds to read is read again after 10 t at the soonest, however long the run is."""
WIDE = 110
"""Columns of a terminal that has room for the crews' names."""
TIME_WIDTH = len("3 min 05 s")

STYLES = {
    NodeStatus.PENDING: ("○", "dim"),
    NodeStatus.QUEUED: ("◌", "cyan"),
    NodeStatus.RUNNING: ("●", "bold cyan"),
    NodeStatus.RETRYING: ("↻", "yellow"),
    NodeStatus.WAITING: ("?", "bold magenta"),
    NodeStatus.DONE: ("✓", "green"),
    NodeStatus.FAILED: ("✗", "bold red"),
    NodeStatus.REJECTED: ("⊘", "red"),
    NodeStatus.ESCALATED: ("↪", "yellow"),
    NodeStatus.SKIPPED: ("–", "dim"),
    NodeStatus.CANCELLED: ("■", "yellow"),
    NodeStatus.NOT_REACHED: ("·", "dim"),
}
ASCII = dict(zip(STYLES, "o.*r?+x#>-=.", strict=True))


class LiveWatcher:
    """Draws a run until it ends; the last picture stays on the screen."""

    look_s = REDRAW_S

    def __init__(self, client: Client, record: RunRecord, *, console: Console | None = None) -> None:
        self._client = client
        self._record = record
        self._plan = client.plan(record)
        self._ledger: list[LedgerEntry] = []
        self._steps: Sequence[StepRecord] = ()
        self._read_again_at = 0.0
        self._stale = True
        self._clock_skew_ms = 0
        self._console = console or Console()
        self._spinner = Spinner("dots", style="bold cyan")
        self._live = Live(console=self._console, auto_refresh=False, get_renderable=self._picture)

    def __enter__(self) -> LiveWatcher:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ServiceUnavailable):
            self._read()
        self._live.refresh()
        self._live.__exit__(None, None, None)

    def show(self, entries: Sequence[LedgerEntry]) -> None:
        """Take in what is new and draw."""
        self._ledger.extend(entry for entry in entries if entry.kind != "said")
        if entries:
            self._clock_skew_ms = min(0, now_ms() - entries[-1].at_ms)
            self._stale = True
        if self._stale and time.monotonic() >= self._read_again_at:
            self._read()
        self._live.refresh()

    def _read(self) -> None:
        started = time.monotonic()
        self._stale = False
        self._record = self._client.services.store.run(self._record.run_id)
        self._steps = self._client.steps(self._record.run_id)
        self._read_again_at = time.monotonic() + READ_SHARE * (time.monotonic() - started)

    def _picture(self) -> Group:
        view = run_view(self._record, self._plan, steps=self._steps, ledger=self._ledger)
        return picture(view, now=now_ms() - self._clock_skew_ms, console=self._console, spinner=self._spinner)


def picture(view: RunView, *, now: int, console: Console, spinner: Spinner | None = None) -> Group:
    """Header and tree of a run as rich renderables."""
    wide = console.width >= WIDE
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, overflow="crop")
    table.add_column(no_wrap=True, justify="right", min_width=TIME_WIDTH)
    if wide:
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis" if _speaks_utf(console) else "crop", ratio=1)
    for tree in view.trees:
        for depth, node in tree.walk():
            name, elapsed, crew, words = _row(node, depth, now=now, console=console, spinner=spinner)
            table.add_row(name, elapsed, *([crew] if wide else []), words)
    return Group(_header(view, now), Text(), table)


def _header(view: RunView, now: int) -> Text:
    record = view.record
    text = Text(overflow="crop", no_wrap=True)
    text.append(printable(record.title), style="bold")
    text.append(f"\n{record.run_id}", style="cyan")
    text.append(f"  {' > '.join(view.route)}  step {record.started} of at most {record.max_steps}  ")
    text.append(f"{duration(run_seconds(record, now))}  ")
    style = "" if record.outcome is None else "bold green" if exit_code(record.outcome) == 0 else "bold red"
    text.append(str(record.outcome or record.status), style=style)
    return text


def _row(
    node: NodeView, depth: int, *, now: int, console: Console, spinner: Spinner | None
) -> tuple[Text, Text, Text, Text]:
    glyph, style = STYLES[node.status]
    if not _speaks_utf(console):
        glyph = ASCII[node.status]
    elif spinner and node.status is NodeStatus.RUNNING:
        glyph = _frame(spinner, console)
    name = Text("  " * depth)
    name.append(glyph, style=style)
    name.append(f" {node.label}", style="dim" if style == "dim" else "")
    step = node.newest
    elapsed = Text(duration(step_seconds(step, now)) if step and step.started_ms else "")
    words = Text()
    words.append(_tries(node), style="yellow")
    words.append(_words(node), style="dim")
    return name, elapsed, Text(node.crew, style="dim"), words


def _speaks_utf(console: Console) -> bool:
    return console.encoding.lower().startswith("utf")


def _frame(spinner: Spinner, console: Console) -> str:
    drawn = spinner.render(console.get_time())
    return drawn.plain if isinstance(drawn, Text) else "●"


def _tries(node: NodeView) -> str:
    step = node.newest
    attempts = f"attempt {step.attempt}" if step and step.attempt > 1 else ""
    runs = f"{len(node.steps)} times" if len(node.steps) > 1 else ""
    tries = ", ".join(part for part in (runs, attempts) if part)
    return f"{tries}  " if tries else ""


def _words(node: NodeView) -> str:
    step = node.newest
    said = (step.error or step.prompt or step.line) if step else ""
    return node.note or printable(said) or (str(node.status) if node.status in _WORTH_A_WORD else "")


_WORTH_A_WORD = {NodeStatus.QUEUED, NodeStatus.RETRYING, NodeStatus.SKIPPED, NodeStatus.CANCELLED}
