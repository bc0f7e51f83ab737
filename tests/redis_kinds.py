"""Real servers of the kinds that clusters have: a Redis over TLS or with users, one that Sentinels watch, RabbitMQ."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import redis
from servers import skip_or_fail, wait_until

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.server_binary import find_server


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on just now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


class Program:
    """One server process with a folder of its own; subclasses say what it is started with."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="zts-server-", ignore_cleanup_errors=True)
        self.folder = Path(self._home.name)
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, command: Sequence[str], *, program: str = "", environment: dict[str, str] | None = None) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                executable=program or None,
                env={**os.environ, **(environment or {})},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        return (self.folder / "server.log").read_text("utf-8", "replace")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait(20)
            self.process = None

    def close(self) -> None:
        self.stop()
        self._home.cleanup()


def redis_program() -> str:
    try:
        return str(find_server().path)
    except ServiceUnavailable as error:
        skip_or_fail(str(error))
        raise


def tls_program() -> str:
    """A Redis with TLS: the bundled one has none. Debian's `redis-tools` holds the server under another name."""
    for name in ("redis-server", "redis-check-rdb"):
        if (path := shutil.which(name)) and "libssl" in _libraries(path):
            return path
    skip_or_fail("no redis-server with TLS; Debian's redis-tools has one")
    raise AssertionError


def _libraries(path: str) -> str:
    return subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout


class Redis(Program):
    """A redis-server on a port of 127.0.0.1, with an append-only file."""

    def __init__(self, *options: str, program: str = "") -> None:
        super().__init__()
        self.options = options
        self.program = program or redis_program()
        (self.port,) = free_ports(1)
        self.start()

    @classmethod
    def over_tls(cls, *options: str, program: str) -> Redis:
        """The same, with TLS and nothing else on its port."""
        found = cls.__new__(cls)
        Program.__init__(found)
        found.options, found.program = options, program
        (found.port,) = free_ports(1)
        found.start(port_option="--tls-port")
        return found

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *, port_option: str = "--port") -> None:
        # The last of two values counts.
        own = ["--port", "0", port_option, str(self.port), "--bind", "127.0.0.1"]
        own += ["--dir", str(self.folder), "--save", ""]
        own += ["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]
        # Under its own name, which is what it looks at to know what it is.
        self.spawn(["redis-server", *own, *self.options], program=self.program)
        try:
            wait_until(self.listens, within_s=15, what="redis-server listens")
        except AssertionError:
            self.close()
            raise

    def listens(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def client(self, **login: str) -> redis.Redis:
        found: redis.Redis = redis.Redis.from_url(self.url, decode_responses=True, **login)  # type: ignore[arg-type]
        return found


class Sentinel(Program):
    """A Redis Sentinel that decides alone and soon."""

    def __init__(self, primary: Redis) -> None:
        super().__init__()
        (self.port,) = free_ports(1)
        settings = self.folder / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n"
        )
        self.spawn(["redis-sentinel", str(settings), "--sentinel"], program=redis_program())
        wait_until(lambda: self.knows_replica(), within_s=20, what=f"sentinel knows the replica: {self.said()[-500:]}")

    def client(self) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, decode_responses=True)

    def knows_replica(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return len(client.sentinel_slaves("mymaster")) > 0
        return False

    def primary_port(self) -> int:
        with self.client() as client:
            return int(client.sentinel_get_master_addr_by_name("mymaster")[1])


class Rabbit(Program):
    """A RabbitMQ node of its own, with its own port mapper."""

    def __init__(self) -> None:
        super().__init__()
        programs = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
        if not programs:
            skip_or_fail("no rabbitmq-server; Debian's package of that name has it")
        self.tool = str(programs[-1].with_name("rabbitmqctl"))
        self.port, distribution, mapper = free_ports(3)
        (self.folder / "plugins").write_text("[].")
        self.environment = {
            "RABBITMQ_NODENAME": f"zts{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(mapper),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "HOME": str(self.folder),
        }
        # Started here and not by the node, whose own would leave its session and outlive it.
        names = ["epmd", "-port", str(mapper), "-address", "127.0.0.1"]
        self.mapper = subprocess.Popen(
            names, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.spawn([str(programs[-1])], environment=self.environment)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def close(self) -> None:
        self.stop()
        self.mapper.kill()
        self.mapper.wait(10)
        super().close()

    def wait_ready(self) -> None:
        wait_until(lambda: "Starting broker... completed" in self.said(), within_s=60, what="rabbitmq-server is up")

    def cut(self) -> None:
        """Close every connection, as a restart of the node or of a load balancer would."""
        command = [
            self.tool,
            "eval",
            '[rabbit_networking:close_connection(P, "cut") || P <- rabbit_networking:connections()].',
        ]
        subprocess.run(command, env={**os.environ, **self.environment}, check=True, capture_output=True, timeout=60)
