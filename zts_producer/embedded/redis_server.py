"""Decides how the bundled Redis is configured and launched."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from zts_producer.embedded.endpoint import Endpoint
from zts_producer.embedded.folder import StackFolder, open_log
from zts_producer.embedded.locks import FileLock

NEWER_DATA = "RDB format version"
"""Redis says so ("Can't handle RDB format version 12") where a newer server wrote the data (rdb.c)."""


def launch_redis(
    program: Path, folder: StackFolder, *, endpoint: Endpoint, data_lock: FileLock
) -> subprocess.Popen[bytes]:
    """Start Redis in a process group of its own; it inherits `data_lock`. Raises OSError.

    The configuration goes through standard input: a password has no place in a command line.
    """
    with open_log(folder.log("redis")) as log:
        process = subprocess.Popen(
            [program, "-"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder.data,
            # Redis 7 refuses to start under a locale that this machine does not have.
            env={**os.environ, "LC_ALL": "C"},
            pass_fds=[data_lock.fileno()],
            process_group=0,
        )
    assert process.stdin is not None  # noqa: S101 - PIPE was asked for
    # A server that died at once leaves a broken pipe; the caller sees its end and its log.
    with contextlib.suppress(BrokenPipeError), process.stdin as configuration:
        configuration.write(redis_configuration(folder, endpoint).encode())
    return process


def redis_configuration(folder: StackFolder, endpoint: Endpoint) -> str:
    """Every write is in the kernel's hands before it is answered, and on the disk at most a second later."""
    lines = [
        f"dir {_quoted(folder.data)}",
        "appendonly yes",
        "appendfsync everysec",
        "aof-load-truncated yes",
        'save ""',
        "maxmemory-policy noeviction",
        "protected-mode yes",
        "daemonize no",
        'logfile ""',
        *_listening(endpoint),
    ]
    return "\n".join(lines) + "\n"


def _listening(endpoint: Endpoint) -> list[str]:
    if endpoint.socket_path is not None:
        return ["port 0", f"unixsocket {_quoted(endpoint.socket_path)}", "unixsocketperm 700"]
    return [f"port {endpoint.port}", "bind 127.0.0.1", f"requirepass {endpoint.password}"]


def _quoted(path: Path) -> str:
    """A path as Redis's configuration reads it: in double quotes, unusual bytes as \\xHH (sds.c)."""
    plain = {byte for byte in range(32, 127) if chr(byte) not in '"\\'}
    return '"' + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in os.fsencode(path)) + '"'
