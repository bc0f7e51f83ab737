"""Decides how decisions, steps and results are written into Redis and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zts_core.advance import SAME_VISITS
from zts_core.audit import AuditLine, digest
from zts_core.decision import ApprovalStart, Decision, Reused, StepStart
from zts_core.likeness import SeenBefore
from zts_core.limits import Budget, MoreBudget
from zts_core.ports import DeadLetter, LedgerEntry, NewRun, RunRecord, StepRecord, StepResult, Waits
from zts_core.run import Ending, JsonValue, Outcome, Priority, RunStatus, StepStatus, dumps

EFFECTS = ("step_done", "step_reused")
"""Lines of the ledger that tell of an effect."""

MICRO = 1_000_000
"""Redis counts whole numbers: money is kept in millionths of a dollar."""


def decision_json(decision: Decision, *, retention_ms: int, written: Callable[[StepResult], str] | None = None) -> str:
    """What `prelude.lua` applies; `written` says how an effect stands in Redis."""
    state = decision.state.to_json()
    return dumps(
        {
            "state": state,
            "status": _status(decision),
            "started": decision.state.started,
            "starts": [[start.seq, start.state, start_json(start), start.join] for start in decision.starts],
            "approvals": [_approval(asked) for asked in decision.approvals],
            "visits": decision.visits,
            "same_visits": SAME_VISITS,
            "consumed": decision.consumed,
            "closed": decision.closed,
            "reused": [_reused(reused, written or result_json) for reused in decision.reused],
            "window": decision.window,
            "push": [[packed.queue, packed.payload] for packed in decision.push],
            "events": [[event.kind, event.seq, dumps(event.detail)] for event in decision.events],
            **({"finish": [*_ending(decision.finish), retention_ms]} if decision.finish else {}),
        }
    )


def _status(decision: Decision) -> RunStatus:
    if decision.finish:
        return RunStatus.FINISHED
    if decision.state.ending:
        return RunStatus.ENDING
    return RunStatus.WAITING if decision.asks_only else RunStatus.RUNNING


def _ending(ending: Ending) -> list[str]:
    return [ending.outcome, ending.reason]


def start_json(start: StepStart) -> str:
    """A step as it was decided: all that a worker needs to run it, without inputs or outputs."""
    return dumps(
        {
            "state": start.state,
            "path": start.path,
            "crew": start.crew,
            # Before all values of a user's own: the scripts look for their names.
            "join": start.join,
            **({"max_concurrent": start.max_concurrent} if start.max_concurrent else {}),
            "timeout": start.timeout,
            "retry_attempts": start.retry_attempts,
            "values": start.values,
            "inputs": start.inputs,
            "workflow": start.workflow,
            "item": start.item,
        }
    )


def _reused(reused: Reused, written: Callable[[StepResult], str]) -> list[str | int]:
    text = written(StepResult(reused.namespace, reused.output, reused.artifacts))
    detail = {"origin": reused.origin, "namespace": reused.namespace, "digest": reused.digest, "sha256": digest(text)}
    return [reused.start.seq, start_json(reused.start), text, dumps(detail)]


def _approval(asked: ApprovalStart) -> list[Any]:
    static = {
        "state": asked.state,
        "path": asked.path,
        "crew": "",
        "prompt": asked.prompt,
        "on_timeout": asked.on_timeout,
    }
    timeout_ms = int((asked.timeout or 0) * 1000)
    return [asked.seq, asked.state, dumps(static), timeout_ms, dumps({"state": asked.state, "prompt": asked.prompt})]


def result_json(result: StepResult) -> str:
    return dumps({"namespace": result.namespace, "output": result.output, "artifacts": result.artifacts})


def result_of(raw: Mapping[str, Any]) -> StepResult:
    artifacts = {path: (digest, size) for path, (digest, size) in raw["artifacts"].items()}
    return StepResult(raw["namespace"], raw["output"], artifacts)


def run_record(run_id: str, raw: Mapping[str, str]) -> RunRecord:
    """A run from its hash; `paused` covers the status below it."""
    status = RunStatus(raw["status"])
    if raw.get("paused") and status in (RunStatus.RUNNING, RunStatus.WAITING):
        status = RunStatus.PAUSED
    outcome = raw.get("outcome")
    own = budget_in(raw.get("budget_usd"), raw.get("budget_tokens"))
    return RunRecord(
        run_id=run_id,
        title=raw.get("title", ""),
        workflow=raw["workflow"],
        status=status,
        outcome=Outcome(outcome) if outcome else None,
        reason=raw.get("reason", ""),
        plan_digest=raw["plan"],
        created_ms=int(raw["created"]),
        finished_ms=int(raw.get("finished", 0)),
        deadline_ms=int(raw["deadline"]),
        max_steps=int(raw["max_steps"]),
        started=int(raw.get("started", 0)),
        key=raw.get("key", ""),
        out=raw.get("out", ""),
        values=json.loads(raw.get("values") or "{}"),
        budget_usd=own.usd,
        budget_tokens=own.tokens,
        crew_budgets=crew_budgets(raw.get("crew_budgets")),
        priority=Priority(raw.get("priority") or Priority.NORMAL),
        reuse_answers=bool(raw.get("reuse_answers")),
        seen_before=tuple(SeenBefore(**seen) for seen in json.loads(raw.get("seen_before") or "[]")),
    )


def step_records(raw: Mapping[str, str]) -> list[StepRecord]:
    """All steps of a run from its steps hash, in the order they started."""
    seqs = sorted(int(name) for name in raw if name.isdigit())
    return [_step_record(seq, raw) for seq in seqs]


def _step_record(seq: int, raw: Mapping[str, str]) -> StepRecord:
    static = json.loads(raw[str(seq)])

    def number(name: str) -> int:
        return int(raw.get(f"{seq}:{name}") or 0)

    status = StepStatus(raw[f"{seq}:status"])
    return StepRecord(
        seq=seq,
        state=static["state"],
        path=static["path"],
        crew=static["crew"],
        status=status,
        attempt=number("attempt"),
        failures=number("failures"),
        worker=raw.get(f"{seq}:worker", ""),
        queued_ms=number("queued"),
        started_ms=number("started"),
        ended_ms=number("ended"),
        due_ms=number("due"),
        error=raw.get(f"{seq}:error", ""),
        line=raw.get(f"{seq}:line", ""),
        prompt=static.get("prompt", ""),
        waits=_waits(raw, seq) if status is StepStatus.QUEUED else None,
    )


def _waits(raw: Mapping[str, str], seq: int) -> Waits | None:
    if raw.get(f"{seq}:wants"):
        return Waits.SLOT
    return Waits.TURN if raw.get(f"{seq}:turn") == "waits" else None


def dead_fields(seq: int) -> list[str]:
    """Fields of the steps hash that a dead letter is made of, as `dead_letter` wants them."""
    return [str(seq), *(f"{seq}:{name}" for name in ("attempt", "failures", "takeovers", "error", "trace"))]


def dead_letter(run_id: str, seq: int, *, at_ms: int, row: Sequence[str | None]) -> DeadLetter:
    """A dead letter from its step's fields."""
    static = json.loads(row[0] or "{}")
    attempts, failures, takeovers = (int(text or 0) for text in row[1:4])
    return DeadLetter(
        run_id=run_id,
        seq=seq,
        state=static["state"],
        crew=static["crew"],
        at_ms=at_ms,
        attempts=attempts,
        failures=failures,
        takeovers=takeovers,
        error=row[4] or "",
        trace=row[5] or "",
        values=static.get("values", {}),
        inputs=static.get("inputs", {}),
    )


def audit_line(entry_id: str, fields: Mapping[str, str]) -> AuditLine:
    """A line as it is kept, with the digest of the effect it tells of."""
    effect = json.loads(fields["detail"]).get("sha256", "") if fields["kind"] in EFFECTS else ""
    return AuditLine(entry_id, fields["kind"], int(fields["seq"]), fields["detail"], effect)


def ledger_entry(entry_id: str, fields: Mapping[str, str]) -> LedgerEntry:
    at_ms = int(entry_id.partition("-")[0])
    return LedgerEntry(entry_id, at_ms, fields["kind"], int(fields["seq"]), json.loads(fields["detail"]))


def budget_fields(new: NewRun) -> dict[str, JsonValue]:
    """The budgets of a run and of its crews, as they stand in the run's hash."""
    own = _budget_out(Budget(new.budget_usd, new.budget_tokens))
    crews = {crew: _budget_out(budget) for crew, budget in new.crew_budgets.items()}
    return {
        **{f"budget_{unit}": most for unit, most in own.items()},
        **({"crew_budgets": dumps(crews)} if crews else {}),
    }


def more_budget_fields(record: RunRecord, more: MoreBudget) -> dict[str, JsonValue]:
    """The fields of a run's hash that new limits change."""
    own = _budget_out(Budget(more.usd, more.tokens))
    crews = {crew: _budget_out(budget) for crew, budget in {**record.crew_budgets, **more.crews}.items()}
    return {
        **{f"budget_{unit}": most for unit, most in own.items()},
        **({"crew_budgets": dumps(crews)} if more.crews else {}),
    }


def crew_budgets(text: str | None) -> dict[str, Budget]:
    """Budgets by crew from the field `crew_budgets`."""
    return {crew: budget_in(**raw) for crew, raw in json.loads(text or "{}").items()}


def budget_in(usd: str | int | None = None, tokens: str | int | None = None) -> Budget:
    """A budget from how it is kept: millionths of a dollar, and tokens."""
    return Budget(None if usd is None else int(usd) / MICRO, None if tokens is None else int(tokens))


def _budget_out(budget: Budget) -> dict[str, JsonValue]:
    kept = {"usd": None if budget.usd is None else micro(budget.usd), "tokens": budget.tokens}
    return {unit: most for unit, most in kept.items() if most is not None}


def micro(usd: float) -> int:
    """Dollars as whole millionths, rounded up: a cheap call is never free."""
    return -int(-usd * MICRO // 1)
