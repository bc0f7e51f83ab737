"""Decides how the outbox is kept on Redis: read in a few pipelines, acknowledged in one script."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar, cast

from redis.exceptions import LockError
from redis.lock import Lock

from zts_core.errors import KeyMissing, Unreadable
from zts_core.outbox import UNREADABLE, Backlog, Delivered, Lease, Pending, without_content
from zts_core.ports import LedgerEntry, StepResult
from zts_core.redis_store import codec, keys
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.overflow import Overflow
from zts_core.redis_store.scripts import text_of, translated
from zts_core.redis_url import place_of
from zts_core.run import dumps
from zts_core.sealing import NO_SEALER, Sealer, Seals

_FIELDS = ("title", "workflow", "plan", "status", "created", "deadline", "max_steps", "started", "key", "values")
_RUNS_AT_ONCE = 1000
WITHOUT_KEY_MS = 10_000
"""For how long a run is passed over whose key the feeding process does not have."""

log = logging.getLogger(__name__)
Read = TypeVar("Read")
_Texts = dict[int, str | None]


class RedisOutbox:
    """A `zts_core.outbox.Outbox` on the store's Redis; `timeout_s` bounds every call. Connects at the first."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        overflow: Overflow | None = None,
        sealer: Sealer = NO_SEALER,
        content: bool = True,
    ) -> None:
        """Without `content` only names, numbers and times are handed out."""
        self._sealer = sealer
        self._content = content
        self._overflow = overflow or Overflow()
        self.place = place_of(url)
        self._redis = connect(url, timeout_s=timeout_s)
        self._delivered = self._redis.register_script(text_of("delivered"))

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    # what waits

    def take(self, *, runs: int, lines: int, without: Sequence[str] = ()) -> Sequence[Pending]:
        with translated(self.place):
            most = runs + len(without)
            waiting = cast("list[str]", self._redis.zrangebyscore(keys.OUTBOX, 0, self._now_ms(), start=0, num=most))
            named = [run_id for run_id in waiting if run_id not in without][:runs]
            known = self._known(named)
            self.drop([run_id for run_id in named if run_id not in known])
            pipe = self._redis.pipeline(transaction=False)
            for run_id, raw in known.items():
                pipe.xrange(keys.run_key(run_id, "ledger"), min=f"({raw.get('fed', '0')}", max="+", count=lines)
            rows = pipe.execute()
            ledgers = [
                (run_id, self._if_key(run_id, partial(_entries, ledger, self._seals(run_id))))
                for run_id, ledger in zip(known, rows, strict=True)
            ]
            found = [(run_id, entries) for run_id, entries in ledgers if entries is not None]
            details = self._details(found)
            pending = [
                self._if_key(run_id, partial(self._pending, run_id, known[run_id], entries, detail))
                for (run_id, entries), detail in zip(found, details, strict=True)
            ]
        return [each for each in pending if each is not None]

    def _pending(
        self, run_id: str, raw: Mapping[str, str], entries: Sequence[LedgerEntry], detail: tuple[str, _Texts, _Texts]
    ) -> Pending:
        idea, steps, results = detail
        seals = self._seals(run_id)
        pending = Pending(
            codec.run_record(run_id, raw, seals),
            entries,
            seals.open(raw.get("feed", ""), "feed"),
            seals.open(idea, "idea"),
            _parsed(steps, lambda seq, text: codec.step_of(text, seq, seals)),
            _parsed(results, lambda seq, text: self._result(run_id, seq, text)),
        )
        return pending if self._content else without_content(pending)

    def _result(self, run_id: str, seq: int, text: str) -> StepResult:
        return self._overflow.read_if_there(run_id, self._sealer.open(text, run_id, f"result {seq}"))

    def _if_key(self, run_id: str, read: Callable[[], Read]) -> Read | None:
        """What is read of a run; None where it is sealed with another key: later, or by a process that has it."""
        try:
            return read()
        except KeyMissing as error:
            log.warning("left out of the graph for now: %s", error)
            self._redis.zadd(keys.OUTBOX, {run_id: self._now_ms() + WITHOUT_KEY_MS}, xx=True)
            return None

    def _seals(self, run_id: str) -> Seals:
        return Seals(self._sealer, run_id)

    def _known(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        fields = (*_FIELDS, "fed", "feed")
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            pipe.hmget(keys.run_key(run_id), *fields)
        rows = [{k: v for k, v in zip(fields, row, strict=True) if v is not None} for row in pipe.execute()]
        return {run_id: raw for run_id, raw in zip(run_ids, rows, strict=True) if "plan" in raw}

    def _details(self, found: Sequence[tuple[str, Sequence[LedgerEntry]]]) -> list[tuple[str, _Texts, _Texts]]:
        """What the lines speak of, as it is kept: ideas, steps, results; one round trip."""
        pipe = self._redis.pipeline(transaction=False)
        wanted: list[tuple[list[int], list[int]]] = []
        for run_id, entries in found:
            steps = sorted({seq for entry in entries for seq in _seqs(entry)})
            done = sorted({entry.seq for entry in entries if entry.kind in ("step_done", "step_reused")})
            wanted.append((steps, done))
            begins = any(entry.kind == "run_created" for entry in entries)
            pipe.hmget(keys.run_key(run_id), "idea" if begins else "-")
            pipe.hmget(keys.run_key(run_id, "steps"), ["-", *map(str, steps)])
            pipe.hmget(keys.run_key(run_id, "results"), ["-", *map(str, done)])
        answers = iter(pipe.execute())
        return [
            (
                next(answers)[0] or "",
                dict(zip(steps, next(answers)[1:], strict=True)),
                dict(zip(done, next(answers)[1:], strict=True)),
            )
            for steps, done in wanted
        ]

    def run_ids(self) -> Sequence[str]:
        with translated(self.place):
            return cast("list[str]", self._redis.zrange(keys.RUNS, 0, -1))

    def backlog(self) -> Backlog:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            pipe.zcard(keys.OUTBOX)
            pipe.zrange(keys.OUTBOX, 0, 0, withscores=True)
            pipe.hlen(keys.POISON)
            pipe.hget(keys.FEEDING, "trouble")
            pipe.time()
            runs, oldest, poison, trouble, (seconds, micros) = pipe.execute()
        since = oldest[0][1] / 1000 if oldest else seconds
        told = Seals(self._sealer).told(trouble or "", "trouble")
        return Backlog(runs, max(0.0, seconds + micros / 1e6 - since) if oldest else 0.0, poison, told)

    # what was done about it

    def acknowledge(self, delivered: Sequence[Delivered]) -> None:
        if not delivered:
            return
        ids = [keys.run_key(each.run_id, part) for each in delivered for part in ("", "ledger")]
        values = [
            value
            for each in delivered
            for value in (each.run_id, each.line, self._sealer.seal(each.memory, each.run_id, "feed"))
        ]
        with translated(self.place):
            self._delivered(keys=[keys.OUTBOX, *ids], args=values)

    def postpone(self, run_id: str, *, delay_s: float) -> int:
        with translated(self.place):
            if not self._redis.exists(keys.run_key(run_id)):
                self._redis.zrem(keys.OUTBOX, run_id)
                return 0
            self._redis.zadd(keys.OUTBOX, {run_id: self._now_ms() + int(delay_s * 1000)}, xx=True)
            return self._redis.hincrby(keys.run_key(run_id), "feed_tries", 1)

    def set_aside(self, run_id: str, entry: LedgerEntry, *, error: str) -> None:
        told = {"kind": entry.kind, "seq": entry.seq, "error": self._sealer.seal(error, run_id, "poison")}
        with translated(self.place):
            self._redis.hset(keys.POISON, f"{run_id} {entry.id}", dumps(told))

    def drop(self, run_ids: Sequence[str]) -> None:
        if run_ids:
            with translated(self.place):
                self._redis.zrem(keys.OUTBOX, *run_ids)

    def refill(self) -> int:
        with translated(self.place):
            created = cast("list[tuple[str, float]]", self._redis.zrange(keys.RUNS, 0, -1, withscores=True))
            for first in range(0, len(created), _RUNS_AT_ONCE):
                pipe = self._redis.pipeline(transaction=True)
                for run_id, since in created[first : first + _RUNS_AT_ONCE]:
                    pipe.hdel(keys.run_key(run_id), "fed", "feed", "feed_tries")
                    pipe.zadd(keys.OUTBOX, {run_id: since})
                pipe.execute()
            self._redis.delete(keys.POISON)
        return len(created)

    # who does it, and when

    def asks(self, *, interval_s: float) -> bool:
        with translated(self.place):
            if not self._redis.set(f"{keys.FEEDER}:asked", "1", nx=True, px=max(int(interval_s * 1000), 1)):
                return False
            pipe = self._redis.pipeline(transaction=False)
            pipe.zcount(keys.OUTBOX, 0, "+inf")
            pipe.exists(keys.FEEDER)
            pipe.hget(keys.FEEDING, "resume")
            pipe.time()
            waiting, fed, resume, (seconds, micros) = pipe.execute()
        return bool(waiting) and not fed and seconds * 1000 + micros // 1000 >= int(resume or 0)

    def rest(self, *, trouble: str, base_s: float, most_s: float) -> float:
        with translated(self.place):
            failures = self._redis.hincrby(keys.FEEDING, "failures", 1)
            delay_s = min(most_s, base_s * 2.0 ** min(failures - 1, 20))
            resume = self._now_ms() + int(delay_s * 1000)
            kept = self._sealer.seal(trouble, "", "trouble")
            self._redis.hset(keys.FEEDING, mapping={"trouble": kept, "resume": resume})
        return delay_s

    def recovered(self) -> None:
        with translated(self.place):
            self._redis.delete(keys.FEEDING)

    @contextmanager
    def feeder(self, *, lease_s: float) -> Iterator[Lease | None]:
        lock = self._redis.lock(keys.FEEDER, timeout=lease_s, blocking=False, thread_local=False)
        with translated(self.place):
            mine = lock.acquire(blocking=False)
        if not mine:
            yield None
            return
        try:
            yield _RedisLease(lock, self.place)
        finally:
            with translated(self.place), suppress(LockError):  # where it ran out, somebody else may have it
                lock.release()

    def _now_ms(self) -> int:
        seconds, micros = self._redis.time()
        return seconds * 1000 + micros // 1000


class _RedisLease:
    """A lease on being the feeder."""

    def __init__(self, lock: Lock, place: str) -> None:
        self._lock = lock
        self._place = place

    def renew(self) -> bool:
        with translated(self._place):
            try:
                return bool(self._lock.reacquire())
            except LockError:
                return False


def _entries(rows: Sequence[tuple[str, Mapping[str, str]]], seals: Seals) -> list[LedgerEntry]:
    return [_entry(entry_id, fields, seals) for entry_id, fields in rows]


def _entry(entry_id: str, fields: Mapping[str, str], seals: Seals) -> LedgerEntry:
    """A line; one that cannot be read is delivered as such, so that it is set aside and not in the way."""
    try:
        return codec.ledger_entry(entry_id, fields, seals)
    except (ValueError, KeyError, TypeError, Unreadable) as error:
        at_ms = int(entry_id.partition("-")[0])
        return LedgerEntry(entry_id, at_ms, UNREADABLE, 0, {"error": f"{type(error).__name__}: {error}"})


def _seqs(entry: LedgerEntry) -> list[int]:
    if entry.kind == "wave":
        return [seq for seq in entry.detail.get("seqs", ()) if isinstance(seq, int)]
    return [entry.seq] if entry.kind in ("approval_asked", "step_done", "step_reused") else []


def _parsed(texts: _Texts, parse: Callable[[int, str], Any]) -> dict[int, Any]:
    """By number; what is missing or cannot be read is left out, and whoever needs it says so."""
    parsed = {}
    for seq, text in texts.items():
        try:
            if text:
                parsed[seq] = parse(seq, text)
        except (ValueError, KeyError, TypeError, Unreadable):
            continue
    return parsed
