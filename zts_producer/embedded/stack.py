"""Decides how a command gets a Redis with workers where nothing runs: it joins the stack of a folder or starts it."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.address import StackAddress
from zts_producer.embedded.client_locks import POLL_S, ClientLocks
from zts_producer.embedded.endpoint import Answer
from zts_producer.embedded.folder import (
    ChildRecord,
    StackFolder,
    StackRecord,
    explained,
    last_lines,
    open_log,
    read_record,
)
from zts_producer.embedded.locks import FileLock
from zts_producer.embedded.neo4j_program import Neo4jProgram
from zts_producer.embedded.neo4j_server import neo4j_url, order_neo4j
from zts_producer.embedded.server_binary import find_servers
from zts_producer.embedded.worker_order import GRAPH, LEFT, WorkerOrder, celery_command, send_line, worker_environment

START_S = 10.0
"""Seconds from nothing until Redis answers; loading a large file afterwards does not count."""
FAILURES_THAT_TELL = 3
"""Ends in a row after which a worker is in trouble rather than unlucky."""


def default_folder() -> Path:
    """The user's data folder, such as ~/.local/share/zerotoship on Linux."""
    from platformdirs import user_data_dir  # here, because the supervisor has no use for it

    return Path(user_data_dir("zerotoship", appauthor=False))


class EmbeddedStack:
    """A Redis server and workers for as long as somebody is inside a `with` block of this folder.

    Commands that name the same folder share one stack; the first that wants workers decides on their number,
    command, environment and working folder. `worker_command` may hold `{index}`, which becomes 1, 2, ...
    `grace_s` is what workers get to finish when the last client leaves. With `neo4j` the graph is that one, where
    the stack runs none yet.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        concurrency: int | None = None,
        environment: Mapping[str, str] | None = None,
        worker_command: Sequence[str] | None = None,
        with_workers: bool = True,
        grace_s: float = 5.0,
        neo4j: Neo4jProgram | None = None,
    ) -> None:
        self._folder = StackFolder(folder.expanduser().absolute())
        self._workers = workers if with_workers else 0
        self._command = tuple(worker_command or celery_command(concurrency))
        self._environment = dict(environment or {})
        self._grace_s = grace_s
        self._neo4j = neo4j
        self._locks: ClientLocks | None = None
        self._control: Path | None = None
        self._idle = False

    def __enter__(self) -> StackAddress:
        """Return once Redis answers; workers may still be on their way. Raises ServiceUnavailable."""
        self._folder.prepare()
        self._control, self._idle = None, False
        self._locks = ClientLocks(self._folder)
        try:
            self._locks.join()
            record = _Arrival(self._folder, self._locks, grace_s=self._grace_s).reach()
            self._control = record.endpoint.control_path
            self._order_workers(record, self._locks)
        except BaseException:
            self._leave()
            raise
        return record.endpoint.address

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave; where this was the last client, return when everything is down."""
        self._leave()

    def nothing_in_flight(self) -> None:
        """Say that no step is being executed: if this client is the last, workers need no time to finish.

        A Celery worker takes about two seconds to stop in order even when it has nothing to do.
        """
        self._idle = True

    def want_graph(self) -> str:
        """Have the graph started where it does not run yet; its address, empty where it cannot run here.

        Returns at once; the graph answers a moment later.
        """
        if neo4j := self.neo4j():
            return neo4j
        record = read_record(self._folder.record)
        address = record.endpoint.address if record else None
        if address is None or not address.graph_url or self._control is None or self._locks is None:
            return ""
        with self._locks.turn():
            send_line(self._control, GRAPH, timeout_s=START_S)
        return address.graph_url

    def neo4j(self) -> str:
        """The address of the stack's Neo4j, with its login; empty where it runs none."""
        record = read_record(self._folder.record)
        return neo4j_url(self._folder, record.neo4j_port) if record and record.neo4j_port else ""

    @property
    def neo4j_password(self) -> Path:
        """The file with that Neo4j's password."""
        return self._folder.neo4j_password

    def trouble(self) -> str | None:
        """One line where Redis or a worker keeps ending by itself, with the last words of its log; else None."""
        record = read_record(self._folder.record)
        children = (record.redis, *([record.graph] if record.graph else []), *record.workers) if record else ()
        for child in children:
            if child.failures >= FAILURES_THAT_TELL:
                return self._trouble_of(child)
        return None

    def _trouble_of(self, child: ChildRecord) -> str:
        log = self._folder.log(child.name)
        return f"{child.name} ended {child.failures} times in a row: {last_lines(log, count=1)} (more in {log})"

    def _order_workers(self, record: StackRecord, locks: ClientLocks) -> None:
        if not self._workers:
            return
        neo4j = order_neo4j(self._folder, self._neo4j) if self._neo4j else None
        graph = {"ZTS_GRAPH_URL": neo4j_url(self._folder, neo4j.port)} if neo4j else {}
        environment = worker_environment(record.endpoint.address, {**self._environment, **graph})
        order = WorkerOrder(self._command, environment, self._working_folder(), self._workers, neo4j)
        with locks.turn():
            send_line(record.endpoint.control_path, order.encode(), timeout_s=START_S)

    def _working_folder(self) -> str:
        """Where this command runs: crews of the user's own may lie there."""
        try:
            return str(Path.cwd())
        except FileNotFoundError:  # removed meanwhile
            return str(self._folder.root)

    def _leave(self) -> None:
        locks, self._locks = self._locks, None
        if locks is not None:
            locks.leave(self._say_left)

    def _say_left(self) -> None:
        """Spare everybody the time that workers would get; without this the stack stops just as well."""
        if self._idle and self._control:
            with contextlib.suppress(ServiceUnavailable, OSError):
                send_line(self._control, LEFT, timeout_s=0.1)


def running(folder: Path) -> StackAddress | None:
    """The address of the stack that serves `folder` now; None where there is none. Starts and creates nothing."""
    record = _living_record(StackFolder(folder.expanduser().absolute()))
    if record is None or record.closing or record.endpoint.ping() is Answer.SILENT:
        return None
    return record.endpoint.address


def _living_record(folder: StackFolder) -> StackRecord | None:
    record = read_record(folder.record)
    return record if record and record.supervisor.lives else None


class _Arrival:
    """One client's way to a Redis that answers."""

    def __init__(self, folder: StackFolder, locks: ClientLocks, *, grace_s: float) -> None:
        self._folder = folder
        self._locks = locks
        self._grace_s = grace_s
        self._starter: subprocess.Popen[bytes] | None = None

    def reach(self) -> StackRecord:
        """Start a stack where none runs and wait for its Redis. Raises ServiceUnavailable within START_S."""
        deadline = time.monotonic() + START_S
        try:
            while True:
                self._start_unless_running()
                record = _living_record(self._folder)
                answer = record.endpoint.ping() if record else Answer.SILENT
                if record and answer is Answer.READY:
                    return record
                if answer is Answer.LOADING:
                    deadline = time.monotonic() + START_S
                self._raise_failure(late=time.monotonic() > deadline)
        finally:
            self._forget_starter()

    def _start_unless_running(self) -> None:
        lock = self._locks.try_start()
        if lock is None:
            return
        try:
            with explained(self._folder.root):
                self._forget_starter()
                self._starter = self._start(lock)
        finally:
            lock.close()

    def _start(self, lock: FileLock) -> subprocess.Popen[bytes]:
        with contextlib.suppress(FileNotFoundError):  # whatever it says is over: nobody held the lock
            self._folder.record.replace(self._folder.old_record)
        servers = [part for server in find_servers() for part in ("--server", str(server.path))]
        with open_log(self._folder.log("supervisor")) as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "zts_producer.embedded.supervisor"),
                    *("--folder", str(self._folder.root), "--lock", str(lock.fileno())),
                    *("--grace", str(self._grace_s), *servers),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder.root,
                pass_fds=[lock.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is for the client alone
            )

    def _raise_failure(self, *, late: bool) -> None:
        """Wait a moment for a failure the supervisor may report on its standard output."""
        if said := self._heard():
            raise ServiceUnavailable(said)
        if late:
            log = self._folder.log("supervisor")
            raise ServiceUnavailable(
                f"the embedded stack in {self._folder.root} did not start within {START_S:.0f} s: "
                f"{last_lines(log) or 'it said nothing'} (more in {log})"
            )

    def _heard(self) -> str:
        output = self._starter.stdout if self._starter else None
        if output is None or output.closed:
            time.sleep(POLL_S)
            return ""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(POLL_S):
                return ""
        line = output.readline().decode(errors="replace").strip()
        if not line:  # its end: the supervisor has nothing to report any more
            output.close()
        return line

    def _forget_starter(self) -> None:
        if self._starter is not None:
            if self._starter.stdout:
                self._starter.stdout.close()
            self._starter.wait()  # it ended when it had started the guard
            self._starter = None
