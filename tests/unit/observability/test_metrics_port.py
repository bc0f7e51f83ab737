"""A taken port is a warning and the next free one, never a stop."""

from __future__ import annotations

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from zts_worker.metrics.server import TEXT, MetricsServer, open_server

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        yield holder.getsockname()[1]


def opened(port: int) -> MetricsServer:
    server = open_server(HOST, port, routes={"/healthz": lambda: (200, TEXT, b"alive\n")}, tidy=lambda: None)
    assert server is not None
    return server


def test_a_taken_port_gives_the_next_free_one_with_a_warning(taken: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        server = opened(taken)
    try:
        assert server.port > taken
        assert f"PROMETHEUS_PORT={taken} is taken, metrics are on port {server.port}" in caplog.text
    finally:
        server.server_close()


def test_where_no_port_is_free_the_worker_goes_on_without(
    taken: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zts_worker.metrics.server.PORTS_TRIED", 1)
    assert open_server(HOST, taken, routes={}, tidy=lambda: None) is None
    assert "no metrics" in caplog.text


def test_paths_are_answered_and_others_are_told_which_there_are() -> None:
    server = opened(0)
    server.start()
    try:
        with urllib.request.urlopen(f"http://{HOST}:{server.port}/healthz?verbose") as answer:
            assert answer.read() == b"alive\n"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{HOST}:{server.port}/")
    finally:
        server.shutdown()
        server.server_close()
