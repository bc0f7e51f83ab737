"""Decides how the embedded stack's Neo4j is configured and launched: loopback only, its own password, no HTTP."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.folder import StackFolder, explained, open_log
from zts_producer.embedded.neo4j_program import Neo4jProgram
from zts_producer.embedded.processes import MARK

USER = "neo4j"
FIRST_LOGIN = Path("data", "dbms", "auth.ini")
_ROUNDS = 1024
_MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")
_OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch", "java.base/java.lang")


@dataclass(frozen=True, slots=True)
class Neo4jOrder:
    """Which Neo4j to run: program and jars, and the loopback port that it listens on."""

    java: str
    jars: str
    port: int


def order_neo4j(folder: StackFolder, program: Neo4jProgram) -> Neo4jOrder:
    """Choose a free port and write configuration and password. Raises ServiceUnavailable."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    home = folder.neo4j
    with explained(folder.root):
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "conf").mkdir(mode=0o700, exist_ok=True)
        (home / "conf" / "neo4j.conf").write_text(neo4j_configuration(port))
        if not folder.neo4j_password.exists():
            if (home / "data" / "databases").exists():
                raise ServiceUnavailable(
                    f"the password of the Neo4j in {home} is gone: remove that folder, then `zts graph rebuild`"
                )
            _set_password(folder, secrets.token_urlsafe(24))
    return Neo4jOrder(str(program.java), str(program.jars), port)


def neo4j_configuration(port: int) -> str:
    """As in neo4j.conf; everything else is as Neo4j has it."""
    lines = [
        f"server.bolt.listen_address=127.0.0.1:{port}",
        "server.http.enabled=false",
        "server.default_listen_address=127.0.0.1",
        "server.memory.pagecache.size=256m",
        "dbms.usage_report.enabled=false",
    ]
    return "\n".join(lines) + "\n"


def neo4j_url(folder: StackFolder, port: int) -> str:
    """Where it answers, with its login. Raises ServiceUnavailable where the password cannot be read."""
    with explained(folder.root):
        password = folder.neo4j_password.read_text().strip()
    return f"bolt://{USER}:{password}@127.0.0.1:{port}"


def launch_neo4j(order: Neo4jOrder, folder: StackFolder, *, mark: str) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own. Raises OSError."""
    command = [order.java, "-cp", f"{order.jars}/*", *_MEMORY, *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENED)]
    command += ["org.neo4j.server.CommunityEntryPoint", f"--home-dir={folder.neo4j}"]
    with open_log(folder.log("neo4j")) as log:
        return subprocess.Popen(
            [*command, f"--config-dir={folder.neo4j}/conf"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.neo4j,
            env={**os.environ, MARK: mark},
            process_group=0,
        )


def _set_password(folder: StackFolder, password: str) -> None:
    """Before the first start, so that its well-known first login never exists."""
    initial = folder.neo4j / FIRST_LOGIN
    initial.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(initial, first_login(password))
    _write_private(folder.neo4j_password, f"{password}\n")


def first_login(password: str) -> str:
    """What the file FIRST_LOGIN of its home holds, which Neo4j reads at its first start.

    As `neo4j-admin dbms set-initial-password` writes it: SHA-256 over salt and password, then over itself.
    """
    salt = secrets.token_bytes(32)
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(_ROUNDS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex().upper()},{salt.hex().upper()},{_ROUNDS}:\n"


def _write_private(path: Path, text: str) -> None:
    """In one step: half a password would lock everybody out."""
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
