"""Decides what runs now: Redis as long as there are clients, workers once a client asked, nothing afterwards.

`python -m zts_producer.embedded.supervisor --folder DIR --lock FD --server PROGRAM ...`, started by the first
client, which hands over the stack's lock. Keep its imports light: they are on the way to the first answer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.child import Child, stop_in_steps
from zts_producer.embedded.endpoint import Answer
from zts_producer.embedded.folder import StackFolder, StackRecord, explained, last_lines
from zts_producer.embedded.graph_server import launch_graph
from zts_producer.embedded.guard import (
    DONE,
    GAVE_UP,
    REDIS_LEAVES_S,
    Post,
    ignore_signals,
    report_failure,
    silence_output,
    stand_guard,
    take_post,
)
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.neo4j_server import Neo4jOrder, launch_neo4j
from zts_producer.embedded.processes import MARK, KnownProcess, kill_all
from zts_producer.embedded.redis_server import NEWER_DATA, launch_redis
from zts_producer.embedded.server_binary import find_graph
from zts_producer.embedded.worker_order import GRAPH, LEFT, OrderInbox, WorkerOrder, launch_worker

START_S = 8.0
"""Seconds for Redis to answer at all; reading its data may then take as long as it takes."""
DATA_LOCK_S = 2.0
"""Seconds for a Redis that was told to go to close its files."""
HURRIED_S = 0.005
STEADY_S = 0.1
"""Seconds between two looks at children and clients, before and after Redis answers."""
COLD_STOP_S = 2.0


class Supervisor:
    """One life of a stack: `run()` returns when no client is left, or on SIGTERM."""

    def __init__(self, post: Post, orders_kept: int) -> None:
        self._post = post
        self._folder = post.folder
        self._orders_kept = orders_kept
        self._umask = os.umask(0o077)
        self._servers = list(post.servers)
        self._started = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._terminated = False
        self._answered = False
        self._closing = False
        self._hurried = False
        self._written: StackRecord | None = None
        self._workers: list[Child] = []
        self._redis = Child("redis", self._launch_redis)
        self._graph: Child | None = None
        self._neo4j_port = 0
        with explained(self._folder.root):
            self._clients = FileLock.on(self._folder.clients_lock)
            self._data_lock = FileLock.on(self._folder.data_lock)
            self._inbox = OrderInbox(post.endpoint.control_path)

    def run(self, kept_order: bytes) -> None:
        """Raises ServiceUnavailable where Redis cannot be brought to answer."""
        signal.signal(signal.SIGTERM, self._note_termination)
        if not self._data_lock.wait_exclusive(timeout_s=DATA_LOCK_S):
            raise ServiceUnavailable(
                f"another Redis server has the data in {self._folder.data} open: stop it, or choose another folder"
            )
        if kept_order:
            self._accept(WorkerOrder.decode(kept_order))
        try:
            while not (self._terminated or self._everybody_left()):
                self._look_after_children(time.monotonic())
                self._wait_for_order()
        finally:
            self._stop()

    def _everybody_left(self) -> bool:
        """Once true, newcomers wait until this process has ended."""
        return self._clients.try_exclusive()

    def _note_termination(self, *_: object) -> None:
        self._terminated = True

    def _look_after_children(self, now: float) -> None:
        if self._answered:
            self._redis.tend(now)
            for child in self._others:
                child.tend(now)
        else:
            self._bring_up_redis(now)
        self._publish()

    @property
    def _others(self) -> list[Child]:
        """All children but Redis; without them the stack still answers."""
        return [*([self._graph] if self._graph else []), *self._workers]

    def _bring_up_redis(self, now: float) -> None:
        if self._redis.known is None:
            self._redis.tend(now)
        if not self._redis.runs:
            self._try_another_server()
            return
        answer = self._post.endpoint.ping()
        if answer is Answer.READY:
            self._answered = True
            silence_output()
        elif answer is Answer.SILENT and now - self._started > START_S:
            raise self._redis_failed(f"did not answer within {START_S:.0f} s")

    def _try_another_server(self) -> None:
        said = last_lines(self._folder.log("redis"), count=10)
        if NEWER_DATA not in said:
            raise self._redis_failed("could not start")
        self._servers.pop(0)
        if not self._servers:
            raise ServiceUnavailable(
                f"the data in {self._folder.data} was written by a newer Redis: install that version or a later one"
            )
        self._redis = Child("redis", self._launch_redis)

    def _redis_failed(self, how: str) -> ServiceUnavailable:
        with explained(self._folder.root):  # on a full disk Redis cannot even say so
            self._folder.check_space()
        said = last_lines(self._folder.log("redis"))
        return ServiceUnavailable(f"the bundled Redis {how} in {self._folder.root}: {said or 'it said nothing'}")

    def _launch_redis(self) -> subprocess.Popen[bytes]:
        post = self._post
        return launch_redis(self._servers[0], post.folder, endpoint=post.endpoint, data_lock=self._data_lock)

    def _wait_for_order(self) -> None:
        pause = STEADY_S if self._answered else HURRIED_S
        select.select([self._inbox], [], [], pause)
        while line := self._inbox.take():
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        if line == LEFT:
            self._hurried = self._everybody_left()
        elif line == GRAPH:
            self._want_graph()
        elif line.strip():
            with contextlib.suppress(ValueError):  # half an order, from a client that was killed
                self._accept(WorkerOrder.decode(line))

    def _accept(self, order: WorkerOrder) -> None:
        """The first order decides: workers that run are not changed by a client that comes later."""
        if self._workers:
            return
        if order.neo4j:
            self._run_neo4j(order.neo4j)
        self._want_graph()
        with contextlib.suppress(OSError):  # without a guard the order is not kept, and works all the same
            os.write(self._orders_kept, order.encode())
        self._workers = [self._worker(order, index) for index in range(1, order.count + 1)]

    def _run_neo4j(self, order: Neo4jOrder) -> None:
        """Be it that no graph runs yet: the first one stays."""
        if self._graph is None:
            self._neo4j_port = order.port
            self._graph = Child("neo4j", lambda: launch_neo4j(order, self._folder, mark=self._post.mark))

    def _want_graph(self) -> None:
        """From now on the graph runs too, where it can; most commands have no use for it."""
        program, socket = find_graph(), self._post.endpoint.graph_path
        if self._graph or program is None or socket is None:
            return

        def launch() -> subprocess.Popen[bytes]:
            return launch_graph(program, self._folder, socket, data_lock=self._data_lock)

        self._graph = Child("graph", launch)

    def _worker(self, order: WorkerOrder, index: int) -> Child:
        name = f"worker-{index}"

        def launch() -> subprocess.Popen[bytes]:
            environment = {**order.environment, MARK: self._post.mark}
            return launch_worker(order, index, log=self._folder.log(name), environment=environment, umask=self._umask)

        return Child(name, launch)

    def _publish(self) -> None:
        """Write down what runs, where it changed; only the first time a full disk matters."""
        record = StackRecord(
            endpoint=self._post.endpoint,
            mark=self._post.mark,
            started_at=self._started_at,
            supervisor=self._written.supervisor if self._written else KnownProcess.of(os.getpid()),
            redis=self._redis.record,
            workers=tuple(worker.record for worker in self._workers),
            closing=self._closing,
            graph=self._graph.record if self._graph else None,
            neo4j_port=self._neo4j_port,
        )
        if record == self._written:
            return
        matters = not (self._written or self._closing)
        with explained(self._folder.root) if matters else contextlib.suppress(OSError):
            record.write(self._folder.record)
            self._written = record

    def _stop(self) -> None:
        """Workers first, while Redis still takes what they finish; then Redis; the record goes last."""
        self._closing = True
        self._publish()
        if not self._hurried:
            steps = [(signal.SIGTERM, self._post.grace_s), (signal.SIGQUIT, COLD_STOP_S)]
            stop_in_steps(self._workers, steps)
        kill_all([worker.known for worker in self._workers if worker.known], self._post.mark)
        steps = [(signal.SIGTERM, REDIS_LEAVES_S), (signal.SIGKILL, REDIS_LEAVES_S)]
        stop_in_steps([*self._others, self._redis], steps)
        with contextlib.suppress(OSError):
            self._folder.record.unlink()


def supervise(post: Post, kept_order: bytes, orders_kept: int) -> int:
    """Run one supervisor in this process; GAVE_UP where the stack cannot start."""
    try:
        Supervisor(post, orders_kept).run(kept_order)
    except ServiceUnavailable as error:
        report_failure(error)
        return GAVE_UP
    return DONE


def main() -> None:
    """Leave the client's family, then guard supervisors until the stack is down."""
    parser = argparse.ArgumentParser(prog="python -m zts_producer.embedded.supervisor", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--lock", type=int, required=True, help="inherited descriptor of the stack's lock")
    parser.add_argument("--server", type=Path, action="append", required=True)
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that workers get to finish")
    arguments = parser.parse_args()
    os.set_inheritable(arguments.lock, False)
    if os.fork():
        os._exit(0)  # the client reaps this one now, and nobody has to reap the guard
    ignore_signals(signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    try:
        post = take_post(StackFolder(arguments.folder), tuple(arguments.server), grace_s=arguments.grace)
        stand_guard(post, supervise)
    except ServiceUnavailable as error:
        report_failure(error)
        sys.exit(GAVE_UP)


if __name__ == "__main__":
    main()
