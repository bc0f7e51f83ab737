"""Decides how all that is kept in Redis comes under the first key: value by value, each only where it still stands.

Every value is put in one step, so that this may be stopped anywhere and begun again, while workers go on; what stands
under the first key already is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from redis.client import Pipeline

from zts_core.crash_points import MID_ROTATION, reach
from zts_core.redis_store import codec, keys
from zts_core.redis_store.budgets import answer_of, answer_text
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.ideas import RedisIdeas
from zts_core.redis_store.rotated import Rotated
from zts_core.redis_store.scripts import text_of, translated
from zts_core.redis_url import place_of
from zts_core.run import dumps
from zts_core.sealing import MARK, Sealer

AT_ONCE = 500
"""Values that one script puts: few enough that Redis answers others in between."""
PASSES = 3
"""How often a run is gone through while values of it change meanwhile."""

OF_SCRIPTS = frozenset(
    {"wave", "attempt_started", "lease_expired", "sent_again", "paused", "resumed", "run_reopened", "run_created"}
)
"""Lines of the ledger that scripts write: names, numbers and times."""


@dataclass(frozen=True, slots=True)
class _Put:
    """One value of a hash: the field and what stands there, and what is to stand instead."""

    field: str
    stands: str
    instead: str
    field_instead: str = ""


class RedisRotation:
    """Brings one Redis under the first key of `sealer`, which has one; parameters as RedisStore's."""

    def __init__(self, url: str, *, retention_s: float, timeout_s: float, sealer: Sealer) -> None:
        self.place = place_of(url)
        self._sealer = sealer
        self._redis = connect(url, timeout_s=timeout_s)
        self._ideas = RedisIdeas(url, retention_s=retention_s, timeout_s=timeout_s, sealer=sealer)
        self._put, self._put_text, self._put_lines = (
            self._redis.register_script(text_of(name)) for name in ("reseal", "reseal_text", "reseal_lines")
        )

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
        self._ideas.close()

    def rotate(self, done: Rotated) -> Iterator[tuple[int, int]]:
        """Do it, adding to `done`; after each run how many of how many are through."""
        with translated(self.place):
            run_ids = cast("list[str]", self._redis.zrange(keys.RUNS, 0, -1))
        for number, run_id in enumerate(run_ids, start=1):
            with translated(self.place):
                self._run(run_id, done)
            yield number, len(run_ids)
        with translated(self.place):
            self._of_all(done)

    # a run

    def _run(self, run_id: str, done: Rotated) -> None:
        for _ in range(PASSES):
            found = Rotated()
            self._pass(run_id, found)
            done.values += found.values
            if not found.raced:
                break
        done.add_left(found)

    def _pass(self, run_id: str, done: Rotated) -> None:
        raw = cast("dict[str, str]", self._redis.hgetall(keys.run_key(run_id)))
        if "plan" not in raw:
            return
        self._find_again(run_id, raw, done)
        self._hash(keys.run_key(run_id), list(self._fields_of(run_id, raw, done)), done)
        self._plan(raw["plan"], done)
        for part, again in (("steps", self._step), ("results", self._result), ("inbox", self._settled)):
            self._scan(run_id, part, again, done)
        self._answers_of(run_id, done)
        self._lines(run_id, "ledger", "detail", self._detail, done)
        self._lines(run_id, "log", "line", self._log_line, done)

    def _again(self, kept: str, run_id: str, what: str, done: Rotated) -> str | None:
        """The value under the first key; None where it stands there already or does not open."""
        if not kept or kept == codec.NOTHING or self._sealer.is_current(kept):
            return None
        text = done.opened(lambda: self._sealer.open(kept, run_id, what))
        return None if text is None else self._sealer.seal(text, run_id, what)

    def _fields_of(self, run_id: str, raw: Mapping[str, str], done: Rotated) -> Iterator[_Put]:
        # First of all, so that workers without the key leave the run alone from here on.
        if raw.get("sealed", "") != self._sealer.key_ids[0]:
            yield _Put("sealed", raw.get("sealed", ""), self._sealer.key_ids[0])
        for name in codec.SEALED_OF_A_RUN:
            again = self._again(raw.get(name, ""), run_id, name, done)
            if again is not None:
                yield _Put(name, raw[name], again)
        if "withdrawn" in raw:
            outcome, reason = json.loads(raw["withdrawn"])
            if (again := self._again(reason, run_id, "reason", done)) is not None:
                yield _Put("withdrawn", raw["withdrawn"], dumps([outcome, again]))

    def _find_again(self, run_id: str, raw: Mapping[str, str], done: Rotated) -> None:
        """Its idea stands under other names now; before it is sealed anew, which says that this was done."""
        kept = raw.get("idea", "")
        if kept and not self._sealer.is_current(kept):
            idea = done.opened(lambda: self._sealer.open(kept, run_id, "idea"))
            if idea is not None:
                self._ideas.remember_again(run_id, idea, until_ms=int(raw["deadline"]))

    def _plan(self, kept_as: str, done: Rotated) -> None:
        name = keys.plan_key(kept_as)
        text = cast("str | None", self._redis.get(name)) or ""
        if (again := self._again(text, "", f"plan {kept_as}", done)) is not None:
            done.values += int(self._put_text(keys=[name, name], args=[text, again]))

    def _step(self, run_id: str, name: str, kept: str, done: Rotated) -> str | None:
        seq, _, about = name.partition(":")
        if about in ("error", "trace", "line"):
            return self._again(kept, run_id, about, done)
        if about or not seq.isdigit():
            return None
        static = json.loads(kept)
        values, prompt = static.get("values") or "", static.get("prompt", "")
        text = values if isinstance(values, str) else dumps(values)
        again = {
            "values": self._again(text, run_id, f"values {seq}", done),
            "prompt": self._again(prompt, run_id, "prompt", done),
        }
        changed = {name: new for name, new in again.items() if new is not None}
        return dumps({**static, **changed}) if changed else None

    def _result(self, run_id: str, seq: str, kept: str, done: Rotated) -> str | None:
        return self._again(kept, run_id, f"result {seq}", done)

    def _settled(self, run_id: str, seq: str, kept: str, done: Rotated) -> str | None:
        if kept.startswith(MARK):
            return self._again(kept, run_id, f"settled {seq}", done)
        *rest, reason = json.loads(kept)
        text = done.opened(lambda: self._sealer.open(reason, run_id, "reason"))
        return None if text is None else self._sealer.seal(dumps([*rest, text]), run_id, f"settled {seq}")

    def _detail(self, run_id: str, fields: Mapping[str, str], done: Rotated) -> str | None:
        kind, kept = fields["kind"], fields["detail"]
        if kind == "run_created":
            detail = json.loads(kept)
            again = self._again(detail["title"], run_id, "title", done)
            return None if again is None else dumps({**detail, "title": again})
        return None if kind in OF_SCRIPTS else self._again(kept, run_id, "detail", done)

    def _log_line(self, run_id: str, fields: Mapping[str, str], done: Rotated) -> str | None:
        return self._again(fields["line"], run_id, "log", done)

    # how it is read and put

    def _scan(self, run_id: str, part: str, again: Callable[..., str | None], done: Rotated) -> None:
        name = keys.run_key(run_id, part)
        puts: list[_Put] = []
        for at, kept in self._redis.hscan_iter(name, count=AT_ONCE):
            instead = again(run_id, at, kept, done)
            if instead is not None:
                puts.append(_Put(at, kept, instead))
            if len(puts) >= AT_ONCE:
                self._hash(name, puts, done)
                puts = []
        self._hash(name, puts, done)

    def _hash(self, name: str, puts: Sequence[_Put], done: Rotated, *, client: Pipeline | None = None) -> None:
        if puts:
            args = [
                text for put in puts for text in (put.field, put.stands, put.field_instead or put.field, put.instead)
            ]
            answer = self._put(keys=[name], args=args, client=client)
            put = len(puts) if client is not None else int(cast("Any", answer))
            done.values += put
            done.raced += len(puts) - put
            reach(MID_ROTATION)

    def _lines(self, run_id: str, part: str, name: str, again: Callable[..., str | None], done: Rotated) -> None:
        stream = keys.run_key(run_id, part)
        rows = cast("list[Any]", self._redis.xrange(stream))
        found = [(line_id, fields, again(run_id, fields, done)) for line_id, fields in rows]
        args = [text for line_id, fields, new in found if new is not None for text in (line_id, fields[name], new)]
        if not args:
            return
        chain = keys.run_key(run_id, "audit" if part == "ledger" else "-")
        put = int(self._put_lines(keys=[stream, chain], args=[name, *args]))
        if put < 0:
            done.broken.append(run_id)
        done.values += max(put, 0)
        reach(MID_ROTATION)

    # answers, and what belongs to no run

    def _answers_of(self, run_id: str, done: Rotated) -> None:
        """The answers that a run was given, each with the note of it in one step: who deletes the run finds both."""
        calls = keys.run_key(run_id, "calls")
        for name, kept in self._redis.hscan_iter(calls, match="answered:*", count=AT_ONCE):
            if self._sealer.is_current(kept):
                continue
            head, _, named = name.rpartition(":")
            opened = partial(self._sealer.open, kept, run_id, "request")
            request = named if kept == "1" else done.opened(opened)
            if request is None:
                continue
            new = self._sealer.name("answer", request)
            pipe = self._redis.pipeline(transaction=True)
            self._answer(named, done, client=pipe)
            put = _Put(name, kept, self._sealer.seal(request, run_id, "request"), f"{head}:{new}")
            self._hash(calls, [put], done, client=pipe)
            pipe.execute()
            reach(MID_ROTATION)

    def _answer(self, named: str, done: Rotated, *, client: Pipeline | None = None) -> None:
        kept = cast("str | None", self._redis.get(keys.answer_key(named)))
        if kept is None or self._sealer.is_current(kept):
            return
        text = done.opened(lambda: dumps(answer_of(self._sealer, named, kept)))
        if text is None:
            return
        request, answer = json.loads(text)
        new = self._sealer.name("answer", request)
        args = [kept, answer_text(self._sealer, new, request, answer)]
        answer = self._put_text(keys=[keys.answer_key(named), keys.answer_key(new)], args=args, client=client)
        done.values += 1 if client is not None else int(answer)

    def _of_all(self, done: Rotated) -> None:
        for name in self._redis.scan_iter(keys.answer_key("*"), count=AT_ONCE):
            self._answer(name.removeprefix(keys.answer_key("")), done)
        puts = []
        for at, kept in self._redis.hscan_iter(keys.POISON):
            told = json.loads(kept)
            again = self._again(told["error"], at.partition(" ")[0], "poison", done)
            if again is not None:
                puts.append(_Put(at, kept, dumps({**told, "error": again})))
        self._hash(keys.POISON, puts, done)
        trouble = cast("str | None", self._redis.hget(keys.FEEDING, "trouble")) or ""
        if (again := self._again(trouble, "", "trouble", done)) is not None:
            self._hash(keys.FEEDING, [_Put("trouble", trouble, again)], done)
