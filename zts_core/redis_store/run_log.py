"""Decides how what crews log is kept with their run: bounded, appended in batches, gone with the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from zts_core.redis_store import keys
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import text_of, translated
from zts_core.redis_url import place_of
from zts_core.sealing import NO_SEALER, Sealer

MOST_LINES = 2_000
"""Lines that are kept of one run, the newest; about a hundred more may stand until Redis trims whole blocks."""
LONGEST = 4_000
"""Bytes of one line with all that stands beside it."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that was logged during an attempt: `id` orders lines, `at_ms` is the Redis server's clock."""

    id: str
    at_ms: int
    told: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """One of the line's fields, empty where it has none."""
        return str(self.told.get(name, ""))


@dataclass(frozen=True, slots=True)
class KeptLines:
    """The lines of a run, and how many older ones were dropped."""

    lines: tuple[LogLine, ...] = ()
    dropped: int = 0


class RedisRunLog:
    """What runs log. Connects at the first call; ServiceUnavailable where Redis does not answer."""

    def __init__(self, url: str, *, kept_s: float, timeout_s: float, sealer: Sealer = NO_SEALER) -> None:
        """`kept_s`: seconds from a run's last line to when its lines go, unless the run's end says sooner."""
        self._sealer = sealer
        self.place = place_of(url)
        self._kept_ms = int(kept_s * 1000)
        self._redis = connect(url, timeout_s=timeout_s)
        self._script = self._redis.register_script(text_of("log"))

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def append(self, lines: Sequence[tuple[str, str]]) -> None:
        """Add (run, line as a JSON object) pairs in one round trip; those of a run that is gone are dropped."""
        of_runs: dict[str, list[str]] = {}
        for run_id, line in lines:
            of_runs.setdefault(run_id, []).append(self._sealer.seal(line, run_id, "log"))
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            for run_id, kept in of_runs.items():
                args: list[str | int] = [MOST_LINES, self._kept_ms, *kept]
                self._script(keys=[keys.run_key(run_id), _log(run_id)], args=args, client=pipe)
            pipe.execute()

    def read(self, run_id: str, *, after: str = "0") -> KeptLines:
        """A run's lines after one's id."""
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=True)
            pipe.xrange(_log(run_id), min=f"({after}", max="+")
            pipe.xlen(_log(run_id))
            pipe.exists(_log(run_id))
            rows, length, exists = pipe.execute()
            added = cast("dict[str, int]", self._redis.xinfo_stream(_log(run_id))) if exists else {}
        dropped = max(0, added.get("entries-added", length) - length)
        opened = [(line_id, self._sealer.open(fields["line"], run_id, "log")) for line_id, fields in rows]
        return KeptLines(tuple(_line(line_id, text) for line_id, text in opened), dropped)


def _log(run_id: str) -> str:
    return keys.run_key(run_id, "log")


def _line(line_id: str, text: str) -> LogLine:
    try:
        told = json.loads(text)
    except ValueError:
        told = {"event": text}
    return LogLine(line_id, int(line_id.partition("-")[0]), told if isinstance(told, dict) else {"event": text})
