"""Decides the task graph of an idea: numbered tasks in a possible order, the critical path and the milestones."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews.graph_tasks import MILESTONES, Draft, drafts_of
from zts_worker.crews.output import Answer, CrewOutput
from zts_worker.crews.reading import read_idea
from zts_worker.crews.safeguards import care_of

Hours = Annotated[float, Field(ge=0.0, le=100_000.0)]
NOT_JUDGED = (
    "How long the tasks take this team: estimates follow rules of thumb for one developer.",
    "Work that the idea does not mention.",
)


class Task(Answer):
    """A piece of work. `depends_on` holds ids of tasks that stand earlier in the list."""

    id: str = Field(pattern=r"^T\d{2,3}$")
    title: str
    description: str
    estimate_hours: Annotated[float, Field(gt=0.0, le=200.0)]
    depends_on: list[str]
    milestone: str
    entity: str | None = Field(description="Snake_case name of the thing it is about, if it is about one.")


class CriticalPath(Answer):
    """The chain of tasks that decides the earliest end: ids in order, and their hours together."""

    ids: list[str]
    hours: Hours


class Milestone(Answer):
    """A state worth showing, the tasks that lead to it and their hours together."""

    name: str
    goal: str
    tasks: list[str]
    hours: Hours


class GraphCrew:
    """Decomposes the work."""

    name: ClassVar[str] = "GraphCrew"
    namespace: ClassVar[str] = "graph"
    team: ClassVar[str] = "zts_worker.crews.graph_team:TEAM"

    class Output(CrewOutput):
        """The task graph; `failed` where nothing in the idea can be worked on."""

        status: Literal["generated", "failed"]
        reason: str
        tasks: list[Task]
        acyclic: bool = Field(description="Checked: the tasks can be done in the order given.")
        critical_path: CriticalPath
        milestones: list[Milestone]
        total_hours: Hours

    def run(self, context: StepContext) -> GraphCrew.Output:
        """Derive tasks from the idea and, where it ran, from the validation."""
        reading = read_idea(context.idea)
        if reading.unlawful or not (reading.entities or context.models):
            reason = "The idea describes something illegal." if reading.unlawful else "The idea names nothing to build."
            return _failed(reason, reading.not_judged)
        drafts = drafts_of(reading, care_of(reading), context.earlier("validation"))
        if context.models is not None:
            from zts_worker.crews.graph_team import by_team

            drafts = by_team(context.models, context, drafts)
        context.check()
        try:
            tasks = numbered(drafts)
        except CycleError as circle:
            return _failed(f"Tasks wait for each other: {circle.args[1]}", reading.not_judged)
        output = _generated(tasks, reading.not_judged, mode="model" if context.models else "offline")
        context.say(f"{len(tasks)} tasks, {output.total_hours:g} h, critical path {output.critical_path.hours:g} h")
        return output


def numbered(drafts: list[Draft]) -> list[Task]:
    """The drafts in a possible order with ids T01, T02, ...; CycleError where there is none."""
    by_key = {draft.key: draft for draft in drafts}
    after = {draft.key: [key for key in dict.fromkeys(draft.after) if key in by_key] for draft in drafts}
    order = _stable_order(after, list(by_key))
    ids = {key: f"T{at:02d}" for at, key in enumerate(order, start=1)}
    return [_task(by_key[key], ids, after[key]) for key in order]


def _stable_order(after: dict[str, list[str]], wished: list[str]) -> list[str]:
    """Dependencies first; among tasks that are free, the order of `wished`."""
    sorter = TopologicalSorter(after)
    sorter.prepare()
    rank = {key: at for at, key in enumerate(wished)}
    order: list[str] = []
    free = set(sorter.get_ready())
    while free:
        key = min(free, key=rank.__getitem__)
        free.remove(key)
        order.append(key)
        sorter.done(key)
        free.update(sorter.get_ready())
    return order


def _task(draft: Draft, ids: dict[str, str], after: list[str]) -> Task:
    return Task(
        id=ids[draft.key],
        title=draft.title,
        description=draft.description,
        estimate_hours=draft.hours,
        depends_on=sorted((ids[key] for key in after), key=lambda name: int(name[1:])),
        milestone=draft.milestone,
        entity=draft.entity,
    )


def critical_path(tasks: list[Task]) -> CriticalPath:
    """Longest chain by hours; `tasks` must be in a possible order. The earlier task wins a tie."""
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for task in tasks:
        slowest = max(task.depends_on, key=lambda name: (ends[name], -int(name[1:])), default=None)
        before[task.id] = slowest
        ends[task.id] = task.estimate_hours + (ends[slowest] if slowest else 0.0)
    last: str | None = max(ends, key=lambda name: ends[name], default=None)
    hours = ends[last] if last else 0.0
    path: list[str] = []
    while last:
        path.append(last)
        last = before[last]
    return CriticalPath(ids=path[::-1], hours=round(hours, 2))


def _milestones(tasks: list[Task]) -> list[Milestone]:
    found = []
    for name, goal in MILESTONES:
        mine = [task for task in tasks if task.milestone == name]
        if mine:
            hours = round(sum(task.estimate_hours for task in mine), 2)
            found.append(Milestone(name=name, goal=goal, tasks=[task.id for task in mine], hours=hours))
    return found


def _generated(tasks: list[Task], unread: tuple[str, ...], *, mode: Literal["offline", "model"]) -> GraphCrew.Output:
    path = critical_path(tasks)
    return GraphCrew.Output(
        mode=mode,
        not_judged=[*unread, *NOT_JUDGED],
        status="generated",
        reason=f"{len(tasks)} tasks; the longest chain has {len(path.ids)}.",
        tasks=tasks,
        acyclic=True,
        critical_path=path,
        milestones=_milestones(tasks),
        total_hours=round(sum(task.estimate_hours for task in tasks), 2),
    )


def _failed(reason: str, unread: tuple[str, ...]) -> GraphCrew.Output:
    return GraphCrew.Output(
        mode="offline",
        not_judged=list(unread),
        status="failed",
        reason=reason,
        tasks=[],
        acyclic=False,
        critical_path=CriticalPath(ids=[], hours=0.0),
        milestones=[],
        total_hours=0.0,
    )
