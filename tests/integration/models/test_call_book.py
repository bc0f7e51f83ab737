"""What the call book promises, on a real Redis: budgets hold, calls are booked once, providers are paced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.contracts.store_worlds import SEALER, World, redis_world
from tests.unit.heart.playing import parallel, step
from zts_core.limits import Budget
from zts_core.ports import Cost, Pace, Reservation, ReserveVerdict
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.sealing import NO_SEALER, Sealer

pytestmark = pytest.mark.redis
FREE = Pace()


@pytest.fixture(params=["plain", "sealed"])
def sealer(request: pytest.FixtureRequest) -> Sealer:
    return SEALER if request.param == "sealed" else NO_SEALER


@pytest.fixture
def world(redis_url: str, sealer: Sealer) -> World:
    return redis_world(redis_url, sealer=sealer)


@pytest.fixture
def book(redis_url: str, sealer: Sealer) -> RedisCallBook:
    return RedisCallBook(redis_url, retention_s=60, timeout_s=5, sealer=sealer)


def started(world: World, **budget: Any) -> None:
    world.submit(parallel(step("A"), step("B")), **budget)
    world.claimed(1)


def reserve(
    book: RedisCallBook,
    call: str,
    most: Cost,
    *,
    attempt: int = 1,
    pace: Pace = FREE,
    crew: str = "judge",
    provider: str = "openai",
) -> Reservation:
    return book.reserve("r1", 1, attempt=attempt, call=call, crew=crew, most=most, provider=provider, pace=pace)


def test_a_call_within_the_budget_is_reserved_and_booked(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=1.0, budget_tokens=1000)
    assert reserve(book, "c1", Cost(0.4, 500)).verdict is ReserveVerdict.RESERVED
    held = book.spending("r1")
    assert (held.held, held.spent, held.calls) == (Cost(0.4, 500), Cost(), 0)
    assert book.settle("r1", 1, call="c1", cost=Cost(0.1, 120), detail={"model": "m"})
    after = book.spending("r1")
    assert (after.held, after.spent, after.calls) == (Cost(), Cost(0.1, 120), 1)
    assert after.budget == Budget(1.0, 1000)


@pytest.mark.parametrize(("most", "used"), [(Cost(0.7, 1), r"\$0.4000 of \$1"), (Cost(0.0, 600), "500 of 1000 tokens")])
def test_what_would_pass_the_budget_is_not_reserved(world: World, book: RedisCallBook, most: Cost, used: str) -> None:
    started(world, budget_usd=1.0, budget_tokens=1000)
    reserve(book, "c1", Cost(0.4, 500))
    refused = reserve(book, "c2", most)
    assert refused.verdict is ReserveVerdict.OVER_BUDGET
    assert refused.used == used.replace("\\", "")
    assert book.spending("r1").held == Cost(0.4, 500)


def test_a_crews_budget_binds_its_own_calls_only(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=10.0, crew_budgets={"builder": Budget(usd=1.0), "judge": Budget(tokens=100)})
    assert reserve(book, "c1", Cost(0.8, 10), crew="builder").verdict is ReserveVerdict.RESERVED
    refused = reserve(book, "c2", Cost(0.3, 10), crew="builder")
    assert (refused.verdict, refused.crew) == (ReserveVerdict.OVER_BUDGET, "builder")
    assert refused.used == "$0.8000 of $1"
    assert reserve(book, "c3", Cost(5.0, 90), crew="judge").verdict is ReserveVerdict.RESERVED
    assert reserve(book, "c4", Cost(0.0, 20), crew="judge").crew == "judge"
    assert book.settle("r1", 1, call="c1", cost=Cost(0.2, 5), detail={})
    assert reserve(book, "c5", Cost(0.3, 10), crew="builder").verdict is ReserveVerdict.RESERVED
    builder = book.spending("r1", crew="builder")
    assert (builder.spent, builder.calls, builder.budget) == (Cost(0.2, 5), 1, Budget(usd=1.0))
    assert builder.held.usd == pytest.approx(0.3)
    over = reserve(book, "c6", Cost(9.0, 1), crew="launch")
    assert (over.verdict, over.crew) == (ReserveVerdict.OVER_BUDGET, "")


def test_without_a_budget_everything_is_reserved_and_still_booked(world: World, book: RedisCallBook) -> None:
    started(world)
    assert reserve(book, "c1", Cost(1000.0, 10**9)).verdict is ReserveVerdict.RESERVED


def test_a_call_that_costs_nothing_is_booked_too(world: World, book: RedisCallBook) -> None:
    started(world)
    reserve(book, "c1", Cost(0.0, 0))
    assert book.settle("r1", 1, call="c1", cost=Cost(0.0, 7), detail={})
    assert book.spending("r1").spent == Cost(0.0, 7)


def test_many_at_once_never_reserve_more_than_the_budget(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=1.0)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: reserve(book, f"c{number}", Cost(0.15, 10)).verdict, range(40)))
    assert answers.count(ReserveVerdict.RESERVED) == 6
    assert book.spending("r1").held.usd == pytest.approx(0.9)


def test_the_same_reservation_and_the_same_settlement_count_once(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=1.0)
    assert reserve(book, "c1", Cost(0.6, 10)) == reserve(book, "c1", Cost(0.6, 10))
    settled = [book.settle("r1", 1, call="c1", cost=Cost(0.5, 9), detail={}) for _ in range(2)]
    assert settled == [True, False]
    assert book.spending("r1").spent == Cost(0.5, 9)
    assert world.kinds().count("model_call") == 1


def test_an_attempt_that_lost_its_step_may_not_call_but_its_calls_are_booked(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=1.0)
    reserve(book, "c1", Cost(0.2, 10))
    world.settle(1)
    assert reserve(book, "c2", Cost(0.2, 10)).verdict is ReserveVerdict.FENCED
    assert book.settle("r1", 1, call="c1", cost=Cost(0.1, 5), detail={})
    assert book.spending("r1").spent == Cost(0.1, 5)


def test_requests_and_tokens_are_paced_for_all_workers_together(world: World, book: RedisCallBook) -> None:
    started(world)
    few = Pace(requests_per_minute=2)
    verdicts = [reserve(book, f"r{number}", Cost(0.0, 10), pace=few) for number in range(3)]
    assert [answer.verdict for answer in verdicts] == [ReserveVerdict.RESERVED] * 2 + [ReserveVerdict.WAIT]
    assert 59 <= verdicts[2].wait_s <= 61
    other = reserve(book, "x", Cost(), provider="anthropic", pace=few)
    assert other.verdict is ReserveVerdict.RESERVED


def test_a_call_larger_than_a_minutes_tokens_goes_once_the_minute_is_free(world: World, book: RedisCallBook) -> None:
    started(world)
    pace = Pace(tokens_per_minute=1000)
    assert reserve(book, "c1", Cost(0.0, 5000), pace=pace).verdict is ReserveVerdict.RESERVED
    assert reserve(book, "c2", Cost(0.0, 10), pace=pace).verdict is ReserveVerdict.WAIT


def test_a_call_that_waits_holds_no_budget(world: World, book: RedisCallBook) -> None:
    started(world, budget_usd=1.0)
    once = Pace(requests_per_minute=1)
    reserve(book, "c1", Cost(0.1, 1), pace=once)
    assert reserve(book, "c2", Cost(0.1, 1), pace=once).verdict is ReserveVerdict.WAIT
    assert book.spending("r1").held.usd == pytest.approx(0.1)


def answered(book: RedisCallBook, call: str = "c1", request: str = "digest") -> None:
    reserve(book, call, Cost(0.1, 1))
    assert book.settle("r1", 1, call=call, cost=Cost(0.1, 1), detail={}, request=request, answer="fine")


def test_an_answer_is_recorded_for_the_next_attempt_of_its_step_alone(world: World, book: RedisCallBook) -> None:
    started(world)
    assert not book.settle("r1", 1, call="c1", cost=Cost(), detail={}, request="digest", answer="never paid for")
    assert book.recorded("r1", 1, request="digest", again=True) is None
    answered(book)
    assert book.recorded("r1", 1, request="digest", again=True) == "fine"
    assert book.recorded("r1", 1, request="digest", again=False) is None
    assert book.recorded("r1", 2, request="digest", again=True) is None
    assert book.recorded("r1", 1, request="another", again=True) is None


def test_a_run_that_reuses_answers_takes_those_of_all_runs(world: World, book: RedisCallBook) -> None:
    started(world, reuse_answers=True)
    answered(book)
    assert book.recorded("r1", 2, request="digest", again=False) == "fine"
    book.forget(["digest", "unknown"])
    assert book.recorded("r1", 2, request="digest", again=False) is None


def test_a_reused_answer_is_written_to_the_ledger_once_and_costs_nothing(world: World, book: RedisCallBook) -> None:
    started(world)
    for _ in range(2):
        book.reuse("r1", 1, call="c1", detail={"reused": True})
    assert [entry.detail for entry in world.store.ledger("r1") if entry.kind == "model_call"] == [{"reused": True}]
    assert book.spending("r1").calls == 0


def test_a_recorded_answer_lives_as_long_as_a_run_is_kept_from_its_last_use(
    world: World, book: RedisCallBook, sealer: Sealer, redis_url: str
) -> None:
    started(world, reuse_answers=True)
    answered(book)
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    kept = f"zts:answer:{sealer.name('answer', 'digest')}"
    assert 50 < client.ttl(kept) <= 60  # type: ignore[operator]
    client.expire(kept, 5)
    book.recorded("r1", 2, request="digest", again=False)
    assert client.ttl(kept) > 50  # type: ignore[operator]


def test_no_key_outlives_the_run(world: World, book: RedisCallBook, redis_url: str) -> None:
    started(world)
    reserve(book, "c1", Cost(0.1, 1), pace=Pace(requests_per_minute=60))
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    assert 0 < client.ttl("zts:run:r1:calls") <= 60 + 60  # type: ignore[operator]
    assert 0 < client.ttl("zts:pace:openai") <= 61  # type: ignore[operator]
    client.delete("zts:run:r1")
    assert not book.settle("r1", 1, call="c1", cost=Cost(0.1, 1), detail={})
