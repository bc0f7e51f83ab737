"""A process id is only trusted together with the moment its owner was born."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack_probe import wait_until

from zts_producer.embedded.processes import (
    MARK,
    KnownProcess,
    birth_from_ps,
    birth_of,
    kill_all,
    marked_processes,
    signal_group,
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"], process_group=0)
    yield process
    process.kill()
    process.wait()


def test_a_living_process_is_recognised(sleeper: subprocess.Popen[bytes]) -> None:
    assert KnownProcess.of(sleeper.pid).lives


def test_a_dead_process_is_not_taken_for_alive_even_as_a_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    known = KnownProcess.of(sleeper.pid)
    sleeper.kill()
    wait_until(lambda: not known.lives)
    assert sleeper.returncode is None, "reaped already: the test saw no zombie"


def test_another_process_with_the_same_id_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    import signal

    signal_group(KnownProcess(sleeper.pid, "born at another time"), signal.SIGKILL)
    assert sleeper.poll() is None


def test_ps_tells_births_where_there_is_no_proc(sleeper: subprocess.Popen[bytes]) -> None:
    assert birth_from_ps(sleeper.pid) == birth_from_ps(sleeper.pid)
    assert birth_from_ps(sleeper.pid)
    sleeper.kill()
    wait_until(lambda: birth_from_ps(sleeper.pid) is None)


def test_nobody_was_born_with_an_id_that_is_free() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert birth_of(process.pid) is None
    assert birth_from_ps(process.pid) is None


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_everything_with_the_mark_is_found_and_ended() -> None:
    environment = {**os.environ, MARK: "of this test"}
    process = subprocess.Popen(["sh", "-c", "setsid sleep 1000 & wait"], env=environment, start_new_session=True)
    wait_until(lambda: len(list(marked_processes("of this test"))) == 2)
    assert not list(marked_processes("of this"))
    kill_all([], "of this test")
    process.wait()
    wait_until(lambda: not list(marked_processes("of this test")))
