"""A stack lives exactly as long as somebody uses it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stack_probe import (
    STUBBORN,
    Client,
    all_gone,
    complete_record,
    connect,
    leaves_no_runtime_files,
    record_of,
    stack,
    wait_until,
)

from zts_producer.embedded import running
from zts_producer.embedded.folder import StackFolder, read_record
from zts_producer.embedded.processes import KnownProcess

pytestmark = pytest.mark.redis

Clients = Callable[..., Client]


def test_redis_answers_as_soon_as_the_block_is_entered(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        assert server.set("greeting", "hello")
        assert server.get("greeting") == "hello"


def test_redis_keeps_an_append_only_file_and_never_evicts(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        settings = server.config_get("append*", "maxmemory-policy")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"


def test_only_the_owner_can_reach_the_data(folder: Path) -> None:
    with stack(folder):
        reachable = [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]
    assert reachable == []


def test_leaving_stops_everything_and_leaves_no_runtime_file(folder: Path) -> None:
    with stack(folder, workers=2):
        record = complete_record(folder, workers=2)
    assert all_gone(record)
    assert leaves_no_runtime_files(folder)


def test_one_stack_object_can_be_entered_again(folder: Path) -> None:
    again = stack(folder)
    with again as first:
        pass
    with again as second:
        assert second == first


def test_data_survives_a_restart(folder: Path) -> None:
    with stack(folder) as address, connect(address) as server:
        server.rpush("steps", "one", "two")
    with stack(folder) as address, connect(address) as server:
        assert server.lrange("steps", 0, -1) == ["one", "two"]


def test_an_error_inside_the_block_stops_the_stack_and_comes_out(folder: Path) -> None:
    records = []

    def fail() -> None:
        with stack(folder):
            records.append(complete_record(folder))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert all_gone(records[0])


def test_two_clients_share_one_stack_and_the_last_one_stops_it(folder: Path, client: Clients) -> None:
    first, second = client(), client()
    assert first.address() == second.address()
    record = complete_record(folder)
    assert first.leave() == 0
    assert record_of(folder).redis == record.redis
    assert running(folder) == record.endpoint.address
    assert second.leave() == 0
    assert all_gone(record)


def test_two_stacks_in_one_process_share_too(folder: Path) -> None:
    with stack(folder) as outer:
        with stack(folder) as inner:
            assert inner == outer
        assert running(folder) == outer
    assert running(folder) is None


def test_five_clients_at_once_give_one_redis(folder: Path, client: Clients) -> None:
    clients = [client() for _ in range(5)]
    assert len({each.address() for each in clients}) == 1
    log = StackFolder(folder).log("redis").read_text()
    assert log.count("Server initialized") == 1
    record = complete_record(folder)
    for each in clients:
        each.leave()
    assert all_gone(record)


def test_the_stack_of_a_killed_client_stops_by_itself(folder: Path, client: Clients) -> None:
    only = client()
    only.address()
    record = complete_record(folder)
    only.process.kill()
    wait_until(lambda: all_gone(record))
    wait_until(lambda: leaves_no_runtime_files(folder))


def test_one_ctrl_c_reaches_the_client_alone_and_leaves_nothing(folder: Path, client: Clients) -> None:
    only = client()
    only.address()
    record = complete_record(folder)
    os.killpg(only.process.pid, signal.SIGINT)
    assert only.leave() == 130
    assert all_gone(record)


def test_a_second_ctrl_c_while_the_stack_stops_leaves_nothing_either(folder: Path, client: Clients) -> None:
    only = client(worker_command=STUBBORN, grace_s=1.0)
    only.address()
    record = complete_record(folder)
    os.killpg(only.process.pid, signal.SIGINT)
    wait_until(lambda: record_of(folder).closing)
    os.killpg(only.process.pid, signal.SIGINT)
    assert only.leave() == 130
    wait_until(lambda: all_gone(record))


def test_ctrl_c_before_redis_answers_leaves_nothing(
    folder: Path, client: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = tmp_path / "redis-server"
    mute.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit\nexec sleep 1000\n')
    mute.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    only = client()
    record = wait_until(lambda: read_record(StackFolder(folder).record))
    os.killpg(only.process.pid, signal.SIGINT)
    assert only.leave() == 130
    assert all_gone(record)


def test_workers_get_no_time_where_the_client_says_that_nothing_is_in_flight(folder: Path) -> None:
    with (here := stack(folder, worker_command=STUBBORN, grace_s=3600)):
        record = complete_record(folder)
        here.nothing_in_flight()
    assert all_gone(record)


def test_saying_so_ends_nobody_elses_work(folder: Path) -> None:
    with stack(folder):
        record = complete_record(folder)
        with (second := stack(folder)):
            second.nothing_in_flight()
        with stack(folder):
            assert complete_record(folder) == record


def test_half_an_order_of_a_killed_client_is_forgotten(folder: Path) -> None:
    with stack(folder, with_workers=False):
        with record_of(folder).endpoint.control_path.open("wb") as pipe:
            pipe.write(b'{"command": ["sl')
        with stack(folder):
            complete_record(folder)


def test_who_comes_while_the_stack_stops_waits_and_gets_a_new_one(folder: Path, client: Clients) -> None:
    leaving = client(worker_command=STUBBORN, grace_s=0.5)
    with connect(leaving.address()) as server:
        server.set("kept", "yes")
    record = complete_record(folder)
    leaving.let_go()
    wait_until(lambda: record_of(folder).closing)
    with stack(folder) as address, connect(address) as server:
        assert all_gone(record)
        assert server.get("kept") == "yes"


def test_a_client_that_needs_only_the_data_starts_no_worker(folder: Path) -> None:
    with stack(folder, with_workers=False):
        assert record_of(folder).workers == ()


def test_a_stack_gains_workers_when_a_client_asks(folder: Path) -> None:
    with stack(folder, with_workers=False), stack(folder, workers=2):
        record = complete_record(folder, workers=2)
    assert all_gone(record)


def test_the_first_client_that_wants_workers_decides_how_many(folder: Path) -> None:
    with stack(folder, workers=1), stack(folder, workers=3):
        complete_record(folder, workers=1)
        with stack(folder, workers=3):
            assert len(record_of(folder).workers) == 1


def test_workers_get_the_address_and_the_given_environment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere")
    monkeypatch.setenv("ZTS_REDIS_URL", "redis://elsewhere")
    told = tmp_path / "told"
    names = ("REDIS_URL", "ZTS_REDIS_URL", "ZTS_BROKER_URL", "ZTS_COLOUR", "CELERY_BROKER_URL")
    say = f"import os; open({os.fspath(told)!r}, 'w').write(repr([os.environ.get(n) for n in {names}]) + '.')"
    command = (sys.executable, "-c", f"{say}; import time; time.sleep(1000)")
    with stack(folder, worker_command=command, environment={"ZTS_COLOUR": "blue"}) as address:
        wait_until(lambda: told.exists() and told.read_text().endswith("."))
    expected = [address.redis_url, address.redis_url, address.broker_url, "blue", None]
    assert told.read_text() == f"{expected!r}."


def test_a_working_folder_that_was_removed_does_not_matter(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with stack(folder):
        complete_record(folder)


def test_each_worker_knows_its_number(folder: Path) -> None:
    command = ("sh", "-c", "echo I am {index}; exec sleep 1000")
    with stack(folder, workers=2, worker_command=command):
        logs = [StackFolder(folder).log(name) for name in ("worker-1", "worker-2")]
        wait_until(lambda: [log.exists() and log.read_text() for log in logs] == ["I am 1\n", "I am 2\n"])


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_what_a_worker_started_in_a_session_of_its_own_ends_too(folder: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = ("sh", "-c", f"setsid sleep 1000 & echo $! > {pid_file}; wait")
    with stack(folder, worker_command=command):
        pid = wait_until(lambda: int(pid_file.read_text() or 0) if pid_file.exists() else 0)
        straggler = KnownProcess.of(pid)
        assert straggler.lives
    wait_until(lambda: not straggler.lives)


def test_sigterm_to_the_supervisor_stops_the_stack_in_order(folder: Path, client: Clients) -> None:
    only = client()
    only.address()
    record = complete_record(folder)
    os.kill(record.supervisor.pid, signal.SIGTERM)
    wait_until(lambda: all_gone(record))
    assert "User requested shutdown" in StackFolder(folder).log("redis").read_text()
    wait_until(lambda: leaves_no_runtime_files(folder))
    assert only.leave() == 0


def test_nothing_is_running_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert running(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_client_as_a_shell_pipeline_member_does_not_keep_the_pipe_open(folder: Path) -> None:
    # The supervisor must not inherit the client's output, or `zts-submit | cat` would wait for it.
    holder = Path(__file__).with_name("hold_stack.py")
    arguments = f'{{"folder": "{folder}", "worker_command": ["sleep", "1000"]}}'
    with stack(folder, with_workers=False):
        done = subprocess.run(
            [sys.executable, holder, arguments], input=b"", capture_output=True, timeout=30, check=True
        )
        assert b"redis_url" in done.stdout
