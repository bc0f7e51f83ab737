"""Decides which of an agent's changes stay: those after which everything still holds, one task at a time.

The start is what the rules made. A task's files take its place only when the proof finds nothing that was not wrong
before; so a weak model cannot leave less than the rules did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zts_core.crew import Models, Role, StepContext
from zts_core.errors import AgentFailed
from zts_worker.crews.workshop.folder import Files, WorkFolder
from zts_worker.crews.workshop.working import LEAST_SECONDS, Bench, work

REPAIRS = 2
"""How often a task's failed proof is handed back to the agent."""
MOST_TASKS = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """What does not hold, by id: a sentence with its evidence. Empty where everything does."""

    troubles: Mapping[str, str] = field(default_factory=dict)
    tests: int = 0

    def new_since(self, before: Proof) -> list[str]:
        """What was not wrong before."""
        return [told for name, told in self.troubles.items() if name not in before.troubles]


@dataclass(frozen=True, slots=True)
class Task:
    """What an agent has to change; `must_clear` is a trouble that has to be gone afterwards."""

    title: str
    detail: str
    must_clear: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: the files it changed, and why it was left where it was."""

    task: Task
    kept: bool
    files: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Where tasks are carried out: by whom, what is kept as it is, and how a state is proved and tested."""

    role: Role[Any]
    is_kept: Callable[[str], bool]
    prove: Callable[[Mapping[str, bytes]], Proof]
    test: Callable[[Mapping[str, bytes]], str]
    given: Mapping[str, Any]


@dataclass
class Improved:
    """The best state that was proved, and what became of each task."""

    files: Files
    proof: Proof
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def changed(self) -> list[str]:
        """Files of tasks that stayed, sorted."""
        return sorted({path for outcome in self.outcomes if outcome.kept for path in outcome.files})


def improve(
    models: Models, context: StepContext, site: Site, files: Mapping[str, bytes], tasks: Sequence[Task]
) -> Improved:
    """Carry out `tasks` one after the other on the best state so far.

    AgentFailed ends the work and not the step; all else that `Models.ask` raises is let through.
    """
    best = Improved(dict(files), site.prove(files))
    failed, begun = "", 0
    for task in tasks:
        if task.must_clear and task.must_clear not in best.proof.troubles and best.changed:
            best.outcomes.append(Outcome(task, True, tuple(best.changed), "gone with the change before"))
            continue
        reason = failed or _no_time(context) or ("" if begun < MOST_TASKS else f"{MOST_TASKS} tasks at most")
        if reason:
            best.outcomes.append(Outcome(task, False, reason=reason))
            continue
        begun += 1
        context.say(f"{site.role.name} works on: {task.title}")
        try:
            best.outcomes.append(_carried_out(models, context, site, best, task))
        except AgentFailed as failure:
            failed = str(failure)
            best.outcomes.append(Outcome(task, False, reason=failed))
    return best


def unplanned(site: Site, files: Mapping[str, bytes], failure: AgentFailed) -> Improved:
    """`files` as they are, where no plan came about."""
    task = Task("what to add to what the rules made", "")
    return Improved(dict(files), site.prove(files), [Outcome(task, False, reason=str(failure))])


def _no_time(context: StepContext) -> str:
    return "" if context.seconds_left > LEAST_SECONDS else "no time was left in this step"


def _carried_out(models: Models, context: StepContext, site: Site, best: Improved, task: Task) -> Outcome:
    bench = Bench(site.role, WorkFolder(best.files, is_kept=site.is_kept), site.test, site.role.most_calls)
    given = {**site.given, "Task": f"{task.title}\n\n{task.detail}"}
    wrong = ["nothing was changed"]
    proved = best.files
    for _ in range(1 + REPAIRS):
        work(models, context, bench, given)
        changed = tuple(bench.folder.changed)
        if bench.folder.files == proved:  # what was proved once, or was there from the start, is given up
            break
        proved = dict(bench.folder.files)
        proof = site.prove(bench.folder.files)
        wrong = _wrong(proof, best.proof, task)
        if not wrong:
            best.files, best.proof = dict(bench.folder.files), proof
            return Outcome(task, True, changed)
        if bench.moves_left <= 0 or _no_time(context):
            break
        bench.note("The proof failed. Repair this:\n" + "\n".join(_cut(wrong)))
    return Outcome(task, False, reason=f"left out: {wrong[0][:300]}")


def _wrong(proof: Proof, before: Proof, task: Task) -> list[str]:
    left = [proof.troubles[task.must_clear]] if task.must_clear in proof.troubles else []
    fewer = [f"{before.tests - proof.tests} tests are gone"] if proof.tests < before.tests else []
    return [*proof.new_since(before), *left, *fewer]


def _cut(wrong: Iterable[str]) -> list[str]:
    return [told[:1200] for told in list(wrong)[:4]]
