"""What a run must look like in the graph, worked out from the store alone and without the feed's own code."""

from __future__ import annotations

from collections import Counter
from typing import Any

from zts_core.graph.port import ResultGraph
from zts_core.ports import LedgerEntry, StepRecord
from zts_core.redis_store import RedisStore
from zts_core.run import Ref, StepStatus

DECISIONS = {
    "gate": "gate",
    "gate_passed": "gate",
    "stopping": "stop",
    "run_reopened": "reopened",
    "loop_left": "break",
    "loop_exhausted": "exhausted",
    "escalated": "escalation",
    "halted": "halt",
    "approval_answered": "approval",
    "failure_tolerated": "tolerated",
}


def expected(store: RedisStore, run_id: str) -> dict[str, Any]:
    """A finished run by its records: outcome, steps, attempts, files, decisions, and which outputs count."""
    record, steps, ledger = store.run(run_id), store.steps(run_id), store.ledger(run_id)
    done = store.results(run_id, [step.seq for step in steps if step.status is StepStatus.DONE])
    return {
        "run": [record.title, record.workflow, "finished", record.outcome, record.reason, record.max_steps],
        "steps": {step.seq: [step.state, step.crew, step.status.value, step.attempt] for step in steps},
        "attempts": attempts(ledger),
        "bills": bills(ledger),
        "files": sorted([seq, path, digest] for seq, r in done.items() for path, (digest, _) in r.artifacts.items()),
        "outputs": {seq: result.output["score"] for seq, result in done.items() if "score" in result.output},
        "findings": {seq: len(r.output["change_requests"]) for seq, r in done.items() if r.output["change_requests"]},
        "decisions": Counter(DECISIONS[entry.kind] for entry in ledger if entry.kind in DECISIONS),
        "effective": effective(steps, store, run_id),
        "replayed": [list(e.detail.values())[:2] for e in ledger if e.kind == "replayed"],
        "reused": {e.seq: e.detail["origin"] for e in ledger if e.kind == "step_reused"},
    }


def attempts(ledger: list[LedgerEntry] | Any) -> dict[tuple[int, int], str]:
    """How each attempt ended, by step and number; what was at work when the run ended was lost."""
    found: dict[tuple[int, int], str] = {}
    ends = {"attempt_failed": "failed", "lease_expired": "lost"}
    for entry in ledger:
        name = (entry.seq, entry.detail.get("attempt", 0))
        if entry.kind == "attempt_started":
            found[name] = "lost"
        elif name in found:
            found[name] = ends.get(entry.kind) or entry.kind.removeprefix("step_")
    return found


def bills(ledger: list[LedgerEntry] | Any) -> dict[tuple[int, int], list[float]]:
    """Dollars, tokens, paid calls and reused answers of each attempt that called a model."""
    found: dict[tuple[int, int], list[float]] = {}
    for entry in ledger:
        if entry.kind == "model_call":
            told, reused = (
                found.setdefault((entry.seq, entry.detail["attempt"]), [0, 0, 0, 0]),
                "reused" in entry.detail,
            )
            call = (entry.detail["usd"], entry.detail["tokens"], not reused, reused)
            told[:] = [round(one + other, 6) for one, other in zip(told, call, strict=True)]
    return found


def effective(steps: Any, store: RedisStore, run_id: str) -> set[int]:
    """Of each node, and each item of a foreach, the newest step whose output was committed."""
    newest: dict[tuple[str, str], StepRecord] = {}
    for step in steps:
        if step.status is StepStatus.DONE and step.crew:
            item = step.state.rpartition("[")[2] if step.state.endswith("]") else ""
            newest[step.path, item] = step
    counted = {step.seq for step in newest.values()}
    assert {seq for ref in store.data(run_id).values() for seq in named(ref)} <= counted
    return counted


def named(ref: Ref) -> set[int]:
    if isinstance(ref, int):
        return {ref}
    if "of" in ref:
        return {seq for each in ref["of"] for seq in named(each)}
    return {seq for first, last in ref["items"] for seq in range(first, last + 1)}


def found(graph: ResultGraph, run_id: str) -> dict[str, Any]:
    """The same, asked of the graph."""

    def ask(cypher: str) -> Any:
        return graph.ask(cypher, {"id": run_id}, limit=100_000).rows

    step = "MATCH (r:Run {id: $id})-[:HAS_STEP]->(s:Step) "
    return {
        "run": ask("MATCH (r:Run {id: $id}) RETURN r.title, r.workflow, r.status, r.outcome, r.reason, r.max_steps")[0],
        "steps": {
            row[0]: row[1:] for row in ask(step + "RETURN s.seq, s.state, s.crew, s.status, coalesce(s.attempts, 0)")
        },
        "attempts": {
            (seq, number): status
            for seq, number, status in ask(step + "MATCH (s)-[:HAS_ATTEMPT]->(a) RETURN s.seq, a.number, a.status")
        },
        "bills": {
            (seq, number): list(bill)
            for seq, number, *bill in ask(
                step + "MATCH (s)-[:HAS_ATTEMPT]->(a) WHERE a.calls IS NOT NULL "
                "RETURN s.seq, a.number, a.cost, a.tokens, a.calls, a.answers_reused"
            )
        },
        "files": sorted(ask(step + "MATCH (s)-[m:MADE]->(f) RETURN s.seq, m.path, f.digest")),
        "outputs": dict(ask(step + "WITH s WHERE s.out_score IS NOT NULL RETURN s.seq, s.out_score")),
        "findings": dict(ask(step + "MATCH (s)-[:FOUND]->(f) RETURN s.seq, count(f)")),
        "decisions": Counter(kind for (kind,) in ask("MATCH (:Run {id: $id})-[:DECIDED]->(d) RETURN d.kind")),
        "effective": {seq for (seq,) in ask(step + "WITH s WHERE s.effective = true RETURN s.seq")},
        "replayed": ask("MATCH (r:Run {id: $id})-[:REPLAYS]->(o) RETURN o.id, r.replay_from"),
        "reused": {
            seq: int(origin.rpartition("#")[2])
            for seq, origin in ask(step + "MATCH (s)-[:REUSES]->(o) RETURN s.seq, o.id")
        },
    }
