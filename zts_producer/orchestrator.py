"""Decides how asyncio programs start and follow runs: the Client's calls, each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from zts_core.errors import ServiceUnavailable
from zts_core.ports import RunRecord
from zts_core.settings import Settings
from zts_producer.client import DEFAULT_WORKFLOW, Client

if TYPE_CHECKING:
    from zts_core.workflow.problems import Problem
    from zts_producer.health import Health
    from zts_producer.library import WorkflowEntry
    from zts_producer.run_options import RunOptions
    from zts_producer.wiring import Services


@dataclass(frozen=True, slots=True)
class Project:
    """An idea with a checked workflow, on record and not yet started; its id is the id of the run it becomes."""

    project_id: str
    title: str
    workflow: str


class ZeroToShipOrchestrator:
    """Runs, for asyncio. Use it as an async context manager; errors are the Client's.

    Works without Neo4j and without Prometheus; without any Redis it starts the embedded stack.
    """

    def __init__(self, settings: Settings | None = None, *, services: Services | None = None) -> None:
        self._client = Client(settings, services=services)

    async def __aenter__(self) -> Self:
        """Connect; a Redis that does not answer is told by `health_check` and by every call that needs it."""
        try:
            await asyncio.to_thread(self._connect)
        except BaseException:
            await asyncio.to_thread(self._client.close)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._client.close)

    async def create_project(
        self,
        idea: str,
        workflow: str = DEFAULT_WORKFLOW,
        **options: Unpack[RunOptions],
    ) -> Project:
        """Check the idea (its text) and the workflow (a name or a file), and record both without starting anything."""
        from zts_producer.submission import prepare

        def create() -> RunRecord:
            return self._client.hold(prepare(self._client.settings, idea, workflow, **options))

        record = await asyncio.to_thread(create)
        return Project(record.run_id, record.title, record.workflow)

    async def execute_workflow(self, project_id: str) -> RunRecord:
        """Start a project's run, once: on one that goes on or has ended this changes nothing. Does not wait."""

        def execute() -> RunRecord:
            record = self._client.record(project_id)
            return record if record.outcome else self._client.resume(record.run_id)

        return await asyncio.to_thread(execute)

    async def run_project(
        self,
        idea: str,
        workflow: str = DEFAULT_WORKFLOW,
        **options: Unpack[RunOptions],
    ) -> RunRecord:
        """Both of them, then wait for the run's end; look at the record's `outcome` and `reason`."""

        record = await asyncio.to_thread(lambda: self._client.submit(idea, workflow, **options))
        return await self.wait(record.run_id)

    async def wait(self, project_id: str) -> RunRecord:
        """The run's record once it has ended; cancelling this leaves the run alone."""
        while (record := await asyncio.to_thread(self._client.record, project_id)).outcome is None:
            await asyncio.sleep(_LOOK_S)
        return record

    async def export(self, project_id: str, out: Path | str = "") -> Path:
        """Write the run's folder and return it."""
        return await asyncio.to_thread(self._client.export, project_id, out)

    async def validate_workflow(self, name_or_path: str) -> Sequence[Problem]:
        """All problems of a workflow by name, or of a file; without an error among them it can be run."""
        return await asyncio.to_thread(self._client.validate_workflow, name_or_path)

    async def list_available_workflows(self) -> Sequence[WorkflowEntry]:
        """The workflows of the library, by name."""
        return await asyncio.to_thread(self._client.workflows)

    async def health_check(self) -> Health:
        """Every component asked for real; never raises."""
        return await asyncio.to_thread(self._client.health)

    def _connect(self) -> None:
        with contextlib.suppress(ServiceUnavailable):
            self._client.services.store.ping()


_LOOK_S = 0.25
"""Seconds between two looks at a run that is waited for: no thread is held meanwhile."""
