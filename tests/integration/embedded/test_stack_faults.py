"""What breaks in a stack is repaired while somebody uses it, and cleaned up by the next start otherwise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import redis
from stack_probe import (
    STUBBORN,
    Client,
    all_gone,
    complete_record,
    connect,
    guard_of,
    record_of,
    stack,
    successor,
    wait_until,
)

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.folder import StackFolder, StackRecord
from zts_producer.embedded.processes import KnownProcess

pytestmark = pytest.mark.redis

Clients = Callable[..., Client]

has_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def kill_hard(*processes: KnownProcess) -> None:
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)


def redis_of(record: StackRecord) -> KnownProcess:
    assert record.redis.process is not None
    return record.redis.process


def answers(server: redis.Redis) -> bool:
    try:
        return bool(server.ping())
    except redis.ConnectionError:
        return False


def test_a_killed_redis_is_restarted_at_the_same_address_with_its_data(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        server.set("kept", "yes")
        before = redis_of(complete_record(folder))
        kill_hard(before)
        wait_until(lambda: redis_of(record_of(folder)) != before and answers(server))
        assert server.get("kept") == "yes"


def test_a_killed_worker_is_restarted(folder: Path) -> None:
    with stack(folder):
        before = complete_record(folder).workers[0].process
        assert before is not None
        kill_hard(before)
        after = wait_until(lambda: [w.process for w in record_of(folder).workers if w.process != before])
        assert after[0] is not None
        assert after[0].lives


def test_a_worker_that_keeps_failing_is_named_with_its_last_words(folder: Path) -> None:
    here = stack(folder, worker_command=("sh", "-c", "echo no such module; exit 1"))
    with here:
        assert here.trouble() is None or "worker-1" in str(here.trouble())
        line = wait_until(here.trouble)
    assert line.startswith("worker-1 ended ")
    assert "no such module" in line
    assert "\n" not in line


def test_a_worker_that_cannot_be_started_at_all_is_told_too(folder: Path) -> None:
    here = stack(folder, worker_command=("no-such-program-anywhere",))
    with here:
        line = wait_until(here.trouble)
    assert "no-such-program-anywhere" in line


@has_proc
def test_a_killed_supervisor_is_replaced_and_its_children_are_gone(folder: Path) -> None:
    with stack(folder, worker_command=STUBBORN, grace_s=0.1) as address, connect(address) as server:
        server.set("kept", "yes")
        before = complete_record(folder)
        kill_hard(before.supervisor)
        wait_until(lambda: all_gone(before))
        after = wait_until(lambda: successor(folder, before))
        assert after.endpoint == before.endpoint
        wait_until(lambda: answers(server))
        assert server.get("kept") == "yes"
        complete_record(folder)


@has_proc
def test_supervisor_and_client_killed_together_leave_nothing(folder: Path, client: Clients) -> None:
    only = client(worker_command=STUBBORN)
    only.address()
    record = complete_record(folder)
    only.process.kill()
    kill_hard(record.supervisor)
    wait_until(lambda: all_gone(record))


@has_proc
def test_what_supervisor_and_guard_left_behind_is_ended_by_the_next_start(folder: Path, client: Clients) -> None:
    only = client()
    with connect(only.address()) as server:
        server.set("kept", "yes")
    before = complete_record(folder)
    kill_hard(guard_of(before), before.supervisor)
    only.leave()
    assert redis_of(before).lives, "the fault did not happen"
    with stack(folder) as address, connect(address) as server:
        assert all_gone(before)
        assert server.get("kept") == "yes"


def test_a_stranger_with_the_process_id_of_a_dead_stack_is_left_alone(folder: Path) -> None:
    with stack(folder):
        record = complete_record(folder)
    stranger = subprocess.Popen(["sleep", "1000"], process_group=0)
    try:
        plain = json.loads(json.dumps(asdict(record), default=os.fspath))
        plain["redis"]["process"]["pid"] = plain["workers"][0]["process"]["pid"] = stranger.pid
        StackFolder(folder).record.write_text(json.dumps(plain))
        with stack(folder):
            pass
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_redis_that_still_has_the_data_open_is_never_doubled(folder: Path) -> None:
    with stack(folder):
        pass
    # As if a server were left that no record tells of: it holds the lock it inherited.
    code = (
        "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.flock(f,fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        ["python3", "-c", code, StackFolder(folder).data_lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ServiceUnavailable, match="another Redis server has the data") as caught, stack(folder):
            pass
    assert "\n" not in str(caught.value)


def test_an_unreadable_record_does_not_stop_the_next_start(folder: Path) -> None:
    with stack(folder):
        pass
    StackFolder(folder).record.write_text('{"half": ')
    with stack(folder) as address, connect(address) as server:
        assert answers(server)


def test_a_last_write_cut_off_by_a_power_failure_costs_only_itself(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        server.set("kept", "yes")
    [newest] = StackFolder(folder).data.glob("appendonlydir/*.incr.aof")
    with newest.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nlo")
    with stack(folder) as address, connect(address) as server:
        assert server.get("kept") == "yes"


def test_damaged_data_are_reported_in_one_line_and_left_as_they_are(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        server.set("kept", "yes")
    [newest] = StackFolder(folder).data.glob("appendonlydir/*.incr.aof")
    damaged = b"*3\r\n$3\r\nSET\r\n" + b"?" * 40 + newest.read_bytes()
    newest.write_bytes(damaged)
    with pytest.raises(ServiceUnavailable, match="could not start") as caught, stack(folder):
        pass
    assert "\n" not in str(caught.value)
    assert "redis-check-aof" in str(caught.value)
    assert newest.read_bytes() == damaged


NO_FILE_GROWS = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
"""A command prefix under which every write fails, as on a full disk."""


def test_a_full_disk_is_one_clear_line(folder: Path, client: Clients) -> None:
    only = client(prefix=NO_FILE_GROWS)
    complaint = only.complaint()
    assert only.process.wait(30) == 8
    assert complaint.count("\n") == 1
    assert f"{folder} cannot be used" in complaint
