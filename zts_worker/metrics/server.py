"""Decides what a worker answers over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever runs it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = logging.getLogger(__name__)

PORTS_TRIED = 64
"""How many ports, one after the other, are tried where the first is taken."""
FOLD_EVERY_S = 15.0

Answer = tuple[int, str, bytes]
"""Status code, content type, body."""

TEXT = "text/plain; charset=utf-8"


class MetricsServer(ThreadingHTTPServer):
    """Serves `routes` from threads of this process; `tidy` is called between requests every FOLD_EVERY_S seconds."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, host: str, port: int, *, routes: dict[str, Callable[[], Answer]], tidy: Callable[[], None]):
        super().__init__((host, port), Handler)
        self.routes = routes
        self.tidy = tidy
        self.tidied_at = time.monotonic()
        # A child that outlives a killed parent must not keep the port.
        os.register_at_fork(after_in_child=self.socket.close)

    def service_actions(self) -> None:
        if time.monotonic() > self.tidied_at + FOLD_EVERY_S:
            self.tidied_at = time.monotonic()
            self.tidy()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base's signature
        log.debug("a scrape broke off", exc_info=True)

    def start(self) -> None:
        """Serve until the process ends."""
        threading.Thread(target=self.serve_forever, name="zts-metrics", daemon=True).start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """Answers GET by path."""

    server: MetricsServer
    timeout = 10

    def do_GET(self) -> None:
        route = self.server.routes.get(self.path.partition("?")[0])
        code, kind, body = route() if route else (404, TEXT, b"try /metrics, /healthz or /readyz\n")
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news."""


def open_server(
    host: str, port: int, *, routes: dict[str, Callable[[], Answer]], tidy: Callable[[], None]
) -> MetricsServer | None:
    """A server on `port` or the next free one; None, with a warning, where there is none."""
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            server = MetricsServer(host, candidate, routes=routes, tidy=tidy)
        except OSError as error:
            reason = error
            continue
        if candidate != port:
            log.warning("PROMETHEUS_PORT=%s is taken, metrics are on port %s", port, candidate)
        return server
    log.warning("no metrics: no port from PROMETHEUS_PORT=%s on is free at %s (%s)", port, host, reason)
    return None
