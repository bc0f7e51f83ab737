"""Decides what tests of other servers start from: a Redis behind TLS and users, one that Sentinels watch, RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from played_runs import Runs
from redis_kinds import Redis, tls_program
from servers import REPOSITORY, Worker

from zts_core.redis_store.connecting import connect

USERS = REPOSITORY / "deploy" / "redis" / "users.acl"
SHORT = {
    "ZTS_LEASE": "2",
    "ZTS_TICK": "0.2",
    "ZTS_RESEND_AFTER": "1",
    "ZTS_BACKOFF": "0.1",
    "ZTS_REDIS_TIMEOUT": "2",
    "PROMETHEUS_PORT": "0",
}


@dataclass
class Fortress:
    """A Redis that speaks only TLS, only with those who show a certificate, and only as one of our users."""

    redis: Redis
    authority: Path
    certificate: Path
    key: Path

    def url(self, user: str, *, certificate: bool = True) -> str:
        name = "" if user == "stranger" else f"zts-{user}:change-this-{user}-password@"
        own = f"&ssl_certfile={self.certificate}&ssl_keyfile={self.key}" if certificate else ""
        return f"rediss://{name}127.0.0.1:{self.redis.port}/0?ssl_ca_certs={self.authority}{own}"

    def refused(self) -> list[str]:
        """What users were refused since the last look."""
        with connect(self.url("overseer"), timeout_s=5) as client:
            found = [f"{row['username']}: {row['reason']} {row['object']}" for row in client.acl_log()]
            client.acl_log_reset()
            return found


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    import trustme

    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name in ("server", "client"):
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    users = folder / "users.acl"
    overseer = "user zts-overseer on >change-this-overseer-password ~* &* +@all\n"
    users.write_text(USERS.read_text("utf-8") + overseer, "utf-8")
    ca, certificate, key = (str(folder / name) for name in ("ca.pem", "server.pem", "server.key"))
    tls = ["--tls-ca-cert-file", ca, "--tls-cert-file", certificate, "--tls-key-file", key]
    server = Redis.over_tls("--aclfile", str(users), *tls, program=tls_program())
    try:
        yield Fortress(server, folder / "ca.pem", folder / "client.pem", folder / "client.key")
    finally:
        server.close()


StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    workers: list[Worker] = []

    def start(url: str, **options: Any) -> Worker:
        record = {"ZTS_TEST_RECORD": str(tmp_path / "record")}
        environment = {**SHORT, **record, **options.pop("environment", {})}
        worker = Worker(url, tmp_path, environment=environment, **options)
        workers.append(worker)
        worker.wait_ready()
        return worker

    yield start
    for worker in workers:
        worker.kill()


@pytest.fixture
def runs_on(tmp_path: Path) -> Callable[[str], Runs]:
    def runs(url: str, **options: Any) -> Runs:
        return Runs(url, tmp_path / "record", **options)

    return runs
