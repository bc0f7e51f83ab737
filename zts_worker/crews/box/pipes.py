"""Decides how the worker starts a launcher, how much of its output is kept, and that it ends."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import zts_worker
from zts_worker.crews.box.plan import Plan, Report

_LAUNCH = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from zts_worker.crews.box import launcher; launcher.main(sys.stdin.read())"
)
_GRACE_S = 10.0
_FLOOD_FACTOR = 256
_REPORT_BYTES = 65536


@dataclass(frozen=True)
class Seen:
    """What the worker saw of one execution."""

    report: Report
    stdout: bytes
    stderr: bytes
    seconds: float
    flooded: bool


@dataclass
class _Kept:
    """The first and the last half of `cap` bytes of a stream."""

    cap: int
    head: bytes = b""
    tail: bytes = b""
    total: int = 0

    def add(self, chunk: bytes) -> None:
        self.total += len(chunk)
        room = self.cap // 2 - len(self.head)
        self.head += chunk[:room] if room > 0 else b""
        self.tail = (self.tail + chunk[max(room, 0) :])[-(self.cap // 2) :]

    def whole(self) -> bytes:
        left_out = self.total - len(self.head) - len(self.tail)
        note = f"\n[... {left_out} bytes left out ...]\n".encode() if left_out else b""
        return self.head + note + self.tail


@dataclass
class _Lines:
    """The pipes of one execution that are not the program's own; each end is closed once."""

    open_ends: set[int] = field(default_factory=set)

    def pipe(self) -> tuple[int, int]:
        read, write = os.pipe()
        self.open_ends |= {read, write}
        return read, write

    def close(self, end: int) -> None:
        if end in self.open_ends:
            self.open_ends.discard(end)
            os.close(end)

    def close_all(self) -> None:
        for end in tuple(self.open_ends):
            self.close(end)


def execute(plan: Plan) -> Seen:
    """Run `plan` to its end; whatever stops the worker also ends the program, as its lifeline closes."""
    lines = _Lines()
    started = time.monotonic()
    report_read, report_write = lines.pipe()
    lifeline_read, lifeline_write = lines.pipe()
    try:
        launcher = _launch(replace(plan, report_fd=report_write, lifeline_fd=lifeline_read))
        lines.close(report_write)
        lines.close(lifeline_read)
        try:
            kept, flooded = _collect(launcher, plan, deadline=started + plan.timeout_s + _GRACE_S)
        finally:
            lines.close(lifeline_write)
            _end(launcher)
        seconds = round(time.monotonic() - started, 3)
        report = _read_report(report_read, in_time=seconds < plan.timeout_s and not flooded)
    finally:
        lines.close_all()
    return Seen(report, kept[0].whole(), kept[1].whole(), seconds, flooded)


def _launch(plan: Plan) -> subprocess.Popen[bytes]:
    package = Path(zts_worker.__file__).resolve().parent.parent
    launcher = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", _LAUNCH, str(package)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        pass_fds=(plan.report_fd, plan.lifeline_fd),
        start_new_session=True,
    )
    # Not as an argument: those are short, and everybody on the machine can read them.
    with contextlib.suppress(BrokenPipeError), _there(launcher.stdin) as stdin:
        stdin.write(plan.to_json().encode())
    return launcher


def _collect(launcher: subprocess.Popen[bytes], plan: Plan, *, deadline: float) -> tuple[tuple[_Kept, _Kept], bool]:
    """Both streams up to their ends, `deadline`, or a flood; and whether it was a flood."""
    kept = (_Kept(plan.limits.output_bytes), _Kept(plan.limits.output_bytes))
    with selectors.DefaultSelector() as selector:
        for stream, keeper in zip((launcher.stdout, launcher.stderr), kept, strict=True):
            selector.register(_there(stream), selectors.EVENT_READ, keeper)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            for key, _events in ready:
                chunk = os.read(key.fd, 65536)
                key.data.add(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if max(keeper.total for keeper in kept) > plan.limits.output_bytes * _FLOOD_FACTOR:
                return kept, True
    return kept, False


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - asked for with PIPE
    return stream


def _end(launcher: subprocess.Popen[bytes]) -> None:
    for stream in (launcher.stdout, launcher.stderr):
        _there(stream).close()
    try:
        launcher.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()


def _read_report(report_read: int, *, in_time: bool) -> Report:
    """What the launcher said; where it said nothing and had the time, something else ended it."""
    os.set_blocking(report_read, False)
    try:
        text = os.read(report_read, _REPORT_BYTES)
    except BlockingIOError:
        text = b""
    if not text and in_time:
        return Report(error="its watcher ended without a word: was it killed, or is the worker out of memory?")
    if not text:
        return Report(exit_code=-signal.SIGKILL, killed_reason="timeout")
    return Report.from_json(text.decode())
