"""Decides whether a program that should listen on a port does: starts it, asks it, and ends it.

Argument: JSON `{"command": [...], "health": "/health", "paths": [...], "patience_s": 15}`, in which `{port}` in the
command stands for a free port, and the file for the result, `{"ok", "status", "detail", "paths": {path: status}}`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        return int(plain.getsockname()[1])


def status_of(port: int, path: str) -> tuple[int, str]:
    """Status and beginning of the body at `path`; 0 and the reason where there is no answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(2000).decode("utf-8", "replace")
    except (OSError, HTTPException) as reason:
        return 0, str(reason)
    finally:
        connection.close()


def probe(plan: dict[str, Any]) -> dict[str, Any]:
    """Start, ask until there is an answer or no hope, ask for the other paths, end."""
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in plan["command"]]
    with Path("server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            status, detail = _wait(server, port, plan)
            paths = {path: status_of(port, path)[0] for path in plan["paths"]} if status else {}
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
    if not status:
        detail = (detail + "\n" + Path("server.log").read_text(errors="replace"))[-3000:]
    return {"ok": status == 200, "status": status, "detail": detail, "paths": paths}


def _wait(server: subprocess.Popen[bytes], port: int, plan: dict[str, Any]) -> tuple[int, str]:
    deadline = time.monotonic() + float(plan["patience_s"])
    while True:
        status, detail = status_of(port, plan["health"])
        if status:
            return status, detail
        if server.poll() is not None:
            return 0, f"it ended with code {server.returncode}"
        if time.monotonic() > deadline:
            return 0, f"no answer within {plan['patience_s']} seconds"
        time.sleep(0.05)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(probe(json.loads(sys.argv[1]))))
