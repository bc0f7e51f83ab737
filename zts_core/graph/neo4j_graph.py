"""Decides how results reach Neo4j: one managed transaction per batch, every call bounded, every refusal one line."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from zts_core.errors import GraphRefused, ServiceUnavailable, SettingInvalid
from zts_core.graph.first_writing import Work, creating, merging
from zts_core.graph.port import Changes, Row, Table
from zts_core.graph.statements import statements

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction

T = TypeVar("T")

_NOT_OURS = ("Neo.ClientError.Statement.", "Neo.ClientError.Schema.", "Neo.ClientError.General.InvalidArguments")
"""Codes of what a query or its values did wrong; everything else is the server's state (Neo4j status codes)."""
_NOT_UNIQUE = "Neo.ClientError.Schema.ConstraintValidationFailed"
_DISK_FULL = "where its disk is full: free its disk, kill it without an orderly stop, start it again"
"""At an orderly stop Neo4j writes on behind a transaction that it could not write whole, and cannot read that later."""
_CURES = {
    "Neo.ClientError.Security.AuthenticationRateLimit": "too many wrong passwords; correct NEO4J_PASSWORD and wait",
    "Neo.ClientError.Security.CredentialsExpired": "the initial password has to be changed first",
    "Neo.ClientError.Security.Forbidden": "the user may not do that; give it the right, or another NEO4J_USER",
    "Neo.ClientError.Database.DatabaseNotFound": "correct ZTS_NEO4J_DATABASE, or create the database",
    "Neo.ClientError.Cluster.NotALeader": "it is a member that only reads; use a neo4j:// address",
    "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase": "it takes no writes; use a neo4j:// address",
    "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase": "it takes no writes; name a writable database",
    "Neo.DatabaseError.Transaction.TransactionLogError": _DISK_FULL,
    "Neo.DatabaseError.Transaction.TransactionCommitFailed": _DISK_FULL,
    "Neo.DatabaseError.Transaction.TransactionStartFailed": _DISK_FULL,
    "Neo.TransientError.General.DatabaseUnavailable": (
        "wait until it is online; where it stays away, its log says why, and the runbook graph-away has the cure"
    ),
}


_BRACES = re.compile(r" Transaction #\d+ \{.*\}")
"""A whole transaction in a message tells a person nothing."""

RETRY_S = 1.0
"""Seconds in which the driver tries a transaction again, which mends deadlocks; outages are the feed's to wait out."""


_TLS = "does it speak TLS? bolt+s:// and neo4j+s:// need it, bolt:// and neo4j:// must not have it"


class _ThereAlready(GraphRefused):
    """Something that was to be created is in the graph."""


class Neo4jGraph:
    """A ResultGraph on Neo4j 5. `timeout_s` bounds every call; connects at the first."""

    def __init__(self, uri: str, *, user: str, password: str, database: str | None, timeout_s: float) -> None:
        self.place = f"Neo4j at {uri.partition('://')[2].rpartition('@')[2] or uri}"
        self._uri = uri
        self._login = (user, password) if password else None
        self._user = user
        self._database = database
        self._timeout_s = timeout_s
        self._driver: Driver | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            driver, self._driver = self._driver, None
        if driver is not None:
            _close(driver)

    def prepare(self) -> None:
        for statement in statements("schema_neo4j").values():
            self._managed([(statement, {})])

    def write(self, changes: Changes) -> None:
        """What begins in it is created, which the ids' uniqueness refuses as a whole where it was written before."""
        if first := creating(changes):
            with suppress(_ThereAlready):
                self._managed(first)
                return
        self._managed(merging(changes))

    def forget(self, run_ids: Sequence[str]) -> None:
        self._managed([(text, {"ids": list(run_ids)}) for text in statements("forget").values()])

    def ask(self, cypher: str, parameters: Row, *, limit: int) -> Table:
        def read(transaction: ManagedTransaction) -> Table:
            result = transaction.run(cypher, dict(parameters))
            rows = [[plain(value) for value in record.values()] for record in result.fetch(limit + 1)]
            return Table(result.keys(), rows[:limit], len(rows) > limit)

        return self._bounded(lambda driver: self._in_session(driver, read, reads=True))

    def _managed(self, work: Work) -> None:
        def write(transaction: ManagedTransaction) -> None:
            for text, parameters in work:
                transaction.run(text, dict(parameters)).consume()

        if work:
            self._bounded(lambda driver: self._in_session(driver, write, reads=False))

    def _in_session(self, driver: Driver, work: Callable[[ManagedTransaction], T], *, reads: bool) -> T:
        from neo4j import READ_ACCESS, WRITE_ACCESS, unit_of_work

        bounded = unit_of_work(timeout=self._timeout_s)(work)
        access = READ_ACCESS if reads else WRITE_ACCESS
        with driver.session(database=self._database, default_access_mode=access) as session:
            return session.execute_read(bounded) if reads else session.execute_write(bounded)

    def _bounded(self, work: Callable[[Driver], T]) -> T:
        """Do `work` in a thread of its own: the driver may wait minutes for a frozen server and cannot be told not to.

        What is given up may still be written later; every write is safe to repeat and never goes back.
        """
        answer: list[T] = []
        trouble: list[BaseException] = []
        given_up = threading.Event()

        def run() -> None:
            driver = None
            try:
                driver = self._connected()
                answer.append(work(driver))
            except BaseException as error:
                trouble.append(error)
            if given_up.is_set() and driver is not None:
                _close(driver)

        thread = threading.Thread(target=run, name="graph", daemon=True)
        thread.start()
        thread.join(self._timeout_s + 1)
        if thread.is_alive():
            given_up.set()
            with self._lock:
                self._driver = None
            raise ServiceUnavailable(f"{self.place} does not answer within {self._timeout_s:g} s; see its log")
        if trouble:
            with self._translated():
                raise trouble[0]
        return answer[0]

    def _connected(self) -> Driver:
        with self._lock:
            if self._driver is None:
                from neo4j import GraphDatabase

                if not (driver_log := logging.getLogger("neo4j")).level:
                    driver_log.setLevel(logging.CRITICAL)  # what it would warn of is raised, and told in one line
                self._driver = GraphDatabase.driver(
                    self._uri,
                    auth=self._login,
                    connection_timeout=min(5.0, self._timeout_s),
                    connection_acquisition_timeout=self._timeout_s,
                    max_transaction_retry_time=RETRY_S,
                    max_connection_pool_size=4,
                    notifications_min_severity="OFF",
                    telemetry_disabled=True,
                )
            return self._driver

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say what is wrong in one line that names the place and the cure."""
        from neo4j import exceptions as neo4j

        try:
            yield
        except ImportError as error:
            raise ServiceUnavailable("the neo4j driver is not installed: pip install 'zerotoship[graph]'") from error
        except neo4j.ConfigurationError as error:
            raise SettingInvalid(f"NEO4J_URI does not fit: {_said(error)}; correct NEO4J_URI") from error
        except neo4j.AuthError as error:
            cure = _CURES.get(error.code or "", "correct NEO4J_USER and NEO4J_PASSWORD")
            raise ServiceUnavailable(f"{self.place} refuses the login of {self._user!r}; {cure}") from error
        except neo4j.Neo4jError as error:
            self._raise_for(error, error.code or "")
        except (neo4j.DriverError, OSError) as error:
            self.close()
            raise ServiceUnavailable(
                f"{self.place} does not answer: {_said(error)}; {_connection_cure(error, self._uri)}"
            ) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise GraphRefused(f"{self.place} takes no such value: {error}") from error

    def _raise_for(self, error: Exception, code: str) -> None:
        if "read access mode" in str(error).lower():
            raise GraphRefused("the query writes; `zts graph` only reads") from error
        if code == _NOT_UNIQUE:
            raise _ThereAlready(f"{self.place} refuses it: {_said(error)}") from error
        if code.startswith(_NOT_OURS) and code not in _CURES:
            raise GraphRefused(f"{self.place} refuses it: {_said(error)}") from error
        cure = _CURES.get(code, "see its log")
        raise ServiceUnavailable(f"{self.place} refuses: {_said(error)}; {cure}") from error


def _close(driver: Driver) -> None:
    with suppress(Exception):  # a server that is gone takes no goodbye
        driver.close()


def plain(value: Any) -> Any:
    """A driver's value as plain JSON data."""
    from neo4j.graph import Node, Path, Relationship

    if isinstance(value, Node):
        return {"labels": sorted(value.labels), **plain(dict(value))}
    if isinstance(value, Relationship):
        return {"type": value.type, **plain(dict(value))}
    if isinstance(value, Path):
        return {"nodes": [plain(node) for node in value.nodes], "relationships": [r.type for r in value.relationships]}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _said(error: Exception) -> str:
    """The message's first line, without the codes around it."""
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    return _BRACES.sub("", str(message).splitlines()[0]).strip().rstrip(".: ")[:300]


def _connection_cure(error: Exception, uri: str) -> str:
    told = " ".join(str(each) for each in (error, error.__cause__, getattr(error.__cause__, "__cause__", "")))
    if any(word in told.lower() for word in ("ssl", "tls", "certificate", "handshake", "encrypt")):
        return _TLS
    # Of a routing table that it could not fetch the driver does not say why.
    return f"is it up? {_TLS}" if uri.startswith("neo4j+s") else "start it, or correct NEO4J_URI"
