"""Decides how an engine's script answers: it starts its servers and workers, warms up, and times what it is asked for.

Standard library only, so that it imports in every engine's own environment.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

RESULT = {"status": "ok", "data": "x" * 160, "n": 1}
"""What each step returns: 197 bytes of JSON."""
FOLDER = Path(os.environ.get("PEER_FOLDER", "."))
PORT = int(os.environ.get("PEER_PORT", "0"))
BELL = FOLDER / "bell"
ME = sys.argv[0]


class Peer:
    """What every engine's script does; a pattern that it does not have raises NotImplementedError."""

    packages: tuple[str, ...] = ()
    """Distributions whose versions stand beside the figures."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen] = []

    def sequence(self, steps: int) -> None:
        """One run of `steps` steps, from its submit to its end."""
        raise NotImplementedError

    def many(self, runs: int, steps: int) -> None:
        """`runs` runs at once."""
        raise NotImplementedError

    def fan_out(self, width: int) -> None:
        """One step, then `width` at once, then one."""
        raise NotImplementedError

    def close(self) -> None:
        """End what was started."""
        for process in reversed(self.processes):
            end(process)

    def spawn(self, *command: str, **environment: str) -> subprocess.Popen:
        """A server or worker that ends with this engine; its processor time counts."""
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def redis(self) -> str:
        """A Redis with an append-only file, written every second; its URL."""
        self.spawn(
            os.environ["PEER_REDIS"],
            *("--port", str(PORT), "--bind", "127.0.0.1", "--dir", str(FOLDER), "--save", "", "--appendonly", "yes"),
        )
        wait_for_port(PORT)
        return f"redis://127.0.0.1:{PORT}/0"


class Bell:
    """A socket on which workers ring when a run has ended."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(str(BELL))

    def wait(self, rings: int = 1, *, within_s: float = 180) -> None:
        self.socket.settimeout(within_s)
        for _ in range(rings):
            self.socket.recv(16)


def ring() -> None:
    """Tell the engine's script that a run has ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
        ringer.sendto(b"done", str(BELL))


def wait_for_port(port: int, *, within_s: float = 90) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def end(process: subprocess.Popen) -> None:
    """End a process and its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def cpu_seconds(pids: list[int]) -> float:
    """User and system seconds of processes and all their descendants, also of those that have ended."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            ticks[int(entry.name)] = sum(int(field) for field in fields[11:15])
    total, todo = 0, list(pids)
    while todo:
        pid = todo.pop()
        total += ticks.get(pid, 0)
        todo += children.get(pid, [])
    return total / os.sysconf("SC_CLK_TCK")


def serve(make: type[Peer]) -> None:
    """Answer on standard output, one JSON line for each line that comes in; libraries may print, to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(what: object) -> None:
        print(json.dumps(what), file=out, flush=True)

    peer: Peer | None = None
    try:
        peer = make()
        _warm_up(peer)
        answer({"versions": {name: version(name) for name in peer.packages}})
        for line in sys.stdin:
            what, *args = json.loads(line)
            answer(_timed(peer, what, args))
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"[:300]})
        raise
    finally:
        if peer:
            peer.close()


def _warm_up(peer: Peer) -> None:
    for what, args in (("sequence", [5]), ("many", [10, 2]), ("fan_out", [10])):
        _timed(peer, what, args)


def _timed(peer: Peer, what: str, args: list[int]) -> dict[str, float]:
    pids = [process.pid for process in peer.processes]
    cpu, started = cpu_seconds(pids), time.perf_counter()
    try:
        getattr(peer, what)(*args)
    except NotImplementedError:
        return {}
    return {"seconds": time.perf_counter() - started, "cpu_seconds": cpu_seconds(pids) - cpu}
