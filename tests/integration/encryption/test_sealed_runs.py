"""One distinctive word goes everywhere a run can carry it, and is found nowhere that others may read."""

from __future__ import annotations

import pytest
from servers import wait_until

from tests.integration.encryption.conftest import IDEA, KEY, OTHER, WORD, Place, Zts, claim_by_hand, play
from zts_core.run import RunStatus
from zts_core.sealing import open_sealer
from zts_producer.client import Client

pytestmark = [pytest.mark.cli, pytest.mark.worker]


def test_without_a_key_the_word_stands_everywhere_so_that_this_search_can_find_it(place: Place, zts: Zts) -> None:
    worker = place.start_worker()
    run_id = play(place)
    worker.stop()
    claim_by_hand(place)
    found = place.found()
    assert {f"redis zts:run:{run_id}{part}" for part in ("", ":steps", ":results", ":ledger", ":log")} <= found
    assert any(name.startswith("redis zts:answer:d1ge57") for name in found)
    assert any("appendonly" in name for name in found)
    assert any("/artifacts/" in name for name in found)
    assert str(worker.log) in found


def test_with_a_key_the_word_stands_nowhere_and_every_command_knows_it(
    place: Place, zts: Zts, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.key = KEY
    worker = place.start_worker()
    run_id = play(place)
    worker.stop()
    claim_by_hand(place)
    assert place.found() == set()
    assert "d1ge57" not in "".join(place.seen().values())
    assert "kept with the run" in worker.log.read_text()

    place.start_worker()
    for words in (
        ("status", run_id),
        ("why", run_id),
        ("logs", run_id),
        ("list",),
        ("export", run_id),
        ("audit", "verify", run_id, "--against", "exported.json"),
        ("graph", "rebuild"),
        ("replay", run_id, "--from", "SIGN_OFF"),
    ):
        if "exported.json" in words:
            [exported] = place.folder.glob("shipped/*/run.json")
            (place.folder / "exported.json").write_bytes(exported.read_bytes())
        code, said = zts(*words)
        assert code == 0, said
        assert WORD in said or words[0] in ("export", "audit", "graph", "replay"), said
    code, said = zts("report", "--since", "1h", "--json")
    assert (code, '"runs"' in said) == (0, True)
    everything = ("graph", "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN n, r", "--json")
    code, said = zts(*everything)
    assert (code, WORD in said, "MAKE" in said, run_id in said) == (0, False, True, True)
    [shipped] = place.folder.glob("shipped/*/run.json")
    assert WORD in shipped.read_text(), "what was asked for is delivered"

    with Client(place.settings(), workers=False) as client:
        failed = client.submit(IDEA, "secretive.yaml", values={"tone": WORD, "how": "permanent"}).run_id
        wait_until(lambda: client.record(failed).outcome, what="it fails")
        assert client.record(failed).reason == f"MAKE failed: no {WORD} yet"
        assert WORD in zts("dead", "show", failed, "MAKE")[1]
        client.retry(failed)
        wait_until(lambda: client.record(failed).status is RunStatus.WAITING, what="it asks after the retry")
        client.cancel(failed, reason=f"no more {WORD}")
        wait_until(lambda: client.record(failed).outcome, what="it is cancelled")
    assert place.found() == set()
    assert zts("delete", run_id, "--yes")[0] == 0
    assert not [key for key in place.server.client().scan_iter("*") if run_id in key]
    assert not (place.folder / "data" / "artifacts" / run_id).exists()
    place.workers[-1].kill()
    monkeypatch.setenv("ZTS_GRAPH_CONTENT", "true")
    assert zts("graph", "rebuild")[0] == 0
    code, said = zts(*everything)
    assert (code, WORD in said) == (0, True), "asked for, it is there in plain text"


def test_a_worker_without_the_runs_key_leaves_its_steps_to_one_that_has_it(place: Place, zts: Zts) -> None:
    place.key = OTHER
    stranger = place.start_worker()
    place.key = KEY
    key_id = open_sealer(KEY).key_ids[0]
    with Client(place.settings(), workers=False) as client:
        run_id = client.submit(IDEA, "secretive.yaml", values={"tone": WORD, "how": "transient"}).run_id
        lacking = f"encrypted with key {key_id}, which is not set here"
        wait_until(lambda: lacking in stranger.log.read_text(), what="the stranger says so")
        assert "1 worker answers: it is busy with others, or lacks the key of this run" in zts("why", run_id)[1]
        for key in ("", OTHER):
            code, said = zts("status", run_id, key=key)
            assert (code, lacking in said, "add that key to ZTS_ENCRYPTION_KEY" in said) == (2, True, True)
            code, said = zts("cancel", run_id, key=key)
            assert (code, lacking in said) == (2, True), "nothing of it is written by who cannot read it"
            assert f"encrypted with key {key_id}" in zts("list", key=key)[1]
        lost = client.submit(IDEA, "secretive.yaml", values={"tone": WORD}).run_id
        assert zts("delete", lost, "--yes", "--without-key", key=KEY)[0] == 2, "it can be ended, so it has to be"
        assert zts("delete", lost, "--yes", "--without-key", key="")[0] == 0
        members = client.services.store._redis  # type: ignore[attr-defined]
        assert not [key for key in members.scan_iter("*") if lost in key]
        assert lost not in repr([members.zrange(key, 0, -1) for key in members.scan_iter("zts:*", _type="zset")])
        stranger.kill()
        place.start_worker()
        wait_until(lambda: client.record(run_id).status is RunStatus.WAITING, what="it asks")
        assert client.steps(run_id)[0].attempt == 2, "none of the stranger's"
    assert place.found() == set()
