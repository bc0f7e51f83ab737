"""Decides how one untrusted program is started, watched and ended, from a process between it and the worker.

With namespaces this process's child is process 1 of a namespace of its own, and the kernel ends everything
in it with that process. Without, orphans are adopted, so that a daemon cannot leave the family.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import stat
import sys
import time
from typing import NoReturn

from zts_worker.crews.box import family, kernel, private_root
from zts_worker.crews.box.plan import Isolation, Limits, Plan, Report

_LOOK_EVERY_S = 0.1
_MOST_FILES = 20_000


def main(plan_json: str) -> None:
    """Carry out the plan and write the report to its descriptor."""
    plan = Plan.from_json(plan_json)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor in (plan.report_fd, plan.lifeline_fd):
        os.set_inheritable(descriptor, False)
    try:
        report = _behind_walls(plan)
    except OSError as reason:
        report = Report(error=str(reason))
    if report is not None:
        os.write(plan.report_fd, report.to_json().encode())


def _behind_walls(plan: Plan) -> Report | None:
    """The report, or None where the namespace's first process has written it."""
    walls = plan.isolation
    if not walls.namespaces:
        kernel.adopt_orphans()
        return _watch(plan, _start(plan))
    if walls.user_namespace:
        kernel.map_own_user()
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PIDS | kernel.NEW_NET | kernel.NEW_IPC | kernel.NEW_UTS)
    first = os.fork()
    if first == 0:
        _be_first(plan)
    os.waitpid(first, 0)
    return None


def _be_first(plan: Plan) -> NoReturn:
    kernel.die_with_parent(signal.SIGKILL)
    kernel.hide_memory()
    try:
        kernel.loopback_up()
        _furnish(plan)
        report = _watch(plan, _start(plan))
    except OSError as reason:
        report = Report(error=str(reason))
    os.write(plan.report_fd, report.to_json().encode())
    os._exit(0)


def _furnish(plan: Plan) -> None:
    if plan.isolation.private_root:
        private_root.enter_private_root(
            plan.root_point,
            folder=plan.folder,
            readable=plan.readable,
            scratch_bytes=plan.limits.disk_bytes,
        )
    else:
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        private_root.own_processes("/proc")


def _start(plan: Plan) -> int:
    """The program's process. OSError where it could not become the program: that is the sandbox's failure."""
    nproc = _process_limit(plan.limits, plan.isolation)
    trouble_read, trouble_write = os.pipe()  # closed by a successful exec, as all of Python's descriptors are
    child = os.fork()
    if child == 0:
        try:
            _become(plan, nproc)
        except OSError as reason:
            os.write(trouble_write, str(reason).encode())
        finally:
            os._exit(127)
    os.close(trouble_write)
    trouble = os.read(trouble_read, 4096)
    os.close(trouble_read)
    if trouble:
        raise OSError(f"cannot start {plan.argv[0]}: {trouble.decode()}")
    return child


def _become(plan: Plan, nproc: int | None) -> NoReturn:
    os.setsid()
    os.chdir(plan.folder)
    _bound(plan.limits, nproc)
    if plan.isolation.uid is not None:
        os.setgroups([])
        os.setgid(plan.isolation.uid)
        os.setuid(plan.isolation.uid)
    kernel.no_new_privileges()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.umask(0o022)
    os.execve(plan.argv[0], plan.argv, plan.environment)  # noqa: S606 - running it is the purpose


def _process_limit(limits: Limits, walls: Isolation) -> int | None:
    """RLIMIT_NPROC counts all tasks of a user, and one of its own starts at zero (getrlimit(2))."""
    if not kernel.ON_LINUX:
        return None
    if walls.user_namespace or walls.uid is not None:
        return limits.processes
    return family.tasks_of(os.getuid()) + limits.processes


def _bound(limits: Limits, nproc: int | None) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_s, grace=1)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    if kernel.ON_LINUX:  # macOS refuses or ignores a bound on the address space
        _limit(resource.RLIMIT_AS, limits.memory_bytes)
    if nproc is not None:
        _limit(resource.RLIMIT_NPROC, nproc)


def _limit(which: int, value: int, *, grace: int = 0) -> None:
    hard = resource.getrlimit(which)[1]
    most = value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)
    resource.setrlimit(which, (min(value, most), most))


def _watch(plan: Plan, child: int) -> Report:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    deadline = time.monotonic() + plan.timeout_s
    status, reason = _until_it_ends(plan, child, wake_read, deadline=deadline)
    left = family.end_all(
        alone_in_namespace=os.getpid() == 1 and plan.isolation.namespaces,
        own_uid=plan.isolation.uid,
        group=child,
    )
    exit_code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    if exit_code == -signal.SIGXCPU:
        reason = "cpu"
    return Report(exit_code=exit_code, killed_reason=reason, leftovers=left if reason is None else 0)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _until_it_ends(plan: Plan, child: int, wake: int, *, deadline: float) -> tuple[int | None, str | None]:
    look_at = time.monotonic() + _LOOK_EVERY_S
    while True:
        ended = family.reap()
        if child in ended:
            return ended[child], None
        now = time.monotonic()
        if now >= deadline:
            return None, "timeout"
        if now >= look_at:
            if reason := _too_much(plan):
                return None, reason
            # Looking costs time too: rest at least four times as long as a look took.
            look_at = time.monotonic() + max(_LOOK_EVERY_S, 4 * (time.monotonic() - now))
        ready = select.select([plan.lifeline_fd, wake], [], [], max(0.0, min(deadline, look_at) - now))[0]
        if plan.lifeline_fd in ready:
            return None, "abandoned"
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)


def _too_much(plan: Plan) -> str | None:
    members = family.descendants(os.getpid())
    if len(members) > plan.limits.processes:
        return "processes"
    if sum(member.resident for member in members) > plan.limits.memory_bytes:
        return "memory"
    return "disk" if _disk_use(plan.folder) > plan.limits.disk_bytes else None


def _disk_use(folder: str) -> float:
    """Bytes allocated below `folder`; infinite where there are more files than anyone needs."""
    total, seen, waiting = 0, 0, [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    total, seen = total + found.st_blocks * 512, seen + 1
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
                if seen > _MOST_FILES:
                    return float("inf")
    return total


if __name__ == "__main__":
    main(sys.argv[1])
