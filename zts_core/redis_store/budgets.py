"""Decides how what model calls cost is held, booked and paced on Redis: one script per promise of `CallBook`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from zts_core.limits import Budget
from zts_core.ports import Cost, Pace, Reservation, ReserveVerdict, Spending
from zts_core.redis_store import keys
from zts_core.redis_store.codec import MICRO, budget_in, crew_budgets, micro
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.retrying import RetryWithin
from zts_core.redis_store.scripts import Scripts, translated
from zts_core.redis_url import place_of
from zts_core.run import dumps
from zts_core.sealing import NO_SEALER, Sealer

_SCRIPTS = ("reserve", "settle_call", "reuse_answer")


class RedisCallBook:
    """A CallBook on the Redis of the run store; parameters as RedisStore's. Connects at the first call."""

    def __init__(self, url: str, *, retention_s: float, timeout_s: float, sealer: Sealer = NO_SEALER) -> None:
        self._sealer = sealer
        self.place = place_of(url)
        self._retention_ms = int(retention_s * 1000)
        self._redis = connect(url, timeout_s=timeout_s / 2, retry=RetryWithin(timeout_s))
        self._scripts = Scripts(self._redis, place=self.place, names=_SCRIPTS)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def reserve(
        self, run_id: str, seq: int, *, attempt: int, call: str, crew: str, most: Cost, provider: str, pace: Pace
    ) -> Reservation:
        verdict, first, second, whose = self._scripts.call(
            "reserve",
            run_id,
            seq,
            attempt,
            call,
            micro(most.usd),
            most.tokens,
            self._retention_ms,
            pace.requests_per_minute,
            pace.tokens_per_minute,
            crew,
            keys=[_calls(run_id), keys.pace_key(provider)],
        )
        if verdict == "wait":
            return Reservation(ReserveVerdict.WAIT, wait_s=int(first) / 1000)
        if verdict == "over_usd":
            used = f"${int(first) / MICRO:.4f} of ${int(second) / MICRO:g}"
            return Reservation(ReserveVerdict.OVER_BUDGET, used=used, crew=whose)
        if verdict == "over_tokens":
            used = f"{int(first)} of {int(second)} tokens"
            return Reservation(ReserveVerdict.OVER_BUDGET, used=used, crew=whose)
        return Reservation(ReserveVerdict(verdict))

    def settle(
        self,
        run_id: str,
        seq: int,
        *,
        call: str,
        cost: Cost,
        detail: Mapping[str, Any],
        request: str = "",
        answer: str = "",
    ) -> bool:
        name = self._sealer.name("answer", request) if request else ""
        booked = self._scripts.call(
            "settle_call",
            run_id,
            seq,
            call,
            micro(cost.usd),
            cost.tokens,
            self._sealer.seal(dumps(detail), run_id, "detail"),
            answer_text(self._sealer, name, request, answer) if request and answer else "",
            name,
            self._retention_ms,
            self._sealer.seal(request, run_id, "request") if self._sealer.on else 1,
            keys=[_calls(run_id), keys.answer_key(name)],
        )
        return bool(booked)

    def recorded(self, run_id: str, seq: int, *, request: str, again: bool) -> str | None:
        names = self._sealer.names("answer", request) if self._sealer.on else (request,)
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hget(keys.run_key(run_id), "reuse_answers")
            for name in names:
                pipe.hexists(_calls(run_id), f"answered:{seq}:{name}")
            from_all, *own = pipe.execute()
            if not (from_all or (again and any(own))):
                return None
            for name in names:
                # Whoever uses an answer lets it live on as long as a fresh one.
                kept = cast("str | None", self._redis.getex(keys.answer_key(name), px=self._retention_ms))
                if kept is not None:
                    return answer_of(self._sealer, name, kept)[1]
        return None

    def reuse(self, run_id: str, seq: int, *, call: str, detail: Mapping[str, Any]) -> None:
        kept = self._sealer.seal(dumps(detail), run_id, "detail")
        self._scripts.call("reuse_answer", run_id, seq, call, kept, self._retention_ms, keys=[_calls(run_id)])

    def forget(self, requests: Sequence[str]) -> None:
        if requests:
            with translated(self.place):
                names = [name for request in requests for name in self._sealer.names("answer", request)]
                self._redis.delete(*map(keys.answer_key, names))

    def spending(self, run_id: str, *, crew: str = "") -> Spending:
        whose = f":{crew}" if crew else ""
        names = ("spent_usd", "spent_tokens", "held_usd", "held_tokens", "calls")
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hmget(_calls(run_id), *(f"{name}{whose}" for name in names))
            pipe.hmget(keys.run_key(run_id), "budget_usd", "budget_tokens", "crew_budgets")
            used, (usd, tokens, crews) = pipe.execute()
        spent_usd, spent_tokens, held_usd, held_tokens, calls = (int(number or 0) for number in used)
        return Spending(
            spent=Cost(spent_usd / MICRO, spent_tokens),
            held=Cost(held_usd / MICRO, held_tokens),
            calls=calls,
            budget=crew_budgets(crews).get(crew, Budget()) if crew else budget_in(usd, tokens),
        )


def answer_text(sealer: Sealer, name: str, request: str, answer: str) -> str:
    """An answer as it is kept under its name; a sealed one holds its request, so that a new key can name it anew."""
    return sealer.seal(dumps([request, answer]), "", f"answer {name}") if sealer.on else answer


def answer_of(sealer: Sealer, name: str, kept: str) -> tuple[str, str]:
    """Request and answer; of a plain one the name is the request."""
    text = sealer.open(kept, "", f"answer {name}")
    if text == kept:
        return name, text
    request, answer = json.loads(text)
    return request, answer


def _calls(run_id: str) -> str:
    return keys.run_key(run_id, "calls")
