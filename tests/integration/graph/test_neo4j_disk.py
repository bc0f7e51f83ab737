"""A Neo4j whose disk is full, and one that only reads: one clear line, the results wait, and then they all arrive."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from graph_histories import Player
from graph_replay import expected, found
from graph_servers import Neo4jServer
from servers import wait_until

from zts_core.errors import ServiceUnavailable
from zts_core.graph.feed import FeedLimits, ResultFeed
from zts_core.graph.neo4j_graph import Neo4jGraph
from zts_core.redis_store.outbox import RedisOutbox

pytestmark = pytest.mark.redis
SMALL_LOGS = ("db.tx_log.rotation.size=1m", "db.tx_log.preallocate=false")
DISK = "24m"


class SmallDiskNeo4j(Neo4jServer):
    """Its data lie on a disk of a few megabytes, where this user may mount one."""

    mounted = False

    def configure(self, *more: str) -> None:
        super().configure(*SMALL_LOGS, *more)
        data = self.folder / "data"
        if not data.exists():
            data.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data)]
            with contextlib.suppress(OSError):
                self.mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0

    @property
    def filler(self) -> Path:
        return self.folder / "data" / "filler"

    def fill_disk(self) -> None:
        """No byte more; where there is no disk of its own, the kernel refuses this process to write."""
        if not self.mounted:
            assert self.process is not None
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            return
        with contextlib.suppress(OSError), self.filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass

    def free_disk(self) -> None:
        if self.mounted:
            self.filler.unlink()

    def restart(self, *configuration: str) -> None:
        """In order: one that may only read cannot mend what a kill left."""
        assert self.process is not None
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.kill()
        self.configure(*configuration)
        self.start()

    def close(self) -> None:
        self.kill()
        if self.mounted:
            subprocess.run(["umount", str(self.folder / "data")], check=True)
        super().close()


@pytest.fixture(scope="module")
def server() -> Iterator[SmallDiskNeo4j]:
    server = SmallDiskNeo4j()
    yield server
    server.close()


@pytest.fixture
def graph(server: SmallDiskNeo4j) -> Iterator[Neo4jGraph]:
    graph = server.graph()
    yield graph
    graph.close()


@pytest.fixture
def outbox(redis_url: str) -> RedisOutbox:
    redis.Redis.from_url(redis_url).flushall()
    return RedisOutbox(redis_url, timeout_s=10)


def refused(feed: ResultFeed) -> str:
    """Feed until the graph refuses; the one line that says why."""
    with pytest.raises(ServiceUnavailable) as raised:
        feed.drain(within_s=60)
    line = str(raised.value)
    assert "\n" not in line
    assert len(line) < 300
    assert feed.outbox.backlog().trouble == line
    assert feed.outbox.backlog().poison == 0
    return line


def drained(feed: ResultFeed) -> bool:
    """Whether everything that waited is in the graph; a database that recovers takes nothing yet."""
    with contextlib.suppress(ServiceUnavailable):
        feed.drain(within_s=60)
    return not feed.outbox.backlog().runs


def test_a_full_disk_is_one_line_and_when_it_is_free_again_everything_arrives(
    server: SmallDiskNeo4j, graph: Neo4jGraph, redis_url: str, outbox: RedisOutbox
) -> None:
    player = Player(redis_url, 61)
    run_ids = player.play(2)
    feed = ResultFeed(outbox, graph, limits=FeedLimits(rest_s=0))
    assert feed.feed() > 0
    server.fill_disk()
    run_ids += player.play(6)
    lines = {refused(feed), refused(feed)}
    assert all("free its disk" in line and "start it again" in line for line in lines), lines
    assert player.store.run(run_ids[-1]).outcome
    server.free_disk()
    server.kill()
    server.start()
    wait_until(lambda: drained(feed), within_s=60, what=f"everything arrives; {outbox.backlog()}")
    for run_id in run_ids:
        assert found(graph, run_id) == expected(player.store, run_id)


def test_a_database_that_only_reads_is_one_line_and_can_still_be_asked(
    server: SmallDiskNeo4j, graph: Neo4jGraph, redis_url: str, outbox: RedisOutbox
) -> None:
    graph.prepare()
    server.restart("server.databases.read_only=neo4j")
    player = Player(redis_url, 67)
    player.play(1)
    feed = ResultFeed(outbox, graph, limits=FeedLimits(rest_s=0))
    wait_until(lambda: "takes no writes" in refused(feed), within_s=60, what="the database is there, and only reads")
    assert graph.ask("MATCH (n) RETURN count(n) >= 0", {}, limit=1).rows == [[True]]
