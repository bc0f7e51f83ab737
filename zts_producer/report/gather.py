"""Decides what a report knows: everything about a run, read once, in the form in which it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from zts_core.artifacts import safe_path
from zts_core.audit import AuditTrail
from zts_core.errors import BadInput
from zts_core.outputs import output_at, steps_of
from zts_core.ports import LedgerEntry, RunRecord, StepRecord, StepResult
from zts_core.run import Ref
from zts_core.workflow.plan import Plan
from zts_producer.calls import Bill, bill_of
from zts_producer.journal import Journal, Line
from zts_producer.narrate import Narrator
from zts_producer.report.refs import effective
from zts_producer.times import now_ms, run_seconds, step_seconds
from zts_producer.view import RunView, run_view

if TYPE_CHECKING:
    from zts_producer.client import Client

DECISIONS = {
    "gate",
    "gate_passed",
    "loop_left",
    "loop_exhausted",
    "escalated",
    "approval_asked",
    "approval_answered",
    "failure_tolerated",
    "halted",
    "stopping",
    "cancelled",
}
"""Kinds of ledger lines that say why the run went the way it went."""


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A file a crew made: where it goes in the run's folder, whose it is, its SHA-256 and its size in bytes."""

    path: str
    namespace: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step as the report tells it."""

    step: StepRecord
    seconds: float
    namespace: str
    mode: str
    files: int


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the ledger in words."""

    at_ms: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known about a run."""

    view: RunView
    plan: Plan
    idea: str
    seconds: float
    steps: tuple[StepLine, ...]
    decisions: tuple[Told, ...]
    history: tuple[Told, ...]
    ledger: tuple[LedgerEntry, ...]
    results: Mapping[int, StepResult]
    outputs: Mapping[str, Mapping[str, Any]]
    not_judged: Mapping[str, Sequence[str]]
    files: tuple[ShippedFile, ...]
    audit: AuditTrail
    log: tuple[Line, ...] = ()

    @property
    def bill(self) -> Bill:
        """What its model calls cost."""
        return bill_of(self.ledger)

    @property
    def record(self) -> RunRecord:
        """The run's record."""
        return self.view.record


def gather(client: Client, run_id: str) -> Report:
    """Read everything about a run."""
    store = client.services.store
    record = store.run(run_id)
    plan = store.plan(record.plan_digest)
    steps = store.steps(run_id)
    ledger = tuple(store.ledger(run_id))
    results = store.results(run_id, [step.seq for step in steps])
    refs = effective(store.data(run_id), results)
    outputs = {namespace: output_at(refs[namespace], results) for namespace in _in_order(refs, results)}
    history = tuple(_told(ledger))
    view = run_view(record, plan, steps=steps, ledger=ledger)
    return Report(
        view=view,
        plan=plan,
        idea=store.idea(run_id),
        seconds=run_seconds(record, now_ms()),
        steps=tuple(_step_line(step, results.get(step.seq)) for step in steps),
        decisions=tuple(told for told in history if told.kind in DECISIONS),
        history=history,
        ledger=ledger,
        results=results,
        outputs=outputs,
        not_judged={name: sentences for name, output in outputs.items() if (sentences := _not_judged(output))},
        files=shipped_files(refs, results),
        audit=store.audit_trail(run_id),
        log=tuple(Journal(client.services.run_log, run_id).read(ledger)),
    )


def outputs_of(client: Client, run_id: str) -> dict[str, dict[str, Any]]:
    """What each namespace holds in the end."""
    store = client.services.store
    results = store.results(run_id, [step.seq for step in store.steps(run_id)])
    return {name: dict(output_at(ref, results)) for name, ref in effective(store.data(run_id), results).items()}


def shipped_files(refs: Mapping[str, Ref], results: Mapping[int, StepResult]) -> tuple[ShippedFile, ...]:
    """The files of every namespace with their places in the run's folder.

    A file keeps its crew's path where its top folder is that namespace's alone; everything else goes below a folder
    named like the namespace. Several steps of one namespace share that rule, a later one's file replaces an earlier's.
    """
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for namespace, ref in refs.items():
        for seq in steps_of(ref):
            for path, kept in (results[seq].artifacts if seq in results else {}).items():
                if _is_safe(path):
                    found[namespace, path] = kept
    owners = Counter(top for top, _ in {(_top(path), namespace) for namespace, path in found})
    reserved = set(refs)
    placed = (
        ShippedFile(_place(namespace, path, owners, reserved), namespace, *kept)
        for (namespace, path), kept in found.items()
    )
    return tuple(sorted(placed, key=lambda file: file.path))


def _place(namespace: str, path: str, owners: Mapping[str, int], reserved: set[str]) -> str:
    top = _top(path)
    at_home = top and owners[top] == 1 and (top == namespace or top not in reserved)
    return path if at_home else f"{namespace}/{path}"


def _top(path: str) -> str:
    parts = PurePosixPath(path).parts
    return parts[0] if len(parts) > 1 else ""


def _is_safe(path: str) -> bool:
    try:
        return safe_path(path) == path
    except BadInput:
        return False


def _in_order(refs: Mapping[str, Ref], results: Mapping[int, StepResult]) -> list[str]:
    """Namespaces in the order in which they were first written."""
    first = {results[seq].namespace: seq for seq in sorted(results, reverse=True)}
    return sorted(refs, key=lambda namespace: (first.get(namespace, 0), namespace))


def _step_line(step: StepRecord, result: StepResult | None) -> StepLine:
    mode = str(result.output.get("mode", "")) if result else ""
    files = len(result.artifacts) if result else 0
    return StepLine(step, step_seconds(step, now_ms()), result.namespace if result else "", mode, files)


def _told(ledger: Sequence[LedgerEntry]) -> Iterator[Told]:
    narrator = Narrator()
    for entry in ledger:
        if words := narrator.tell(entry):
            yield Told(entry.at_ms, entry.kind, words)


def _not_judged(output: Mapping[str, Any]) -> Sequence[str]:
    sentences = output.get("not_judged")
    return [str(sentence) for sentence in sentences] if isinstance(sentences, list | tuple) else []
