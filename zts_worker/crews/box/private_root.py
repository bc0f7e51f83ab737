"""Decides which files exist in the sandbox: system and interpreter read-only, one folder writable, no more.

Home folders, the worker's own configuration and every other run's files are not there at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from zts_worker.crews.box import kernel

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
SETTINGS = (
    "/etc/alternatives",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
)
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")


def enter_private_root(point: str, *, folder: str, readable: Iterable[str], scratch_bytes: int) -> None:
    """Build the root on the empty folder `point` and enter it; OSError where a needed mount is refused.

    `folder` keeps its path and is writable; `readable` keep theirs, read-only; /tmp takes `scratch_bytes`.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("root", point, kind="tmpfs", flags=kernel.MS_NOSUID | kernel.MS_NODEV, options="mode=755,size=1m")
    for path in (*SYSTEM, *SETTINGS):
        _show(point, path)
    for path in DEVICES:
        _bind(point, path)
    _scratch(point, "/tmp", scratch_bytes)  # noqa: S108 - the sandbox's own, made here
    _scratch(point, "/dev/shm", scratch_bytes)  # noqa: S108 - the sandbox's own, made here
    for path in readable:  # after the scratch folders: a checkout may lie in /tmp, and would be hidden by them
        _show(point, path)
    _bind(point, folder)
    own_processes(point + "/proc")
    kernel.enter_root(point)


def own_processes(target: str) -> None:
    """Show the processes of this pid namespace at `target`; where refused, an empty folder hides all."""
    Path(target).mkdir(exist_ok=True)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    try:
        kernel.mount("proc", target, kind="proc", flags=flags)
    except OSError:
        kernel.mount("none", target, kind="tmpfs", flags=flags | kernel.MS_RDONLY, options="size=4k")


def _show(point: str, path: str) -> None:
    inside = Path(point + path)
    if inside.is_symlink() or not os.path.lexists(path):
        return
    if Path(path).is_symlink():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(Path(path).readlink())
        return
    if _bind(point, path):
        kernel.read_only(point + path)


def _bind(point: str, path: str) -> bool:
    inside = Path(point + path)
    if inside.exists() and inside.samefile(path):
        return False  # below something that is shown already
    if Path(path).is_dir():
        inside.mkdir(parents=True, exist_ok=True)
    else:
        inside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            inside.touch(exist_ok=False)
    kernel.mount(path, point + path, flags=kernel.MS_BIND | kernel.MS_REC)
    return True


def _scratch(point: str, path: str, size: int) -> None:
    Path(point + path).mkdir(parents=True, exist_ok=True)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("scratch", point + path, kind="tmpfs", flags=flags, options=f"mode=1777,size={size}")
