"""Folders and clients for the tests of the embedded stack; none of them survives its test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stack_probe import Client, wait_until

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded import find_server
from zts_producer.embedded.folder import StackFolder
from zts_producer.embedded.locks import FileLock


@pytest.fixture(scope="session")
def server() -> None:
    """Skips on a machine without a Redis program, and fails there in CI."""
    try:
        find_server()
    except ServiceUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def folder(server: None) -> Iterator[Path]:
    """A data folder with a short path (pytest's own are too long for a socket); its stack is down afterwards."""
    with tempfile.TemporaryDirectory(prefix="zts-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "data"
        yield folder
        if folder.is_dir():
            wait_until(lambda: is_free(folder))


def is_free(folder: Path) -> bool:
    """Whether no stack runs in `folder`."""
    lock = FileLock.on(StackFolder(folder).stack_lock)
    try:
        return lock.try_exclusive()
    finally:
        lock.close()


@pytest.fixture
def client(folder: Path) -> Iterator[Callable[..., Client]]:
    """Starts clients of `folder` as processes."""
    clients: list[Client] = []

    def start(**options: Any) -> Client:
        clients.append(Client(folder, **options))
        return clients[-1]

    yield start
    for each in clients:
        each.discard()
