"""Decides how the system is: every component is asked for real, and its answer is told with a time and a cure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zts_core.errors import ServiceUnavailable, ZtsError
from zts_core.run import RunStatus, StepStatus
from zts_core.settings import misspelled_settings
from zts_producer.narrate import counted
from zts_producer.times import duration

if TYPE_CHECKING:
    from zts_producer.client import Client

PING_S = 1.0
"""Seconds in which workers have to answer a ping."""
BOOT_S = 15.0
"""Seconds in which the embedded stack's worker has to answer for the first time."""
LONG_WAIT_S = 60.0
"""A step that has waited longer for a worker is worth a warning."""
LOOKED_AT = 50
"""How many unfinished runs, the oldest, are searched for the step that waits longest."""


class HealthStatus(StrEnum):
    """How something is."""

    HEALTHY = "healthy"
    """It does all it should."""
    DEGRADED = "degraded"
    """Runs are kept, but something does not do its part."""
    UNHEALTHY = "unhealthy"
    """Runs can neither be recorded nor read."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the system: how it is, how long it took to answer, and what there is to say."""

    name: str
    status: HealthStatus
    latency_ms: float
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """The whole system: as bad as its worst component."""

    components: tuple[Component, ...]

    @property
    def status(self) -> HealthStatus:
        """The worst of the components' statuses."""
        return max((part.status for part in self.components), key=list(HealthStatus).index)

    @property
    def exit_code(self) -> int:
        """8 where the system is unhealthy, else 0."""
        return ServiceUnavailable.exit_code if self.status is HealthStatus.UNHEALTHY else 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        parts = {
            part.name: {key: value for key, value in asdict(part).items() if key != "name"} for part in self.components
        }
        return {"status": self.status, "components": parts}


Answer = tuple[HealthStatus, str]
Check = Callable[["Client"], Answer]


def check_health(client: Client) -> Health:
    """Ask every component. Where Redis does not answer, what lives in it is not asked."""
    redis = _ask("redis", _redis, client, otherwise=HealthStatus.UNHEALTHY)
    checks: list[tuple[str, Check]] = [("workflows", _workflows)]
    if redis.status is not HealthStatus.UNHEALTHY:
        checks = [("workers", _workers), ("queue", _queue), ("waiting", _waiting), ("graph", _graph), *checks]
    checks += [("metrics", _metrics), ("settings", _settings)]
    return Health((redis, *(_ask(name, check, client) for name, check in checks)))


def _ask(name: str, check: Check, client: Client, *, otherwise: HealthStatus = HealthStatus.DEGRADED) -> Component:
    started = time.perf_counter()
    try:
        status, detail = check(client)
    except ZtsError as error:
        status, detail = otherwise, " ".join(str(error).split())
    except Exception as error:
        # A library's own error must not hide how the other components are.
        status, detail = otherwise, f"{type(error).__name__}: {error}"
    return Component(name, status, round((time.perf_counter() - started) * 1000, 3), detail)


def _redis(client: Client) -> Answer:
    seconds = client.services.store.ping()
    answers = f"{client.services.place}, round trip {seconds * 1000:.1f} ms"
    advice = client.services.advice()
    said = "; ".join([answers, *advice.warnings, *filter(None, [advice.unchecked])])
    if advice.refuses:
        return HealthStatus.UNHEALTHY, said
    return HealthStatus.DEGRADED if advice.warnings else HealthStatus.HEALTHY, said


def _workers(client: Client) -> Answer:
    until = time.monotonic() + (BOOT_S if client.services.embedded and client.services.workers else 0)
    while not (count := client.services.workers_answer(PING_S)) and time.monotonic() < until:
        pass
    if count:
        return HealthStatus.HEALTHY, f"{count} answering"
    cure = client.services.trouble() or "start one with `celery -A zts_worker worker`"
    return HealthStatus.DEGRADED, f"no worker answers within {PING_S:.0f} s; {cure}"


def _queue(client: Client) -> Answer:
    return HealthStatus.HEALTHY, f"{counted(client.services.queue.depth(), 'message')} in it"


def _waiting(client: Client) -> Answer:
    """How long the oldest queued step of a running run has waited; Redis' and this host's clock should agree."""
    store = client.services.store
    since = [
        step.queued_ms
        for run_id in store.unfinished()[:LOOKED_AT]
        if store.run(run_id).status is RunStatus.RUNNING
        for step in store.steps(run_id)
        if step.status is StepStatus.QUEUED
    ]
    if not since:
        return HealthStatus.HEALTHY, "no step waits for a worker"
    seconds = max(0.0, time.time() - min(since) / 1000)
    status = HealthStatus.DEGRADED if seconds > LONG_WAIT_S else HealthStatus.HEALTHY
    return status, f"the oldest of {len(since)} waiting steps has waited {duration(seconds)}"


def _graph(client: Client) -> Answer:
    """A query for real, and how far results are behind. Runs need no graph, so it never makes more than degraded."""
    results = client.services.results
    if not results.has_graph:
        return HealthStatus.HEALTHY, "no graph is configured; runs need none"
    backlog = results.outbox.backlog()
    oldest = f", the oldest for {duration(backlog.oldest_s)}" if backlog.runs else ""
    behind = f"{counted(backlog.runs, 'run', none='no')} with news for it{oldest}"
    set_aside = f", {backlog.poison} ledger lines are set aside" if backlog.poison else ""
    results.graph.ask("RETURN 1", {}, limit=1)
    late = backlog.oldest_s > LONG_WAIT_S or bool(backlog.poison)
    return HealthStatus.DEGRADED if late else HealthStatus.HEALTHY, f"{results.graph.place}, {behind}{set_aside}"


def _settings(_client: Client) -> Answer:
    slips = misspelled_settings()
    return (HealthStatus.DEGRADED, "; ".join(slips)) if slips else (HealthStatus.HEALTHY, "every ZTS_ name is known")


def _metrics(client: Client) -> Answer:
    """A worker of this host, where it would serve them. Runs need none, so it is never a fault."""
    from http.client import HTTPConnection, HTTPException

    settings = client.settings
    if settings.prometheus_port == 0:
        return HealthStatus.HEALTHY, "no worker serves any (PROMETHEUS_PORT=0)"
    host = "127.0.0.1" if settings.prometheus_host in ("0.0.0.0", "::") else settings.prometheus_host  # noqa: S104
    place = f"http://{host}:{settings.prometheus_port}"
    connection = HTTPConnection(host, settings.prometheus_port, timeout=PING_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read(500).decode("utf-8", "replace").strip()
    except (OSError, HTTPException):
        return HealthStatus.HEALTHY, f"no worker on this host serves them at {place}/metrics; runs need none"
    finally:
        connection.close()
    if answer.status == 200 and said == "ready":
        return HealthStatus.HEALTHY, f"{place}/metrics"
    if answer.status == 503:
        return HealthStatus.HEALTHY, f"the worker at {place} is not ready: {said}"
    return HealthStatus.HEALTHY, f"another program answers at {place}; a worker's log names its own port"


def _workflows(client: Client) -> Answer:
    entries = client.workflows()
    broken = [entry.name for entry in entries if entry.has_errors]
    if broken:
        return HealthStatus.DEGRADED, f"{', '.join(broken)} cannot be run; see `zts workflows validate {broken[0]}`"
    return HealthStatus.HEALTHY, f"{len(entries)} workflows can be run"
