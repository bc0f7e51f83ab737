"""Decides what a program can do with runs: submit, follow, look, steer, export. The command line is built on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from zts_core.errors import BadInput, ServiceUnavailable, UnknownRun
from zts_core.ports import LedgerEntry, RunRecord, StepMessage, StepRecord
from zts_core.run import Ending, Outcome, RunStatus, StepStatus
from zts_core.settings import Settings, read_settings
from zts_producer.approvals import the_open_one, user_name
from zts_producer.lookup import find_run
from zts_producer.outage import Outage
from zts_producer.tracing import submitting
from zts_producer.wiring import Say, Services

if TYPE_CHECKING:
    from zts_core.audit import AuditTrail
    from zts_core.ports import Created, NewRun
    from zts_core.workflow.plan import Plan
    from zts_core.workflow.problems import Problem
    from zts_producer.health import Health
    from zts_producer.library import WorkflowEntry
    from zts_producer.run_options import MoreBudgetOptions, RunOptions
    from zts_producer.submission import Submission
    from zts_producer.view import RunView

T = TypeVar("T")

DEFAULT_WORKFLOW = "default_software_build"
LOOK_S = 1.0
"""Longest time in seconds that one look at the ledger waits for something new."""
AT_ONCE = 100
"""Runs that are recorded in one round trip: enough to hide its time, few enough that nobody waits long for Redis."""


def _silent(_line: str) -> None:
    pass


class Client:
    """Runs and workflows, synchronously. Opens what it needs when it is needed; use it as a context manager.

    With `workers=False` an embedded stack is started without workers, for looking only. `say` hears, in one line
    each, what a person should know meanwhile. Wherever a run is asked for, an unambiguous beginning of its id, its
    folder's name or `last` do as well; UnknownRun where there is none. Every call may raise ServiceUnavailable.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        workers: bool = True,
        say: Say = _silent,
        services: Services | None = None,
    ) -> None:
        self.settings = settings or read_settings()
        self.services = services or Services(self.settings, workers=workers, say=say)
        self._say = say

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back and leave the embedded stack."""
        self.services.close()

    # starting

    def submit(
        self,
        idea: str,
        workflow: str = DEFAULT_WORKFLOW,
        **options: Unpack[RunOptions],
    ) -> RunRecord:
        """Check everything, then record a run and start it; with a `key` used before, the run it started.

        `workflow` is a name or a file; `RunOptions` has the options. Raises BadInput before anything is recorded.
        """
        from zts_producer.submission import prepare

        return self.start(prepare(self.settings, idea, workflow, **options))

    def submit_many(
        self,
        ideas: Iterable[str],
        workflow: str = DEFAULT_WORKFLOW,
        *,
        keys: Iterable[str] | None = None,
        **options: Unpack[RunOptions],
    ) -> list[str]:
        """Check every idea, then record and start a run for each; their ids, in the order of the ideas.

        `keys`: one per idea, each as `key` of `submit`, which makes the call safe to repeat. `RunOptions` hold for all
        of them. Raises BadInput before anything is recorded. Does not look for earlier runs with the same idea.
        """
        from zts_producer.submission import prepare_many

        if options.get("key"):
            raise BadInput("one key for several ideas would start one run only; give `keys`, one for each idea")
        plan, news = prepare_many(self.settings, ideas, workflow, keys=keys, **options)
        self.services.store.ping()
        found: list[str] = []
        for first in range(0, len(news), AT_ONCE):
            batch = news[first : first + AT_ONCE]
            found += [created.run_id for created in self._patiently(partial(self._start_all, batch, plan))]
        return found

    def _start_all(self, news: Sequence[NewRun], plan: Plan) -> Sequence[Created]:
        with ExitStack() as spans:
            traced = [spans.enter_context(submitting(self.services.tracer, new)) for new in news]
            return self.services.dispatcher.start_runs(traced, plan)

    def start(self, submission: Submission) -> RunRecord:
        """Record and start what `prepare` has checked; safe to repeat, so a short outage is waited out."""
        store = self.services.store
        store.ping()
        new = self._with_seen(submission.new)
        return self._patiently(lambda: self._recorded(new, submission.plan))

    def _patiently(self, record: Callable[[], T]) -> T:
        until = time.monotonic() + self.settings.submit_deadline
        while True:
            try:
                return record()
            except ServiceUnavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def hold(self, submission: Submission) -> RunRecord:
        """Record what `prepare` has checked, paused: `resume` starts it."""
        return self._recorded(self._with_seen(replace(submission.new, paused=True)), submission.plan)

    def _recorded(self, new: NewRun, plan: Plan) -> RunRecord:
        with submitting(self.services.tracer, new) as traced:
            created = self.services.dispatcher.start_run(traced, plan)
        if not created.existed:
            self.services.ideas.remember(created.run_id, new.idea, deadline_s=new.deadline_s)
        return self.services.store.run(created.run_id)

    def _with_seen(self, new: NewRun) -> NewRun:
        """With the runs whose ideas are alike, fixed now: whatever is tried or replayed later sees the same."""
        return replace(new, seen_before=self.services.ideas.alike(new.idea))

    # looking

    def find(self, run: str) -> str:
        """The full id of a run."""
        return find_run(self.services.store, run, place=self.services.place)

    def record(self, run: str) -> RunRecord:
        """A run's record."""
        return self.services.store.run(self.find(run))

    def list(self, limit: int = 20) -> Sequence[RunRecord]:
        """The newest runs first."""
        return self.services.store.runs(limit=limit)

    def status(self, run: str) -> RunView:
        """Where a run stands, node by node."""
        from zts_producer.view import run_view

        store = self.services.store
        run_id = self.find(run)
        record = store.run(run_id)
        plan = store.plan(record.plan_digest)
        return run_view(record, plan, steps=store.steps(run_id), ledger=store.ledger(run_id))

    def plan(self, record: RunRecord) -> Plan:
        """The workflow as it was when the run was submitted."""
        return self.services.store.plan(record.plan_digest)

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        """A run's steps in the order they started."""
        return self.services.store.steps(run_id)

    def look(self, run_id: str, *, after: str = "0", wait_s: float = LOOK_S) -> Sequence[LedgerEntry]:
        """The ledger's lines after an entry; waits up to `wait_s` seconds for the first."""
        wait_s = min(wait_s, self.settings.redis_timeout / 2)
        return tuple(self.services.store.follow(run_id, after=after, wait_s=wait_s))

    def follow(self, run: str) -> Iterator[LedgerEntry]:
        """The run's whole ledger, line by line as it is written, until the run has ended."""
        for entries in self.looks(self.find(run)):
            yield from entries

    def looks(
        self, run_id: str, *, wait_s: float = LOOK_S, say: Callable[[str], None] = _silent
    ) -> Iterator[Sequence[LedgerEntry]]:
        """What is new in the ledger, look by look, until the run has ended; a short outage is waited out.

        `say` hears of an outage and of its end.
        """
        after = "0"
        outage = Outage(say)
        while True:
            try:
                entries: Sequence[LedgerEntry] = self.look(run_id, after=after, wait_s=wait_s)
                over = not entries and self.services.store.run(run_id).status is RunStatus.FINISHED
                outage.is_over()
            except UnknownRun:
                raise UnknownRun(
                    f"run {run_id} was accepted and is gone: its Redis was restarted or replaced and has lost it, "
                    "or its time was over; submit it again"
                ) from None
            except ServiceUnavailable as error:
                if not outage.may_go_on(error):
                    raise
                time.sleep(min(wait_s, 0.5))
                entries, over = (), False
            yield entries
            # A run that was opened again has an end in the middle of its ledger.
            ends = [entry.kind for entry in entries if entry.kind in ("run_finished", "run_reopened")]
            if over or ends[-1:] == ["run_finished"]:
                return
            after = entries[-1].id if entries else after

    def wait(self, run: str) -> RunRecord:
        """The run's record once it has ended."""
        run_id = self.find(run)
        for _ in self.follow(run_id):
            pass
        return self.services.store.run(run_id)

    # steering

    def cancel(self, run: str, *, reason: str = "cancelled by a person") -> RunRecord:
        """Stop a run: nothing starts any more, and what is at work is told to stop."""
        record = self._unfinished(run, "be cancelled")
        self.services.store.withdraw(record.run_id, outcome=Outcome.CANCELLED, reason=reason)
        self.services.dispatcher.advance_run(record.run_id, stop=Ending(Outcome.CANCELLED, reason))
        return self.services.store.run(record.run_id)

    def pause(self, run: str) -> RunRecord:
        """Let no further attempt start; what is at work goes on to its end."""
        record = self._unfinished(run, "be paused")
        self.services.store.pause(record.run_id, paused=True)
        return self.services.store.run(record.run_id)

    def resume(self, run: str) -> RunRecord:
        """Let a paused run go on, or take up again one that was cut short; changes nothing on any other."""
        record = self._unfinished(run, "go on")
        self.services.store.pause(record.run_id, paused=False)
        self.take_up(record.run_id)
        return self.services.store.run(record.run_id)

    def take_up(self, run_id: str) -> None:
        """Send again what waits for a worker and decide what has settled: a hint lost in the queue is made good."""
        self.services.dispatcher.advance_run(run_id)
        queued = [step for step in self.steps(run_id) if step.status is StepStatus.QUEUED and step.waits is None]
        priority = self.services.dispatcher.priority_of(run_id)
        messages = [StepMessage(run_id, step.seq, step.state, step.crew, priority=priority) for step in queued]
        self.services.dispatcher.send_again(messages)

    def approve(self, run: str, state: str = "", *, by: str = "", comment: str = "") -> StepRecord:
        """Answer yes to the approval that waits; `state` is needed where several do."""
        return self._answer(run, state, approved=True, by=by, comment=comment)

    def reject(self, run: str, state: str = "", *, by: str = "", comment: str = "") -> StepRecord:
        """Answer no to the approval that waits."""
        return self._answer(run, state, approved=False, by=by, comment=comment)

    def _answer(self, run: str, state: str, *, approved: bool, by: str, comment: str) -> StepRecord:
        record = self._unfinished(run, "take an answer")
        open_ones = [step for step in self.steps(record.run_id) if step.status is StepStatus.WAITING]
        step = the_open_one(open_ones, state, record.run_id)
        answered = self.services.store.answer(
            record.run_id, step.seq, approved=approved, by=by or user_name(), comment=comment
        )
        if not answered:
            raise BadInput(f"{step.state} of run {record.run_id} has been answered already; see `zts status`")
        self.services.dispatcher.advance_run(record.run_id)
        return step

    # again

    def retry(self, run: str, **limits: Unpack[MoreBudgetOptions]) -> RunRecord:
        """Open an ended run again at the steps that failed; changes nothing on one that is open.

        `limits` replace the run's own; what it has spent counts on. Raises BadInput where its end is
        none that a retry can change.
        """
        from zts_core.reviving import Reviver
        from zts_producer.submission import more_budget

        run_id = self.find(run)
        more = more_budget(self.plan(self.record(run_id)), **limits)
        Reviver(self.services.dispatcher).retry_run(run_id, more=more)
        return self.services.store.run(run_id)

    def replay(self, run: str, from_state: str, *, reuse_answers: bool = False) -> RunRecord:
        """Start a new run on the workflow of an old one, with every result that had come before a state.

        With `reuse_answers` its model calls take answers that were given to the same requests before. Raises
        BadInput where the old run did not come to that state.
        """
        from zts_core.reviving import Reviver
        from zts_producer.submission import once_more

        store, old = self.services.store, self.record(run)
        new = once_more(old, idea=store.idea(old.run_id), reuse_answers=reuse_answers)
        reviver = Reviver(self.services.dispatcher)
        created = reviver.replay_run(old.run_id, new, from_state=from_state, files=self.services.artifacts)
        return store.run(created.run_id)

    def audit(self, run: str) -> AuditTrail:
        """The run's history with the chain that was made with it; empty chain where its workflow asks for none."""
        return self.services.store.audit_trail(self.find(run))

    def delete(self, run: str, *, without_key: bool = False) -> RunRecord:
        """Drop a run that has ended: from the graph where there is one, its files, recorded answers, and the store.

        The store comes last, so that a deletion that was cut short can be asked for again. Raises BadInput where the
        run has not ended; `without_key` drops it all the same where nobody could end it, for its key is lost.
        """
        record = self.record(run)
        lost = without_key and bool(self.services.store.key_lacking(record.run_id))
        if record.outcome is None and not lost:
            if record.status is RunStatus.ENDING:
                raise BadInput(f"run {record.run_id} is ending: its crews are told to stop; delete it in a moment")
            raise BadInput(
                f"run {record.run_id} has not ended and cannot be deleted; `zts cancel {record.run_id}` first"
            )
        if self.services.results.has_graph:
            self.services.results.graph.forget([record.run_id])
        self.services.artifacts.forget(record.run_id)
        self.services.store.delete(record.run_id, unfinished=lost)
        return record

    def _unfinished(self, run: str, wish: str) -> RunRecord:
        record = self.record(run)
        if record.outcome is not None:
            raise BadInput(
                f"run {record.run_id} has ended as {record.outcome} and cannot {wish}; see `zts status {record.run_id}`"
            )
        return record

    # workflows, health, results

    def workflows(self) -> Sequence[WorkflowEntry]:
        """The workflows of the library, by name."""
        from zts_producer.library import entries

        return entries(self.settings)

    def validate_workflow(self, name_or_path: str) -> Sequence[Problem]:
        """All problems of a workflow by name, or of a file; without an error among them it can be run."""
        from zts_producer.library import problems_of

        return problems_of(self.settings, name_or_path)

    def health(self) -> Health:
        """Every component asked for real; never raises."""
        from zts_producer.health import check_health

        return check_health(self)

    def export(self, run: str, out: Path | str = "") -> Path:
        """Write the run's folder `<out>/<slug>-<id>` and return it; again gives the same folder, up to date."""
        from zts_producer.report import export_run

        return export_run(self, self.find(run), out)
