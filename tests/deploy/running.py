"""Decides how tests start a command of the deployment outside of its container, and ask it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from servers import wait_until

from zts_producer.embedded.server_binary import find_server

PROGRAMS = Path(sys.executable).parent


def free_port() -> int:
    """A port of this host that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(command: list[str], folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes `log` in the folder, and is told to stop at the end."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZTS_")}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**inherited, **environment}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def said(folder: Path) -> str:
    """The end of what was written there."""
    return (folder / "log").read_text("utf-8", "replace")[-2000:]


def answers(url: str) -> bool:
    """Whether that page is there."""
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def page_of(url: str) -> str:
    """What that page shows; nothing where it is not there."""
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode("utf-8", "replace"))
    return ""


def refuses_strangers(url: str) -> bool:
    """Whether that page asks for a login."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return False


def programs(folder: Path) -> str:
    """A PATH that has our programs, and the Redis of the tests under the names of an image's."""
    place = folder / "programs"
    place.mkdir(exist_ok=True)
    link = place / "redis-server"
    if not link.exists():
        link.symlink_to(find_server().path)
    return f"{place}:{PROGRAMS}:/usr/bin:/bin"


def shows(folder: Path, url: str, *, within_s: float = 60) -> None:
    """Wait for that page; what was written meanwhile is told where it does not come."""
    wait_until(lambda: answers(url), within_s=within_s, what=said(folder))


def arguments_of_all(process: subprocess.Popen[bytes]) -> str:
    """What anybody on this host can read of a process and its children: their arguments (Linux)."""
    found, pids = [], [process.pid]
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            pids += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return "\n".join(found)
