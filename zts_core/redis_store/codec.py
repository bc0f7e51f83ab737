"""Decides how decisions, steps and results are written into Redis and read back.

What a run is about passes through its `Seals` here, both ways; what the scripts look for stays plain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zts_core.advance import SAME_VISITS
from zts_core.audit import AuditLine, digest
from zts_core.decision import ApprovalStart, Decision, Reused, StepStart
from zts_core.errors import KeyMissing, Unreadable
from zts_core.likeness import SeenBefore
from zts_core.limits import Budget, MoreBudget
from zts_core.ports import (
    Claim,
    ClaimVerdict,
    DeadLetter,
    LedgerEntry,
    NewRun,
    RunRecord,
    StepRecord,
    StepResult,
    Waits,
)
from zts_core.run import Ending, JsonValue, Outcome, Priority, RunState, RunStatus, Settled, StepStatus, dumps
from zts_core.sealing import MARK, PLAIN, Seals

EFFECTS = ("step_done", "step_reused")
"""Lines of the ledger that tell of an effect."""

MICRO = 1_000_000
"""Redis counts whole numbers: money is kept in millionths of a dollar."""


def decision_json(
    decision: Decision,
    *,
    retention_ms: int,
    written: Callable[[StepResult], str] | None = None,
    seals: Seals = PLAIN,
) -> str:
    """What `prelude.lua` applies; `written` says how an effect is written."""
    return dumps(
        {
            "state": seals.seal(decision.state.to_json(), "state"),
            "status": _status(decision),
            "started": decision.state.started,
            "starts": [[start.seq, start.state, start_json(start, seals), start.join] for start in decision.starts],
            "approvals": [_approval(asked, seals) for asked in decision.approvals],
            "visits": [_visit(visit, seals) for visit in decision.visits] if seals.on else decision.visits,
            "same_visits": SAME_VISITS,
            "consumed": decision.consumed,
            "closed": decision.closed,
            "reused": [_reused(reused, written or result_json, seals) for reused in decision.reused],
            "window": decision.window,
            **({"keeps": True} if decision.keeps else {}),
            "push": [[packed.queue, packed.payload] for packed in decision.push],
            "events": [[event.kind, event.seq, seals.seal(dumps(event.detail), "detail")] for event in decision.events],
            **({"finish": [*_ending(decision.finish, seals), retention_ms]} if decision.finish else {}),
        }
    )


def _status(decision: Decision) -> RunStatus:
    if decision.finish:
        return RunStatus.FINISHED
    if decision.state.ending:
        return RunStatus.ENDING
    return RunStatus.WAITING if decision.asks_only else RunStatus.RUNNING


def _ending(ending: Ending, seals: Seals) -> list[str]:
    return [ending.outcome, seals.seal(ending.reason, "reason")]


def _visit(visit: str, seals: Seals) -> str:
    """Place and data; of the data only a keyed digest, for the scripts only compare it."""
    place, _, data = visit.rpartition(" ")
    return f"{place} {seals.name('visit', data)}"


def start_json(start: StepStart, seals: Seals = PLAIN) -> str:
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
            "values": _values(start, seals),
            "inputs": start.inputs,
            "workflow": start.workflow,
            "item": start.item,
        }
    )


def _values(start: StepStart, seals: Seals) -> JsonValue:
    """Most steps have none, which may be seen."""
    return seals.seal(dumps(start.values), f"values {start.seq}") if seals.on and start.values else start.values


def step_of(text: str, seq: int, seals: Seals) -> dict[str, Any]:
    """A step, or an approval, as it was decided."""
    static: dict[str, Any] = json.loads(text)
    if isinstance(static.get("values"), str):
        static["values"] = json.loads(seals.open(static["values"], f"values {seq}"))
    if static.get("prompt"):
        static["prompt"] = seals.open(static["prompt"], "prompt")
    return static


def _reused(reused: Reused, written: Callable[[StepResult], str], seals: Seals) -> list[str | int]:
    start, seq = reused.start, reused.start.seq
    text = written(StepResult(reused.namespace, reused.output, reused.artifacts))
    detail = {"state": start.state, "origin": reused.origin, "namespace": reused.namespace, "digest": reused.digest}
    detail["sha256"] = digest(text)
    kept = seals.seal(text, f"result {seq}")
    return [seq, start_json(start, seals), kept, seals.seal(dumps(detail), "detail")]


def _approval(asked: ApprovalStart, seals: Seals) -> list[Any]:
    static = {
        "state": asked.state,
        "path": asked.path,
        "crew": "",
        "prompt": seals.seal(asked.prompt, "prompt"),
        "on_timeout": asked.on_timeout,
    }
    timeout_ms = int((asked.timeout or 0) * 1000)
    detail = seals.seal(dumps({"state": asked.state, "prompt": asked.prompt}), "detail")
    return [asked.seq, asked.state, dumps(static), timeout_ms, detail]


def settled_of(text: str, seq: int, seals: Seals) -> Settled:
    """A settlement of the inbox: a worker's as a whole is sealed, of a script's own the reason may be."""
    settled = Settled.from_json(seals.open(text, f"settled {seq}"))
    if settled.reason.startswith(MARK):
        return replace(settled, reason=seals.open(settled.reason, "reason"))
    return settled


def claim_of(answer: Sequence[Any], seq: int, seals: Seals) -> Claim:
    """A claim from what `take.lua` answers."""
    verdict = ClaimVerdict(answer[0])
    if verdict is not ClaimVerdict.CLAIMED:
        return Claim(verdict, key_id=answer[1] if verdict is ClaimVerdict.SEALED else "")
    _, attempt, step, failures, version, plan, values, state, undecided, priority, following, slot, kept = answer
    return Claim(
        verdict,
        attempt=int(attempt),
        failures=int(failures),
        version=int(version),
        undecided=int(undecided),
        plan_digest=plan,
        step=step_of(step, seq, seals),
        state=RunState.from_json(seals.open(state, "state")) if state else None,
        values=json.loads(seals.open(values or "{}", "values")),
        priority=Priority(priority),
        following=int(following or 0),
        limited=bool(slot),
        kept_bytes=int(kept or 0),
    )


def result_json(result: StepResult) -> str:
    return dumps({"namespace": result.namespace, "output": result.output, "artifacts": result.artifacts})


def result_of(raw: Mapping[str, Any]) -> StepResult:
    artifacts = {path: (digest, size) for path, (digest, size) in raw["artifacts"].items()}
    return StepResult(raw["namespace"], raw["output"], artifacts)


def stopping_of(text: str, seals: Seals) -> Ending:
    """With which outcome a run is being stopped, and why."""
    outcome, reason = json.loads(text)
    return Ending(Outcome(outcome), seals.open(reason, "reason"))


NOTHING = "{}"
"""What is not worth a seal: that a run has no values may be seen."""
SEALED_OF_A_RUN = ("idea", "title", "values", "out", "seen_before", "reason", "state", "feed")
"""The fields of a run's hash that are sealed as they are, each as what it is called."""


def new_run_fields(fields: Mapping[str, JsonValue], seals: Seals) -> dict[str, JsonValue]:
    """The fields of a new run as they are kept, with the key that they need."""
    told = [name for name in SEALED_OF_A_RUN if fields.get(name) and fields[name] != NOTHING]
    kept = {**fields, **{name: seals.seal(fields[name], name) for name in told}}
    return {**kept, "sealed": seals.sealer.key_ids[0]} if seals.on else kept


def run_record(run_id: str, raw: Mapping[str, str], seals: Seals = PLAIN) -> RunRecord:
    """A run from its hash. What does not open is told as such, or left out."""
    raw = {name: seals.told(text, name) if name in ("title", "reason") else text for name, text in raw.items()}
    outcome = raw.get("outcome")
    own = budget_in(raw.get("budget_usd"), raw.get("budget_tokens"))
    return RunRecord(
        run_id=run_id,
        title=raw.get("title", ""),
        workflow=raw["workflow"],
        status=status_of(raw),
        outcome=Outcome(outcome) if outcome else None,
        reason=raw.get("reason", ""),
        plan_digest=raw["plan"],
        created_ms=int(raw["created"]),
        finished_ms=int(raw.get("finished", 0)),
        deadline_ms=int(raw["deadline"]),
        max_steps=int(raw["max_steps"]),
        started=int(raw.get("started", 0)),
        key=raw.get("key", ""),
        out=_if_it_opens(raw, "out", seals) or "",
        values=json.loads(_if_it_opens(raw, "values", seals) or "{}"),
        budget_usd=own.usd,
        budget_tokens=own.tokens,
        crew_budgets=crew_budgets(raw.get("crew_budgets")),
        priority=Priority(raw.get("priority") or Priority.NORMAL),
        reuse_answers=bool(raw.get("reuse_answers")),
        seen_before=tuple(SeenBefore(**seen) for seen in json.loads(_if_it_opens(raw, "seen_before", seals) or "[]")),
    )


def status_of(raw: Mapping[str, str]) -> RunStatus:
    """A run's status from its hash; `paused` covers the one below it."""
    status = RunStatus(raw["status"])
    covered = raw.get("paused") and status in (RunStatus.RUNNING, RunStatus.WAITING)
    return RunStatus.PAUSED if covered else status


def _if_it_opens(raw: Mapping[str, str], name: str, seals: Seals) -> str | None:
    try:
        return seals.open(raw[name], name) if name in raw else None
    except (KeyMissing, Unreadable):
        return None


def step_records(raw: Mapping[str, str], seals: Seals = PLAIN) -> list[StepRecord]:
    """All steps of a run from its steps hash, in the order they started."""
    seqs = sorted(int(name) for name in raw if name.isdigit())
    return [_step_record(seq, raw, seals) for seq in seqs]


def _step_record(seq: int, raw: Mapping[str, str], seals: Seals) -> StepRecord:
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
        error=seals.open(raw.get(f"{seq}:error", ""), "error"),
        line=seals.open(raw.get(f"{seq}:line", ""), "line"),
        prompt=seals.open(static.get("prompt", ""), "prompt"),
        waits=_waits(raw, seq) if status is StepStatus.QUEUED else None,
    )


def _waits(raw: Mapping[str, str], seq: int) -> Waits | None:
    if raw.get(f"{seq}:wants"):
        return Waits.SLOT
    return Waits.TURN if raw.get(f"{seq}:turn") == "waits" else None


def dead_fields(seq: int) -> list[str]:
    """Fields of the steps hash that a dead letter is made of, as `dead_letter` wants them."""
    return [str(seq), *(f"{seq}:{name}" for name in ("attempt", "failures", "takeovers", "error", "trace"))]


def dead_letter(run_id: str, seq: int, *, at_ms: int, row: Sequence[str | None], seals: Seals = PLAIN) -> DeadLetter:
    """A dead letter from its step's fields."""
    static = step_of(row[0] or "{}", seq, seals)
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
        error=seals.open(row[4] or "", "error"),
        trace=seals.open(row[5] or "", "trace"),
        values=static.get("values", {}),
        inputs=static.get("inputs", {}),
    )


def audit_line(entry_id: str, fields: Mapping[str, str], seals: Seals = PLAIN) -> AuditLine:
    """A line as it is kept, with the digest of the effect it tells of; one that was changed may not open any more."""
    kind, seq, kept = fields["kind"], int(fields["seq"]), fields["detail"]
    try:
        detail = opened_detail(kind, kept, seals)
    except Unreadable:
        return AuditLine(entry_id, kind, seq, kept)
    effect = json.loads(detail).get("sha256", "") if kind in EFFECTS else ""
    return AuditLine(entry_id, kind, seq, detail, effect, kept if detail != kept else "")


def ledger_entry(entry_id: str, fields: Mapping[str, str], seals: Seals = PLAIN) -> LedgerEntry:
    at_ms = int(entry_id.partition("-")[0])
    detail = json.loads(opened_detail(fields["kind"], fields["detail"], seals))
    return LedgerEntry(entry_id, at_ms, fields["kind"], int(fields["seq"]), detail)


def opened_detail(kind: str, kept: str, seals: Seals) -> str:
    """The detail of a line as JSON: one of a process's is sealed as a whole, in a script's own a run's title may be."""
    if kind == "run_created" and MARK in kept:
        detail = json.loads(kept)
        return dumps({**detail, "title": seals.open(detail["title"], "title")})
    return seals.open(kept, "detail")


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
