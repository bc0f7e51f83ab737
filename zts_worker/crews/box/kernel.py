"""Decides how Linux system calls that Python 3.11 has no name for are made.

Numbers are those of `linux/sched.h`, `linux/mount.h` and `linux/prctl.h`; they are the same on every
architecture but for `pivot_root`, whose number is looked up by machine.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import socket
import struct
import sys
from functools import cache
from pathlib import Path

NEW_MOUNTS = 0x00020000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PIDS = 0x20000000
NEW_NET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
# statvfs flag -> mount flag: a user namespace may not drop a flag its parent had (mount_namespaces(7)).
_KEPT_FLAGS = {1: MS_RDONLY, 2: MS_NOSUID, 4: MS_NODEV, 8: MS_NOEXEC, 1024: 1024, 2048: 2048, 4096: 1 << 21}

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217, "armv7l": 218}
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

ON_LINUX = sys.platform == "linux"


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags`; OSError where the system does not permit it."""
    _checked(_libc().unshare(flags), "unshare")


def mount(source: str, target: str, *, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2); OSError where it is refused."""
    result = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result, f"mount {target}")


def read_only(target: str) -> None:
    """Make the bind mount at `target` read-only and free of set-uid programs."""
    now = os.statvfs(target).f_flag
    kept = sum(flag for seen, flag in _KEPT_FLAGS.items() if now & seen)
    mount("none", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | kept)


def enter_root(folder: str) -> None:
    """Make the mount point `folder` the root of this mount namespace and let go of the former root."""
    os.chdir(folder)
    _checked(_libc().syscall(ctypes.c_long(_PIVOT_ROOT[platform.machine()]), b".", b"."), "pivot_root")
    _checked(_libc().umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")


def map_own_user() -> None:
    """In a fresh user namespace, keep the user and group this process had outside."""
    uid, gid = os.getuid(), os.getgid()
    unshare(NEW_USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def loopback_up() -> None:
    """Switch on `lo` in a fresh network namespace: it is the only interface there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(plain, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(plain, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _prctl(option: int, value: int) -> bool:
    return ON_LINUX and _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent dies (a double-forked daemon too)."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> bool:
    """Have the kernel send `signal_number` here when the parent ends."""
    return _prctl(_PR_SET_PDEATHSIG, signal_number)


def hide_memory() -> bool:
    """Keep processes of the same user from reading or tracing this one."""
    return _prctl(_PR_SET_DUMPABLE, 0)


def no_new_privileges() -> bool:
    """Make set-uid programs powerless from here on."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)
