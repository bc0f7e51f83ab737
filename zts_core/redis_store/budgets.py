"""Decides how what model calls cost is held, booked and paced on Redis: one script per promise of `CallBook`."""

from __future__ import annotations

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

_SCRIPTS = ("reserve", "settle_call", "reuse_answer")


class RedisCallBook:
    """A CallBook on the Redis of the run store; parameters as RedisStore's. Connects at the first call."""

    def __init__(self, url: str, *, retention_s: float, timeout_s: float) -> None:
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
        booked = self._scripts.call(
            "settle_call",
            run_id,
            seq,
            call,
            micro(cost.usd),
            cost.tokens,
            dumps(detail),
            answer if request else "",
            request,
            self._retention_ms,
            keys=[_calls(run_id), keys.answer_key(request)],
        )
        return bool(booked)

    def recorded(self, run_id: str, seq: int, *, request: str, again: bool) -> str | None:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hget(keys.run_key(run_id), "reuse_answers")
            pipe.hexists(_calls(run_id), f"answered:{seq}:{request}")
            from_all, own = pipe.execute()
            if not (from_all or (again and own)):
                return None
            # Whoever uses an answer lets it live on as long as a fresh one.
            return cast("str | None", self._redis.getex(keys.answer_key(request), px=self._retention_ms))

    def reuse(self, run_id: str, seq: int, *, call: str, detail: Mapping[str, Any]) -> None:
        self._scripts.call("reuse_answer", run_id, seq, call, dumps(detail), self._retention_ms, keys=[_calls(run_id)])

    def forget(self, requests: Sequence[str]) -> None:
        if requests:
            with translated(self.place):
                self._redis.delete(*(keys.answer_key(request) for request in requests))

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


def _calls(run_id: str) -> str:
    return keys.run_key(run_id, "calls")
