"""Decides how the embedded graph runs: a second small server, so that nothing that befalls it touches the runs.

The bundled server with its graph module, never the machine's own: the module needs Redis 7.2, Debian 12 has 7.0. And
never inside the server that holds the runs: their data stays readable by any Redis, a query that goes wrong ends the
graph alone, and what it held is delivered again from the ledgers.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from zts_producer.embedded.folder import StackFolder, open_log
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.server_binary import GraphProgram

THREADS = 2
"""Of the module, for questions; it writes in one."""


def launch_graph(
    program: GraphProgram, folder: StackFolder, socket: Path, *, data_lock: FileLock
) -> subprocess.Popen[bytes]:
    """Start the graph's server in a process group of its own; it inherits `data_lock`. Raises OSError."""
    folder.graph_data.mkdir(mode=0o700, exist_ok=True)
    with open_log(folder.log("graph")) as log:
        return subprocess.Popen(
            [
                *(program.server, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--logfile", ""),
                *("--loadmodule", str(program.module), "THREAD_COUNT", str(THREADS), "OMP_THREAD_COUNT", "1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.graph_data,
            env={**os.environ, "LC_ALL": "C"},
            pass_fds=[data_lock.fileno()],
            process_group=0,
        )
