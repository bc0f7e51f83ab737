"""What an encrypted store promises besides what every store does: to whoever lacks its keys."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
import redis

from tests.contracts.store_worlds import SEALER, World, redis_world
from tests.contracts.test_run_store_audit import audited
from tests.unit.heart.playing import approval, step
from zts_core.errors import KeyMissing, Unreadable
from zts_core.outbox import UNREADABLE
from zts_core.ports import ClaimVerdict
from zts_core.redis_store import RedisStore
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.redis_store.rotated import Rotated
from zts_core.redis_store.rotating import RedisRotation
from zts_core.redis_store.run_log import MOST_LINES, RedisRunLog
from zts_core.run import Outcome, StepStatus
from zts_core.sealing import NO_SEALER, Sealer, open_sealer

pytestmark = pytest.mark.redis
NEWER = base64.b64encode(b"n" * 32).decode()
BOTH = open_sealer(f"{NEWER},{base64.b64encode(bytes(32)).decode()}")
StoreOf = Callable[[Sealer], RedisStore]


@pytest.fixture
def world(redis_url: str) -> World:
    return redis_world(redis_url, sealer=SEALER)


@pytest.fixture
def store_of(redis_url: str) -> StoreOf:
    return lambda sealer: RedisStore(redis_url, retention_s=60, timeout_s=5, sealer=sealer)


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url, decode_responses=True)


def rotated(redis_url: str, sealer: Sealer) -> Rotated:
    done = Rotated()
    rotation = RedisRotation(redis_url, retention_s=60, timeout_s=5, sealer=sealer)
    list(rotation.rotate(done))
    rotation.close()
    return done


@pytest.mark.parametrize("sealer", [NO_SEALER, open_sealer(NEWER)], ids=["no key", "another key"])
def test_a_step_is_not_taken_by_who_lacks_the_key_and_stays_for_who_has_it(
    world: World, store_of: StoreOf, sealer: Sealer
) -> None:
    world.submit(step("A"))
    claim = store_of(sealer).claim("r1", 1, worker="w", lease_s=30)
    assert (claim.verdict, claim.key_id) == (ClaimVerdict.SEALED, SEALER.key_ids[0])
    assert world.kinds() == ["run_created", "wave"], "nothing happened"
    assert world.claimed() == 1


def test_a_step_whose_position_a_newer_key_sealed_is_handed_back_without_blame(world: World, store_of: StoreOf) -> None:
    plan = world.submit(step("A"), step("B"))
    world.settle(attempt=world.claimed())
    newer = store_of(BOTH)
    position = newer.position("r1")
    newer.record("r1", world.decide(plan), version=position.version)
    assert world.claim(2).verdict is ClaimVerdict.SEALED
    (_, second) = newer.steps("r1")
    assert (second.status, second.failures) == (StepStatus.QUEUED, 0)
    assert newer.claim("r1", 2, worker="w", lease_s=30).verdict is ClaimVerdict.CLAIMED


def test_who_lacks_the_key_reads_and_writes_nothing_of_what_a_run_is_about(world: World, store_of: StoreOf) -> None:
    world.submit(approval("SIGN_OFF"), values={"tone": "dry"})
    stranger = store_of(NO_SEALER)
    record = stranger.run("r1")
    assert (record.title, record.values) == (f"(encrypted with key {SEALER.key_ids[0]}, which is not set here)", {})
    for act in (
        lambda: stranger.position("r1"),
        lambda: stranger.idea("r1"),
        lambda: stranger.plan(record.plan_digest),
        lambda: stranger.ledger("r1"),
        lambda: stranger.answer("r1", 1, approved=True, by="me", comment="fine"),
        lambda: stranger.withdraw("r1", outcome=Outcome.CANCELLED, reason="enough"),
    ):
        with pytest.raises(KeyMissing, match="add that key to ZTS_ENCRYPTION_KEY"):
            act()
    assert stranger.key_lacking("r1") == SEALER.key_ids[0]
    assert not world.store.key_lacking("r1")


def test_a_value_that_was_changed_or_moved_is_never_taken_for_the_real_one(world: World, client: redis.Redis) -> None:
    world.submit(step("A"))
    title = str(client.hget("zts:run:r1", "title"))
    client.hset("zts:run:r1", "idea", title)
    with pytest.raises(Unreadable, match="the idea of run r1 does not open"):
        world.store.idea("r1")
    client.hset("zts:run:r1", "title", title[:-2])
    assert world.store.run("r1").title == "(does not open: it was changed where it is kept)"


def test_a_run_whose_key_the_feed_lacks_is_passed_over_and_not_in_the_way_of_others(
    world: World, store_of: StoreOf, redis_url: str
) -> None:
    world.submit(step("A"))
    other = World(store_of(open_sealer(NEWER)), world.let_pass)
    other.submit(step("A"), run_id="r2")
    outbox = RedisOutbox(redis_url, timeout_s=5, sealer=SEALER)
    assert [pending.run.run_id for pending in outbox.take(runs=10, lines=10)] == ["r1"]
    assert [
        pending.run.run_id for pending in RedisOutbox(redis_url, timeout_s=5, sealer=BOTH).take(runs=10, lines=10)
    ] == ["r1"], "it was put off for a while"
    assert outbox.backlog().runs == 2


def test_a_line_that_was_changed_is_set_aside_by_the_feed(world: World, redis_url: str, client: redis.Redis) -> None:
    world.submit(step("A"))
    client.xadd("zts:run:r1:ledger", {"kind": "said", "seq": 1, "detail": f"zts-sealed:{SEALER.key_ids[0]}:AAAA"})
    (pending,) = RedisOutbox(redis_url, timeout_s=5, sealer=SEALER).take(runs=1, lines=10)
    assert [entry.kind for entry in pending.entries] == ["run_created", "wave", UNREADABLE]


def test_a_new_key_leaves_histories_and_logs_as_they_were_and_counts_what_was_dropped(
    world: World, redis_url: str, client: redis.Redis
) -> None:
    world.submit(step("A"))
    world.store.say("r1", world.claimed(), attempt=1, line="here")
    log = RedisRunLog(redis_url, kept_s=60, timeout_s=5, sealer=SEALER)
    log.append([("r1", f'{{"event": "{number}"}}') for number in range(MOST_LINES + 300)])
    before, ledger = log.read("r1"), world.store.ledger("r1")
    assert before.dropped > 0
    assert rotated(redis_url, BOTH).values > MOST_LINES
    newest = RedisRunLog(redis_url, kept_s=60, timeout_s=5, sealer=open_sealer(NEWER))
    assert newest.read("r1") == before
    assert 0 < int(client.pttl("zts:run:r1:log")) <= 60_000  # type: ignore[arg-type]
    assert RedisStore(redis_url, retention_s=60, timeout_s=5, sealer=open_sealer(NEWER)).ledger("r1") == ledger
    assert rotated(redis_url, BOTH).values == 0


def test_a_history_that_was_tampered_with_is_not_made_to_look_right_by_a_new_key(
    world: World, redis_url: str, client: redis.Redis
) -> None:
    world.create(audited(step("A")))
    client.xadd("zts:run:r1:ledger", {"kind": "said", "seq": 1, "detail": "{}"})
    assert rotated(redis_url, BOTH).broken == ["r1"]
