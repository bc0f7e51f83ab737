"""An OpenAI-compatible server in this process that answers as it is told: well, badly, late, or without end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


class FaultServer(ThreadingHTTPServer):
    """Plays its behaviours in order, the last one for ever; `asked` holds the requests' bodies."""

    daemon_threads = True

    def __init__(self, *behaviours: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours = list(behaviours)
        self.asked: list[dict[str, Any]] = []
        self.headers_seen: list[dict[str, str]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: FaultServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(body))
        self.server.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        behaviours = self.server.behaviours
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to say."""

    def reply(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def says(text: str | dict[str, Any], *, read: int = 100, wrote: int = 20, **message: Any) -> Behaviour:
    """A good answer with `text` (a mapping as JSON)."""
    content = text if isinstance(text, str) else json.dumps(text)
    finish = message.pop("finish_reason", "stop")
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "test",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
    }
    return lambda handler: handler.reply(200, json.dumps(body).encode())


def fails(status: int, *, code: str = "", **headers: str) -> Behaviour:
    body = json.dumps({"error": {"message": f"no: {status} with sk-abcdefghijklmnop1234", "code": code}}).encode()
    return lambda handler: handler.reply(status, body, **headers)


def raw(content: bytes, **headers: str) -> Behaviour:
    return lambda handler: handler.reply(200, content, **headers)


def hangs(handler: Handler) -> None:
    """Takes the request and says nothing."""
    handler.server.over.wait(30)


def hangs_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()


def floods(handler: Handler) -> None:
    """A body without end and without a length."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    while not handler.server.over.is_set():
        handler.wfile.write(b" " * 65536)


def drips(handler: Handler) -> None:
    """A body that comes byte by byte, each in time."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


@contextmanager
def serving(*behaviours: Behaviour) -> Iterator[FaultServer]:
    server = FaultServer(*behaviours)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
