"""Decides how the store's promises are kept on Redis: every transition is one script, every read one round trip."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, cast

from redis import ConnectionPool
from redis.exceptions import ResponseError

from zts_core.audit import AuditTrail, digest
from zts_core.decision import Decision
from zts_core.errors import KeyMissing, NewerFormat, UnknownRun
from zts_core.limits import MoreBudget
from zts_core.ports import (
    SAME_BUDGET,
    Claim,
    Claimant,
    ClaimVerdict,
    Created,
    DeadLetter,
    Due,
    LeaseVerdict,
    LedgerEntry,
    NewRun,
    Position,
    RecordVerdict,
    RequeueVerdict,
    RunRecord,
    SettleVerdict,
    Settling,
    StepRecord,
    StepResult,
    Taken,
)
from zts_core.redis_store import codec, keys
from zts_core.redis_store.codec import budget_fields
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.overflow import Overflow
from zts_core.redis_store.retrying import RetryWithin
from zts_core.redis_store.scripts import ScriptCall, Scripts, translated
from zts_core.redis_store.witness import Witness
from zts_core.redis_url import place_of
from zts_core.run import Outcome, Priority, Ref, RunState, RunStatus, Settled, SettledAs, dumps
from zts_core.sealing import NO_SEALER, PLAIN, Sealer, Seals, missing
from zts_core.workflow.plan import Plan

LARGEST_STATE_SENT = 16_384
"""Bytes of a position that a claim carries along; a wider one is read when it is needed."""

_STATUS_AFTER = {SettledAs.DONE: "done", SettledAs.FAILED: "failed", SettledAs.CANCELLED: "cancelled"}


class RedisStore:
    """A RunStore on one Redis primary.

    `url` is redis-py's (`redis://`, `rediss://`, `unix://`); `retention_s` seconds are finished runs kept;
    `timeout_s` bounds every call; `name` is what the server knows this process by; with a key the `sealer` encrypts
    what runs are about. Connects at the first call.
    """

    def __init__(
        self,
        url: str,
        *,
        retention_s: float,
        timeout_s: float,
        name: str = "",
        overflow: Overflow | None = None,
        sealer: Sealer = NO_SEALER,
    ) -> None:
        self._name = client_name(name)
        self._sealer = sealer
        self._overflow = overflow or Overflow()
        self.place = place_of(url)
        self._retention_ms = int(retention_s * 1000)
        self._plans: dict[str, Plan] = {}
        # A blocking read must come back before the socket gives up on it.
        self._longest_wait_ms = int(timeout_s * 250)
        # Half of the whole, so that a connection that died unnoticed leaves time for a second try on a new one.
        self._redis = connect(url, timeout_s=timeout_s / 2, retry=RetryWithin(timeout_s), name=self._name)
        self._scripts = Scripts(self._redis, place=self.place)
        self.witness = Witness(self._redis, place=self.place, remembered_s=retention_s)
        """Notices that the server was replaced by one that has not heard of the last writes."""

    @property
    def connections(self) -> ConnectionPool:
        """Its connections, for what stands beside the runs: a short command then greets the server once."""
        return self._redis.connection_pool

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    # transitions

    def create(self, new: NewRun, plan: Plan, decision: Decision) -> Created:
        return self.create_many([(new, decision)], plan)[0]

    def create_many(self, runs: Sequence[tuple[NewRun, Decision]], plan: Plan) -> Sequence[Created]:
        kept_as = self._sealer.name("plan", plan.digest)
        self._plans[kept_as] = plan
        # A plan is larger than all else of a run.
        texts = [self._sealer.seal(plan.to_json(), "", f"plan {kept_as}"), *[""] * (len(runs) - 1)]
        crews = dumps(plan.crews)
        calls = [
            self._create_call(new, plan, kept_as, self._encode(decision, new.run_id), text, crews)
            for (new, decision), text in zip(runs, texts, strict=True)
        ]
        created = [Created(run_id, bool(existed)) for run_id, existed in self._scripts.call_many("create", calls)]
        for each in created:
            self.witness.run_kept(each.run_id, 0)
        return created

    def _create_call(
        self, new: NewRun, plan: Plan, kept_as: str, decision: str, plan_text: str, crews: str
    ) -> ScriptCall:
        fields = {
            "idea": new.idea,
            "title": new.title,
            "workflow": new.workflow,
            "plan": kept_as,
            "format": keys.FORMAT,
            "max_steps": new.max_steps,
            "deadline_ms": int(new.deadline_s * 1000),
            "key": new.key,
            "values": dumps(new.values),
            "out": new.out,
            **({"paused": "1"} if new.paused else {}),
            **({"priority": new.priority} if new.priority is not Priority.NORMAL else {}),
            **({"reuse_answers": "1"} if new.reuse_answers else {}),
            **({"audit": "1"} if plan.audited else {}),
            **({"seen_before": dumps([asdict(seen) for seen in new.seen_before])} if new.seen_before else {}),
            **({"trace": new.trace} if new.trace else {}),
            **budget_fields(new),
        }
        kept_ms = self._retention_ms + int(new.deadline_s * 1000)
        fields = codec.new_run_fields(fields, self._seals(new.run_id))
        extra = [keys.plan_key(kept_as), *([keys.submit_key(new.key)] if new.key else [])]
        return ScriptCall(new.run_id, (decision, dumps(fields), plan_text, kept_ms, crews), extra)

    def claim(
        self, run_id: str, seq: int, *, worker: str, lease_s: float, limits: Mapping[str, int] | None = None
    ) -> Claim:
        by = Claimant(worker, lease_s, uuid.uuid4().hex, limits or {})
        return self._claimed(run_id, seq, self._scripts.call("claim", run_id, seq, *self._spelled(by)))

    def _claimed(self, run_id: str, seq: int, answer: Sequence[Any]) -> Claim:
        try:
            return codec.claim_of(answer, seq, self._seals(run_id))
        except KeyMissing as error:
            # Written by a worker that has a newer key.
            self.hand_back(run_id, seq, attempt=int(answer[1]))
            return Claim(ClaimVerdict.SEALED, key_id=error.key_id)

    def renew(self, run_id: str, seq: int, *, attempt: int, lease_s: float) -> LeaseVerdict:
        return LeaseVerdict(self._scripts.call("renew", run_id, seq, attempt, int(lease_s * 1000)))

    def say(self, run_id: str, seq: int, *, attempt: int, line: str) -> None:
        seals = self._seals(run_id)
        detail = seals.seal(dumps({"line": line}), "detail")
        self._scripts.call("say", run_id, seq, attempt, seals.seal(line, "line"), detail)

    def settle(
        self,
        run_id: str,
        settled: Settled,
        *,
        attempt: int,
        result: StepResult,
        decision: Decision | None = None,
        version: int = 0,
        trace: str = "",
        by: Claimant | None = None,
    ) -> Settling:
        status = _STATUS_AFTER[settled.status]
        seals = self._seals(run_id)
        effect = self._overflow.written(run_id, result)
        detail = {"attempt": attempt, "namespace": settled.namespace, "digest": settled.digest}
        if settled.status is SettledAs.DONE:
            detail["sha256"] = digest(effect)
        if settled.reason:
            detail["error"] = settled.reason
        answer = self._scripts.call(
            "settle",
            run_id,
            settled.seq,
            attempt,
            status,
            seals.seal(settled.to_json(), f"settled {settled.seq}"),
            seals.seal(effect, f"result {settled.seq}"),
            f"step_{status}",
            seals.seal(dumps(detail), "detail"),
            seals.seal(settled.reason, "error") if settled.reason else "",
            version,
            self._encode(decision, run_id) if decision else "",
            seals.seal(trace, "trace") if trace else "",
            result.kept_bytes,
            *(self._spelled(by) if by else ()),
        )
        verdict = SettleVerdict(answer[0])
        if verdict is SettleVerdict.FENCED:
            return Settling(verdict)
        if settled.status is SettledAs.DONE:
            self.witness.result_kept(run_id, settled.seq)
        place = answer[3] if verdict is SettleVerdict.LOOP else ""
        taken = None
        if answer[6]:
            claim = self._claimed(run_id, int(answer[5]), answer[6])
            # Where a decision has led to, its decider knows.
            decided = verdict is SettleVerdict.DECIDED and claim.step.get("join") == 0
            known = decision.state if decision and decided else None
            taken = Taken(int(answer[5]), replace(claim, state=known or claim.state))
        return Settling(verdict, int(answer[1]), int(answer[2]), place, joins=bool(answer[4]), taken=taken)

    def back_off(self, run_id: str, seq: int, *, attempt: int, delay_s: float, error: str) -> bool:
        seals = self._seals(run_id)
        detail = seals.seal(dumps({"attempt": attempt, "error": error, "delay_s": round(delay_s, 3)}), "detail")
        kept = seals.seal(error, "error")
        return bool(self._scripts.call("back_off", run_id, seq, attempt, int(delay_s * 1000), kept, detail))

    def record(self, run_id: str, decision: Decision, *, version: int) -> tuple[RecordVerdict, str]:
        verdict, place = self._scripts.call("record", run_id, version, self._encode(decision, run_id))
        if verdict == RecordVerdict.RECORDED:
            self.witness.run_kept(run_id, version + 1)
        return RecordVerdict(verdict), place

    def reopen(
        self, run_id: str, decision: Decision, *, version: int, again: Sequence[int], more: MoreBudget = SAME_BUDGET
    ) -> bool:
        record = self.run(run_id)
        span_ms = record.deadline_ms - record.created_ms
        limits = dumps(codec.more_budget_fields(record, more))
        opened = self._scripts.call(
            "reopen", run_id, version, self._encode(decision, run_id), dumps(list(again)), span_ms, limits
        )
        return bool(opened)

    def answer(self, run_id: str, seq: int, *, approved: bool, by: str, comment: str) -> bool:
        return self._answer(run_id, seq, approved=approved, by=by, comment=comment, only_due=False)

    def expire_approval(self, run_id: str, seq: int) -> RequeueVerdict:
        with translated(self.place):
            text = self._redis.hget(keys.run_key(run_id, "steps"), str(seq))
            if text is None:
                self._redis.zrem(keys.TIMERS, f"approval:{run_id}:{seq}")
                return RequeueVerdict.NOTHING
        approved = json.loads(cast(str, text)).get("on_timeout") == "approve"
        answered = self._answer(
            run_id, seq, approved=approved, by="time-out", comment="nobody answered in time", only_due=True
        )
        return RequeueVerdict.DEAD if answered else RequeueVerdict.NOTHING

    def _answer(self, run_id: str, seq: int, *, approved: bool, by: str, comment: str, only_due: bool) -> bool:
        status = SettledAs.APPROVED if approved else SettledAs.REJECTED
        said = f": {comment}" if comment else ""
        seals = self._own_seals(run_id)
        reason = seals.seal(f"{status} by {by}{said}", "reason")
        detail = seals.seal(dumps({"approved": approved, "by": by, "comment": comment}), "detail")
        call = uuid.uuid4().hex
        return bool(self._scripts.call("answer", run_id, seq, status, reason, detail, int(only_due), call))

    def withdraw(self, run_id: str, *, outcome: Outcome, reason: str) -> int:
        seals = self._own_seals(run_id)
        detail = seals.seal(dumps({"outcome": outcome, "reason": reason}), "detail")
        running = int(self._scripts.call("withdraw", run_id, outcome, seals.seal(reason, "reason"), detail))
        return max(running, 0)

    def pause(self, run_id: str, *, paused: bool) -> bool:
        kind = "paused" if paused else "resumed"
        return bool(self._scripts.call("pause", run_id, int(paused), kind))

    def requeue_expired(self, run_id: str, seq: int, *, takeovers: int, early_s: float = 0.0) -> RequeueVerdict:
        return RequeueVerdict(self._scripts.call("requeue", run_id, seq, "expired", takeovers, int(early_s * 1000)))

    def hand_back(self, run_id: str, seq: int, *, attempt: int) -> RequeueVerdict:
        return RequeueVerdict(self._scripts.call("requeue", run_id, seq, "handed_back", attempt, 0))

    def requeue_retry(self, run_id: str, seq: int) -> RequeueVerdict:
        return RequeueVerdict(self._scripts.call("requeue", run_id, seq, "retry", 0, 0))

    def touch_unclaimed(self, run_id: str, seq: int) -> RequeueVerdict:
        return RequeueVerdict(self._scripts.call("requeue", run_id, seq, "unclaimed", 0, 0))

    def touch_undecided(self, run_id: str) -> None:
        with translated(self.place):
            self._redis.zadd(keys.UNDECIDED, {run_id: self._now_ms()}, xx=True)

    def forget_deadline(self, run_id: str) -> None:
        with translated(self.place):
            self._redis.zrem(keys.TIMERS, f"deadline:{run_id}")

    def wake(self, *, prune: bool = False) -> Sequence[tuple[str, int]]:
        return [keys.split_member(place) for place in self._scripts.call("wake", "", int(prune))]

    # what the reaper asks

    def due(self, *, unclaimed_after_s: float, undecided_after_s: float, backlog: bool, limit: int) -> Due:
        with translated(self.place):
            now = self._now_ms()
            overdue = [now - int(unclaimed_after_s * 1000)] * len(Priority)
            if backlog:
                overdue = self._overtaken(overdue, int(unclaimed_after_s * 1000))
            pipe = self._redis.pipeline(transaction=False)
            pipe.zrangebyscore(keys.LEASES, 0, now, start=0, num=limit)
            pipe.zrangebyscore(keys.TIMERS, 0, now, start=0, num=limit)
            pipe.zrangebyscore(keys.UNDECIDED, 0, now - int(undecided_after_s * 1000), start=0, num=limit)
            for level, before in enumerate(overdue):
                first = level * keys.LEVEL_SPAN
                pipe.zrangebyscore(keys.QUEUED, first, first + max(before, 0), start=0, num=limit)
            leases, timers, undecided, *levels = pipe.execute()
        queued = [member for level in levels for member in level]
        named = [timer.partition(":") for timer in timers]
        return Due(
            leases=tuple(map(keys.split_member, leases)),
            unclaimed=tuple(map(keys.split_member, queued)),
            retries=tuple(keys.split_member(rest) for kind, _, rest in named if kind == "retry"),
            approvals=tuple(keys.split_member(rest) for kind, _, rest in named if kind == "approval"),
            deadlines=tuple(rest for kind, _, rest in named if kind == "deadline"),
            undecided=tuple(undecided),
        )

    def _overtaken(self, overdue: Sequence[int], after_ms: int) -> list[int]:
        """Per level, until when a step must have been sent not to be waiting any more behind a backlog.

        Workers take the higher levels first: a step is overtaken by a younger one of its own level or of a lower one.
        """
        known = cast("dict[str, str]", self._redis.hgetall(keys.OVERTAKEN))
        youngest = [int(float(known.get(str(level), 0))) for level in range(len(overdue))]
        return [min(before, max(youngest[level:]) - after_ms) for level, before in enumerate(overdue)]

    def forsaken(self, *, early_s: float, limit: int) -> Sequence[tuple[str, int]]:
        with translated(self.place):
            now = self._now_ms()
            soon = cast(
                "list[str]",
                self._redis.zrangebyscore(keys.LEASES, now, now + int(early_s * 1000), start=0, num=limit),
            )
            if not soon:
                return ()
            connected = self._connected()
            pipe = self._redis.pipeline(transaction=False)
            for run_id, seq in map(keys.split_member, soon):
                pipe.hget(keys.run_key(run_id, "steps"), f"{seq}:worker")
            workers = pipe.execute()
        # Where not even this process is on the list, names do not come through (a proxy): it says nothing.
        if self._name not in connected:
            return ()
        gone = [worker is not None and client_name(worker) not in connected for worker in workers]
        return [keys.split_member(member) for member, is_gone in zip(soon, gone, strict=True) if is_gone]

    def _connected(self) -> set[str]:
        """Names of all connections that the server has; none where it does not tell."""
        try:
            listed = self._redis.client_list()
        except ResponseError:
            return set()
        return {client.get("name", "") for client in listed}

    def admit_tick(self, *, interval_s: float) -> bool:
        with translated(self.place):
            return bool(self._redis.set(keys.TICK, "1", nx=True, px=max(int(interval_s * 1000), 1)))

    def sweep(self) -> Sequence[str]:
        with translated(self.place):
            gone = cast("list[str]", self._redis.zrangebyscore(keys.EXPIRING, 0, self._now_ms(), start=0, num=1000))
            if gone:
                pipe = self._redis.pipeline(transaction=True)
                pipe.zrem(keys.RUNS, *gone)
                # Where no graph is fed, the outbox keeps a run no longer than the store does.
                pipe.zrem(keys.OUTBOX, *gone)
                pipe.zrem(keys.TRACES, *gone)
                pipe.zrem(keys.EXPIRING, *gone)
                for member in self._dead_of(set(gone)):
                    pipe.zrem(keys.DEAD, member)
                pipe.execute()
        return gone

    def _dead_of(self, run_ids: set[str]) -> list[str]:
        members = cast("list[str]", self._redis.zrange(keys.DEAD, 0, -1))
        return [member for member in members if keys.split_member(member)[0] in run_ids]

    # reads

    def position(self, run_id: str) -> Position:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=True)
            pipe.hmget(keys.run_key(run_id), "version", "plan", "state", "status", "withdrawn", "priority", "format")
            pipe.hgetall(keys.run_key(run_id, "inbox"))
            (version, plan, state, status, withdrawn, priority, written), inbox = pipe.execute()
        if state is None:
            raise _unknown(run_id)
        if int(written or 0) > keys.FORMAT:
            raise NewerFormat(f"run {run_id} was submitted by a newer version and is left to newer workers; upgrade")
        seals = self._seals(run_id)
        settled = tuple(codec.settled_of(inbox[seq], int(seq), seals) for seq in sorted(inbox, key=int))
        stopping = codec.stopping_of(withdrawn, seals) if withdrawn else None
        return Position(
            int(version),
            plan,
            RunState.from_json(seals.open(state, "state")),
            settled,
            RunStatus(status),
            stopping,
            Priority(priority or Priority.NORMAL),
        )

    def plan(self, digest: str) -> Plan:
        if digest not in self._plans:
            with translated(self.place):
                text = cast("str | None", self._redis.get(keys.plan_key(digest)))
            if text is None:
                raise UnknownRun(
                    f"workflow definition {digest[:12]} is not in the store any more; submit the idea again"
                )
            if len(self._plans) >= 256:
                self._plans.pop(next(iter(self._plans)))
            self._plans[digest] = Plan.from_json(self._sealer.open(text, "", f"plan {digest}"))
        return self._plans[digest]

    def run(self, run_id: str) -> RunRecord:
        found = self._records([run_id])
        if not found:
            raise _unknown(run_id)
        return found[0]

    def key_lacking(self, run_id: str) -> str:
        with translated(self.place):
            key_id = cast("str | None", self._redis.hget(keys.run_key(run_id), "sealed")) or ""
        return "" if key_id in self._sealer.key_ids else key_id

    def delete(self, run_id: str, *, unfinished: bool = False) -> bool:
        with translated(self.place):
            booked = cast("list[str]", self._redis.hkeys(keys.run_key(run_id, "calls")))
        if not self._scripts.call("delete", run_id, int(unfinished), self._retention_ms):
            return False
        # What models answered to it holds what it asked; another run with the same question pays for it anew.
        given = [name.rpartition(":")[2] for name in booked if name.startswith("answered:")]
        if given:
            with translated(self.place):
                self._redis.delete(*map(keys.answer_key, given))
        return True

    def idea(self, run_id: str) -> str:
        with translated(self.place):
            kept = cast("str | None", self._redis.hget(keys.run_key(run_id), "idea")) or ""
        return self._sealer.open(kept, run_id, "idea")

    def runs(self, *, limit: int) -> Sequence[RunRecord]:
        with translated(self.place):
            newest = cast("list[str]", self._redis.zrevrange(keys.RUNS, 0, limit - 1))
        return self._records(newest)

    def unfinished(self) -> Sequence[str]:
        with translated(self.place):
            return cast("list[str]", self._redis.zrange(keys.ACTIVE, 0, -1))

    def _records(self, run_ids: Sequence[str]) -> list[RunRecord]:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            for run_id in run_ids:
                pipe.hmget(keys.run_key(run_id), *_RECORD_FIELDS)
            rows = pipe.execute()
        named = [{k: v for k, v in zip(_RECORD_FIELDS, row, strict=True) if v is not None} for row in rows]
        found = [(run_id, raw) for run_id, raw in zip(run_ids, named, strict=True) if "plan" in raw]
        return [codec.run_record(run_id, raw, self._seals(run_id)) for run_id, raw in found]

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        with translated(self.place):
            raw = cast("dict[str, str]", self._redis.hgetall(keys.run_key(run_id, "steps")))
        return codec.step_records(raw, self._seals(run_id))

    def names(self, run_id: str, seqs: Sequence[int]) -> Mapping[int, tuple[str, str, int]]:
        fields = [name for seq in seqs for name in (f"{seq}", f"{seq}:attempt")]
        with translated(self.place):
            row = cast("list[str | None]", self._redis.hmget(keys.run_key(run_id, "steps"), fields))
        found = {seq: (row[2 * at], int(row[2 * at + 1] or 0)) for at, seq in enumerate(seqs)}
        steps = {seq: (json.loads(text), attempts) for seq, (text, attempts) in found.items() if text}
        return {seq: (static["state"], static["crew"], attempts) for seq, (static, attempts) in steps.items()}

    def dead(self, *, limit: int) -> Sequence[DeadLetter]:
        with translated(self.place):
            newest = cast("list[tuple[str, float]]", self._redis.zrevrange(keys.DEAD, 0, limit - 1, withscores=True))
            pipe = self._redis.pipeline(transaction=False)
            for member, _ in newest:
                run_id, seq = keys.split_member(member)
                pipe.hmget(keys.run_key(run_id, "steps"), *codec.dead_fields(seq))
            rows = pipe.execute()
        found = [(*keys.split_member(member), int(at), row) for (member, at), row in zip(newest, rows, strict=True)]
        # Of a run whose time is over nothing is left but the list's entry, until the next sweep.
        return [
            codec.dead_letter(run_id, seq, at_ms=at, row=row, seals=self._seals(run_id))
            for run_id, seq, at, row in found
            if row[0]
        ]

    def dead_letter(self, run_id: str, seq: int) -> DeadLetter | None:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=False)
            pipe.zscore(keys.DEAD, f"{run_id}:{seq}")
            pipe.hmget(keys.run_key(run_id, "steps"), *codec.dead_fields(seq))
            at, row = pipe.execute()
        if at is None or not row[0]:
            return None
        history = tuple(entry for entry in self.ledger(run_id) if entry.seq == seq)
        letter = codec.dead_letter(run_id, seq, at_ms=int(at), row=row, seals=self._seals(run_id))
        return replace(letter, history=history)

    def drop_dead(self, run_id: str, seq: int) -> bool:
        with translated(self.place):
            return bool(self._redis.zrem(keys.DEAD, f"{run_id}:{seq}"))

    def results(self, run_id: str, seqs: Iterable[int]) -> Mapping[int, StepResult]:
        wanted = list(seqs)
        if not wanted:
            return {}
        with translated(self.place):
            found = cast(
                "list[str | None]", self._redis.hmget(keys.run_key(run_id, "results"), [str(seq) for seq in wanted])
            )
        kept = {seq: text for seq, text in zip(wanted, found, strict=True) if text}
        opened = {seq: self._sealer.open(text, run_id, f"result {seq}") for seq, text in kept.items()}
        return {seq: self._overflow.read(run_id, text) for seq, text in opened.items()}

    def data(self, run_id: str) -> Mapping[str, Ref]:
        return {namespace: held.ref for namespace, held in self.position(run_id).state.data.items()}

    def ledger(self, run_id: str, *, after: str = "0") -> Sequence[LedgerEntry]:
        with translated(self.place):
            rows = cast("list[Any]", self._redis.xrange(keys.run_key(run_id, "ledger"), min=f"({after}", max="+"))
        seals = self._seals(run_id)
        return [codec.ledger_entry(entry_id, fields, seals) for entry_id, fields in rows]

    def audit_trail(self, run_id: str) -> AuditTrail:
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=True)
            pipe.xrange(keys.run_key(run_id, "ledger"))
            pipe.lrange(keys.run_key(run_id, "audit"), 0, -1)
            pipe.hgetall(keys.run_key(run_id, "results"))
            rows, chain, results = pipe.execute()
        seals = self._seals(run_id)
        lines = tuple(codec.audit_line(entry_id, fields, seals) for entry_id, fields in rows)
        effects = {int(seq): digest(seals.if_unchanged(text, f"result {seq}")) for seq, text in results.items()}
        return AuditTrail(lines, tuple(chain), effects)

    def follow(self, run_id: str, *, after: str = "0", wait_s: float) -> Iterator[LedgerEntry]:
        with translated(self.place):
            answer = cast(
                "list[Any]",
                self._redis.xread(
                    {keys.run_key(run_id, "ledger"): after},
                    block=min(max(int(wait_s * 1000), 1), self._longest_wait_ms),
                ),
            )
        for _, rows in answer or []:
            for entry_id, fields in rows:
                yield codec.ledger_entry(entry_id, fields, self._seals(run_id))

    def ping(self) -> float:
        started = time.perf_counter()
        with translated(self.place):
            self._redis.ping()
        return time.perf_counter() - started

    def _spelled(self, by: Claimant) -> tuple[object, ...]:
        """What `take.lua` wants to know of who takes a step."""
        limits = " ".join(f"{crew}={limit}" for crew, limit in by.limits.items())
        key_ids = " ".join(self._sealer.key_ids)
        return by.worker, int(by.lease_s * 1000), LARGEST_STATE_SENT, by.call, limits, keys.FORMAT, key_ids

    def _now_ms(self) -> int:
        seconds, micros = self._redis.time()
        return seconds * 1000 + micros // 1000

    def _encode(self, decision: Decision, run_id: str) -> str:
        written = partial(self._overflow.written, run_id)
        seals = self._seals(run_id)
        return codec.decision_json(decision, retention_ms=self._retention_ms, written=written, seals=seals)

    def _own_seals(self, run_id: str) -> Seals:
        """The same for whoever writes without having read: KeyMissing where the run's key is not at hand."""
        if key_id := self.key_lacking(run_id):
            raise missing(key_id, run_id)
        return self._seals(run_id)

    def _seals(self, run_id: str) -> Seals:
        return Seals(self._sealer, run_id) if self._sealer.on else PLAIN


_RECORD_FIELDS = (
    "budget_usd",
    "budget_tokens",
    "crew_budgets",
    "reuse_answers",
    "seen_before",
    "title",
    "workflow",
    "plan",
    "status",
    "paused",
    "outcome",
    "reason",
    "created",
    "finished",
    "deadline",
    "max_steps",
    "priority",
    "started",
    "key",
    "out",
    "values",
)


def client_name(worker: str) -> str:
    """What a worker's connections are called: one printable word."""
    word = "".join(letter if letter.isascii() and letter.isprintable() and letter != " " else "_" for letter in worker)
    return f"zts:{word}"


def _unknown(run_id: str) -> UnknownRun:
    return UnknownRun(f"run {run_id!r} is not in the store; `zts list` shows the runs that are")
