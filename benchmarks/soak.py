"""Runs a long load while things break: `python -m benchmarks.soak --minutes 30 [--capacity] [--seed N] [--plot FILE]`.

Two ways. By default small workflows of every shape run on short leases while one thing after the other breaks: pool
processes and workers are killed, frozen and dismissed, Redis restarts and fills up, messages vanish, double and
change places. With `--capacity` runs of five no-op steps come at 70 % of what this machine just did at its peak, with
the default settings, and every minute a worker is killed.

At the end everything is healed, every accepted run has to end as it must, and every promise is checked from the
ledger and from the crews' own record of their calls. Exit code 1 where one was broken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "faults")]

from field import Field  # noqa: E402
from load import SHAPES, Load, rows_by_run, sequence  # noqa: E402
from nemesis import Nemesis  # noqa: E402
from promises import check_promises  # noqa: E402
from servers import RedisServer, wait_until  # noqa: E402

from benchmarks.measuring import machine  # noqa: E402
from zts_core.ports import RunRecord  # noqa: E402
from zts_core.run import Outcome  # noqa: E402

PEAK_RUNS = 300
CAPACITY_SHARE = 0.7
LATE_S = 600.0
"""Seconds after the last fault by which every run must have ended."""


def main() -> int:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long things break")
    parser.add_argument("--capacity", action="store_true", help="70 %% of peak, a worker killed every minute")
    parser.add_argument("--every", type=float, metavar="S", help="seconds between two faults (5; capacity: 60)")
    parser.add_argument("--per-second", type=float, metavar="RUNS", help="runs submitted a second (8)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another story")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw latencies over time (needs matplotlib)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zts-soak-") as folder:
        field = Field(Path(folder), RedisServer())
        try:
            return soak(field, chosen)
        finally:
            field.close()


def soak(field: Field, chosen: argparse.Namespace) -> int:
    say(", ".join(f"{name} {value}" for name, value in machine().items()))
    # Innocent steps are under way when their worker dies, many times over.
    field.environment["ZTS_TAKEOVERS"] = "100"
    if chosen.capacity:
        field.environment = {"ZTS_TEST_RECORD": str(field.folder / "record"), "ZTS_TAKEOVERS": "100"}
    for _ in range(2):
        field.worker()
    nemesis = Nemesis(field, seed=chosen.seed, deeds=("kill_worker",) if chosen.capacity else ())
    rate = chosen.per_second or (CAPACITY_SHARE * peak(field) if chosen.capacity else 8.0)
    shapes = {sequence: Outcome.COMPLETED} if chosen.capacity else SHAPES
    load = Load(field, per_s=rate, seed=chosen.seed, shapes=shapes)
    struck = endure(field, nemesis, load, chosen.minutes * 60, every_s=chosen.every or (60 if chosen.capacity else 5))
    broken = judge(field, load, nemesis)
    records = [field.runs.store.run(run_id) for run_id in load.expected]
    tell(records, rate)
    if chosen.plot:
        draw(records, struck, chosen.plot)
    return int(broken > 0)


def peak(field: Field) -> float:
    """Runs a second that two workers end when all are there at once."""
    began = time.monotonic()
    runs = [field.runs.start(sequence(None)) for _ in range(PEAK_RUNS)]  # type: ignore[arg-type]
    for run_id in runs:
        field.runs.wait(run_id, within_s=300)
    rate = PEAK_RUNS / (time.monotonic() - began)
    say(f"peak: {rate:.0f} runs of 5 steps a second ({5 * rate:.0f} steps/s)")
    return rate


def endure(field: Field, nemesis: Nemesis, load: Load, seconds: float, *, every_s: float) -> list[float]:
    """Let the load run and things break; when each fault struck, in seconds since 1970."""
    load.start()
    began = time.monotonic()
    struck = []
    while time.monotonic() - began < seconds:
        due = began + (len(struck) + 1) * every_s
        time.sleep(max(min(due, began + seconds) - time.monotonic(), 0))
        struck.append(time.time())
        deed = nemesis.strike()
        open_runs = len(field.runs.store.unfinished())
        passed = int(time.monotonic() - began)
        say(f"{passed // 60:3d}:{passed % 60:02d}  {len(load.expected):,} submitted, {open_runs:,} open, {deed}")
    load.stop()
    nemesis.heal()
    return struck


def judge(field: Field, load: Load, nemesis: Nemesis) -> int:
    """How many runs broke a promise."""
    say(f"healed; waiting for the last of {len(load.expected):,} runs")
    wait_until(lambda: not field.runs.store.unfinished(), within_s=LATE_S, what="every run ends")
    rows = rows_by_run(field)
    field.runs.rows = lambda run_id: rows.get(run_id, [])  # type: ignore[method-assign]

    def complaint(run_id: str) -> str:
        try:
            assert field.runs.store.run(run_id).outcome is load.expected[run_id], field.runs.story(run_id)
            check_promises(field.runs, run_id, artifacts=field.artifacts)
        except AssertionError as error:
            return f"BROKEN {run_id}: {error}"
        return ""

    complaints = [told for told in on_all_cores(complaint, list(load.expected)) if told]
    for told in complaints:
        say(told)
    broken = len(complaints)
    harm = ", ".join(f"{name} {times:,}" for name, times in sorted(nemesis.done.items()))
    say(f"faults: {harm}; submits that had to be made again: {load.refused}")
    say(f"{len(load.expected):,} runs, {sum(map(len, rows.values())) // 2:,} crew calls, {broken} broken promises")
    return broken


def on_all_cores(check: Callable[[str], str], run_ids: list[str]) -> list[str]:
    """What `check` says of each run; in forked processes, which have all that was read already."""
    _checks[:] = [check]
    with multiprocessing.get_context("fork").Pool() as pool:
        return pool.map(_checked, run_ids, chunksize=200)


_checks: list[Callable[[str], str]] = []
"""What forked processes find here; a function with all it knows cannot be sent to them."""


def _checked(run_id: str) -> str:
    return _checks[0](run_id)


def tell(records: list[RunRecord], rate: float) -> None:
    took = sorted((each.finished_ms - each.created_ms) / 1000 for each in records)
    marks = ", ".join(f"{name} {quantile(took, share):.3g} s" for name, share in MARKS.items())
    say(f"from submit to end at {rate:.0f} runs/s: {marks}, longest {took[-1]:.3g} s")


MARKS: Mapping[str, float] = {"median": 0.5, "95th percentile": 0.95, "99th": 0.99}


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def draw(records: list[RunRecord], struck: list[float], path: Path) -> None:
    """Latency percentiles of the runs submitted in each ten seconds, with the faults."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    first_s = min(each.created_ms for each in records) / 1000
    bins: dict[int, list[float]] = {}
    for each in records:
        at = int((each.created_ms / 1000 - first_s) // 10)
        bins.setdefault(at, []).append((each.finished_ms - each.created_ms) / 1000)
    minutes = [at / 6 for at in sorted(bins)]
    picture, place = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for name, share in MARKS.items():
        place.plot(minutes, [quantile(sorted(bins[at]), share) for at in sorted(bins)], label=name)
    for index, at_s in enumerate(struck):
        place.axvline((at_s - first_s) / 60, color="#c0392b", alpha=0.25, label=None if index else "a fault")
    place.set(xlabel="minutes", ylabel="seconds from submit to end", yscale="log")
    place.legend(loc="upper right")
    place.spines[["top", "right"]].set_visible(False)
    picture.savefig(path, dpi=110)


def say(line: Any) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
