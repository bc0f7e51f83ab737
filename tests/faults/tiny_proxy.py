"""A TCP proxy in front of a Redis socket that can stop forwarding without closing a connection: half-open."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class TinyProxy:
    """Forwards 127.0.0.1:`port` to a Unix socket until `freeze`, after which what is open hears nothing any more."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.sockets: list[socket.socket] = []
        self.frozen: set[socket.socket] = set()
        self.accepts_dead = False
        self.swallowed = 0
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def freeze(self, *, also_new: bool) -> int:
        """Drop all traffic of the open connections, and with `also_new` of later ones; how many are open."""
        self.accepts_dead = also_new
        self.frozen.update(self.sockets)
        return len(self.sockets) // 2

    def thaw_new(self) -> None:
        """Connections opened from now on work; those that were frozen stay dead."""
        self.accepts_dead = False

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join()
        for each in self.sockets:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self.sockets += [client, server]
                server.connect(str(self.target))
                if self.accepts_dead:
                    self.frozen.update((client, server))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if source in self.frozen:
                    self.swallowed += len(data)
                else:
                    sink.sendall(data)
            if source not in self.frozen:
                sink.shutdown(socket.SHUT_WR)
