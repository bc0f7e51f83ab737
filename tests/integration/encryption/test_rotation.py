"""A key is changed while runs go on, and whoever changes it is killed in the middle: nothing is lost or left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from played_runs import Runs, step
from servers import wait_until

from tests.integration.encryption.conftest import IDEA, KEY, OTHER, WORD, Place, Zts, claim_by_hand, play
from zts_core.dispatch import Dispatcher
from zts_core.redis_store import RedisStore
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.redis_store.rotated import Rotated
from zts_core.redis_store.rotating import RedisRotation
from zts_core.run import RunStatus
from zts_core.sealing import open_sealer
from zts_producer.client import Client

pytestmark = [pytest.mark.cli, pytest.mark.worker]


def rotate_and_be_killed(place: Place, at: int) -> int:
    """The exit code of `zts key rotate` that dies after its `at`th value."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "zts"), "key", "rotate"],
        env={
            **os.environ,
            **place.environment,
            "REDIS_URL": place.server.url,
            "ZTS_DATA_FOLDER": str(place.folder / "data"),
            "ZTS_CRASH_AT": f"mid-rotation:{at}",
        },
        cwd=place.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode


def places_of(place: Place, key: str) -> set[str]:
    """Where something under a key is left, but for the append-only file, which keeps what was."""
    (key_id,) = open_sealer(key).key_ids
    return {name for name, text in place.seen().items() if key_id in name + text and "appendonly" not in name}


def test_a_key_is_changed_in_spite_of_being_killed_and_everything_opens_with_the_new_one(
    place: Place, zts: Zts
) -> None:
    plain_one = claim_by_hand(place)
    place.key = KEY
    worker = place.start_worker()
    ended = play(place)
    with Client(place.settings(), workers=False) as client:
        waits = client.submit(IDEA, "secretive.yaml", values={"tone": WORD, "how": "transient"}).run_id
        wait_until(lambda: client.record(waits).status is RunStatus.WAITING, what="it asks")
    assert zts("export", ended)[0] == 0
    [exported] = place.folder.glob("shipped/*/run.json")
    worker.stop()
    sealed_one = claim_by_hand(place)

    place.key = f"{OTHER},{KEY}"
    place.start_worker()
    killed = [rotate_and_be_killed(place, at) for at in (5, 17)]
    assert killed == [-signal.SIGKILL] * 2
    code, said = zts("key", "rotate")
    assert (code, "nothing is left under another key" in said) == (0, True), said
    code, said = zts("key", "rotate", key=OTHER)
    assert (code, "\n0 values and 0 files" in f"\n{said}") == (0, True), said

    assert places_of(place, KEY) == set()
    assert place.found() - {name for name in place.found() if "appendonly" in name} == set(), "what was plain is sealed"
    code, said = zts("audit", "verify", ended, "--against", str(exported), key=OTHER)
    assert (code, "as written" in said) == (0, True), said
    for words in (("status", ended), ("logs", ended), ("why", ended), ("status", plain_one), ("graph", "rebuild")):
        code, said = zts(*words, key=OTHER)
        assert code == 0, said
    place.key = OTHER
    for run_id in (plain_one, sealed_one):
        book = RedisCallBook(place.server.url, retention_s=600, timeout_s=5, sealer=open_sealer(OTHER))
        assert book.recorded(run_id, 1, request="d1ge57", again=True) == f"ah, {WORD}"
    with Client(place.settings(), workers=False) as client:
        assert {seen.run_id for seen in client.services.ideas.alike(IDEA, limit=9)} >= {ended, waits}
        client.approve(waits)
        wait_until(lambda: client.record(waits).outcome, what="it ends with the new key")
        assert client.record(waits).outcome == "completed"
    assert zts("delete", ended, "--yes", key=OTHER)[0] == 0
    assert not [key for key in place.server.client().scan_iter("*") if ended in key]


def test_runs_go_on_while_workers_and_producers_seal_with_either_key_and_the_keys_are_changed(place: Place) -> None:
    orders = (f"{KEY},{OTHER}", f"{OTHER},{KEY}")
    both = []
    for place.key in orders:
        place.start_worker()
        played = Runs(place.server.url, place.record, beside_store=True)
        played.store = RedisStore(place.server.url, retention_s=60, timeout_s=5, sealer=open_sealer(place.key))
        played.dispatcher = Dispatcher(played.store, played.queue)
        both.append(played)
    again = step("H", fail="transient", until_attempt=2, retry_attempts=2)
    nodes = [step("A"), {"parallel": [step(name) for name in "BCD"]}, again, step("I")]
    started = []
    for number in range(8):
        started.append(both[number % 2].start(nodes))
        done = Rotated()
        rotation = RedisRotation(
            place.server.url, retention_s=60, timeout_s=5, sealer=open_sealer(orders[number // 2 % 2])
        )
        list(rotation.rotate(done))
        rotation.close()
        assert (done.lacking, done.unreadable, done.broken) == ({}, 0, [])
    for run_id in started:
        assert both[0].wait(run_id).outcome == "completed"
        assert both[0].calls(run_id) == {**dict.fromkeys("ABCDI", 1), "H": 2}


def test_what_is_left_under_a_key_that_is_not_set_is_told_and_a_key_is_needed(place: Place, zts: Zts) -> None:
    place.key = KEY
    claim_by_hand(place)
    code, said = zts("key", "rotate", key=OTHER)
    assert code == 3
    assert f"are left under key {open_sealer(KEY).key_ids[0]}, which is not set here" in said
    code, said = zts("key", "rotate", key="")
    assert (code, "`zts key new` makes one for ZTS_ENCRYPTION_KEY" in said) == (2, True)
    assert zts("key", "rotate", key=f"{OTHER},{KEY}")[0] == 0
    assert places_of(place, KEY) == set()


def test_a_new_key_is_one(zts: Zts) -> None:
    code, said = zts("key", "new")
    key, told = said.splitlines()
    assert (code, open_sealer(key).key_ids[0] in told) == (0, True)
