"""Decides what the engine needs of a store and of a queue, and what they answer.

A status says where something stands; a verdict says what a call did. State is the truth and the queue a hint: any
message may be lost, doubled, delayed or reordered, so every write carries what it believes and the store decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from zts_core.audit import AuditTrail
from zts_core.decision import Decision, Packed
from zts_core.likeness import SeenBefore
from zts_core.limits import Budget, MoreBudget
from zts_core.run import Ending, Outcome, Priority, Ref, RunState, RunStatus, Settled, StepStatus, dumps
from zts_core.workflow.plan import Plan


class ClaimVerdict(StrEnum):
    """What came of asking for a step."""

    CLAIMED = "claimed"
    """The caller holds the lease and must run the crew."""
    SETTLED = "settled"
    """The step has its effect already; what comes next may still have to be decided."""
    HELD = "held"
    """Another attempt holds a living lease, or the step is backing off."""
    UNKNOWN = "unknown"
    """There is no such step: its run is gone."""
    CANCELLED = "cancelled"
    """The run is being cancelled; the step was withdrawn."""
    FULL = "full"
    """Its crew is at work on as many steps as it may; the step waits for a slot, without a message."""
    PAUSED = "paused"
    """The run is paused; the step stays queued without a message."""
    NEWER = "newer"
    """A newer version submitted the run; the step stays queued for a worker that understands it."""
    SEALED = "sealed"
    """The run is encrypted with a key that the caller lacks; the step stays queued for a worker that has it."""
    DEAD = "dead"
    """Too many workers died with this step; it was settled as failed."""


class LeaseVerdict(StrEnum):
    """What came of renewing a lease."""

    HELD = "held"
    """The lease lives on."""
    LOST = "lost"
    """Another attempt owns the step, or the step is settled: stop, and write nothing."""
    CANCELLED = "cancelled"
    """The run is being cancelled: stop as soon as possible."""


class SettleVerdict(StrEnum):
    """What came of committing a step's effect."""

    DECIDED = "decided"
    """Committed, and the decision that came along was recorded with it."""
    SETTLED = "settled"
    """Committed; nothing was decided."""
    LOOP = "loop"
    """Committed; the decision was refused because the run goes round without progress."""
    FENCED = "fenced"
    """Refused: the attempt is not the one that owns the step."""


class RecordVerdict(StrEnum):
    """What came of recording a decision."""

    RECORDED = "recorded"
    """The position is the decision's now; its steps have to be sent."""
    STALE = "stale"
    """Somebody else moved the run on: read again."""
    LOOP = "loop"
    """Refused because the run goes round without progress."""


class RequeueVerdict(StrEnum):
    """What came of looking after a step whose worker or message seems gone."""

    QUEUED = "queued"
    """It waits for a worker again and has to be sent."""
    DEAD = "dead"
    """It was settled as failed; the run has to be decided."""
    NOTHING = "nothing"
    """Nothing had to be done."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a submit records. `deadline_s` in seconds from now; `values` come from `--set`; `out` is a folder's path."""

    run_id: str
    idea: str
    title: str
    workflow: str
    max_steps: int
    deadline_s: float
    key: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    out: str = ""
    paused: bool = False
    """Recorded, and not started until it is resumed."""
    budget_usd: float | None = None
    """Dollars that model calls may cost at most; None for no limit."""
    budget_tokens: int | None = None
    """Tokens, read and written, that model calls may use at most; None for no limit."""
    crew_budgets: Mapping[str, Budget] = field(default_factory=dict)
    """The same for all calls of one crew, by its short name (`builder`)."""
    priority: Priority = Priority.NORMAL
    """Whether its steps go before or after those of other runs."""
    reuse_answers: bool = False
    """Whether recorded answers of other runs take the place of model calls with the very same request."""
    seen_before: tuple[SeenBefore, ...] = ()
    """Runs with a like idea, as they were found when this one was submitted."""
    trace: str = ""
    """The trace its spans belong to, as `tracing.context` writes it; empty for none."""


@dataclass(frozen=True, slots=True)
class Created:
    """The run that stands for a submit: the new one, or the first with the same key."""

    run_id: str
    existed: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim; all but the verdict only when CLAIMED.

    `step` is the recorded StepStart as plain data, `state` the run's position at `version` unless it is large,
    `undecided` how many settlements nobody has decided yet, `failures` how many tries ended in a transient error,
    `kept_bytes` what the run's outputs and files take so far, `limited` whether the step has one of its crew's slots,
    `following` the step of the same wide wave that has its turn now and that the caller has to send; 0 for none.
    """

    verdict: ClaimVerdict
    attempt: int = 0
    failures: int = 0
    version: int = 0
    undecided: int = 0
    plan_digest: str = ""
    step: Mapping[str, Any] = field(default_factory=dict)
    state: RunState | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    priority: Priority = Priority.NORMAL
    following: int = 0
    limited: bool = False
    kept_bytes: int = 0
    key_id: str = ""
    """Of the key that is lacking, where SEALED."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who would work on a step: the worker, the seconds of its lease, and `limits` as in `RunStore.claim`.

    `call` names this one request, so that one whose answer was lost is known when it is repeated.
    """

    worker: str
    lease_s: float
    call: str
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken for its worker in the same breath as the commit of the one before it, or could not be."""

    seq: int
    claim: Claim


@dataclass(frozen=True)
class StepResult:
    """A step's effect: its output as plain JSON data, and its files as path -> (SHA-256, bytes)."""

    namespace: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @cached_property
    def output_bytes(self) -> int:
        """How large the output is, as JSON; written out once, for an attempt asks for it several times."""
        return len(dumps(self.output).encode("utf-8", "replace"))

    @property
    def kept_bytes(self) -> int:
        """What it adds to its run: output and files."""
        return self.output_bytes + sum(size for _, size in self.artifacts.values())


@dataclass(frozen=True, slots=True)
class Settling:
    """The answer to a settlement; `version` and `undecided` as they are after it, `place` the loop that was found.

    `joins`: no other step is open that counts down the same join, so this one's worker decides what is next.
    `taken`: the step to go on with, where the caller asked for one and there is one.
    """

    verdict: SettleVerdict
    version: int = 0
    undecided: int = 0
    place: str = ""
    joins: bool = False
    taken: Taken | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: its state at `version`, what has settled since, and the outcome it is being stopped with."""

    version: int
    plan_digest: str
    state: RunState
    settled: tuple[Settled, ...]
    status: RunStatus
    stopping: Ending | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class StepMessage:
    """What the queue needs to send a step; `state` and `crew` are for people who watch."""

    run_id: str
    seq: int
    state: str = ""
    crew: str = ""
    attempts: int = 0
    """How often it was tried before."""
    counts_down: bool = False
    """Its end only counts down a join, so a chord's body may decide for it."""
    priority: Priority = Priority.NORMAL


class Waits(StrEnum):
    """What a queued step waits for besides a worker."""

    SLOT = "slot"
    """One of the slots of its crew, which may be at work on so many steps at once and no more."""
    TURN = "turn"
    """Steps of its own wide wave before it, so that other runs get their turn."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as people see it; times in milliseconds since 1970 by the Redis server's clock, 0 where not yet."""

    run_id: str
    title: str
    workflow: str
    status: RunStatus
    outcome: Outcome | None
    reason: str
    plan_digest: str
    created_ms: int
    finished_ms: int
    deadline_ms: int
    max_steps: int
    started: int
    key: str = ""
    out: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    budget_usd: float | None = None
    budget_tokens: int | None = None
    crew_budgets: Mapping[str, Budget] = field(default_factory=dict)
    reuse_answers: bool = False
    seen_before: tuple[SeenBefore, ...] = ()
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step as people see it; times as in RunRecord. `due_ms` is when a retry or an approval's time-out is due."""

    seq: int
    state: str
    path: str
    crew: str
    status: StepStatus
    attempt: int
    failures: int
    worker: str
    queued_ms: int
    started_ms: int
    ended_ms: int
    due_ms: int
    error: str
    line: str
    prompt: str = ""
    waits: Waits | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A step that failed for good: what it was given, what went wrong, and how often it was tried.

    `values` are its `with` values as they were written, `inputs` the steps whose outputs it saw, `history` its lines
    of the ledger; `trace` is the last traceback where the crew raised an error, `at_ms` when the step was given up.
    """

    run_id: str
    seq: int
    state: str
    crew: str
    at_ms: int
    attempts: int
    failures: int
    takeovers: int
    error: str
    trace: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Ref] = field(default_factory=dict)
    history: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of a run's history; `id` orders the lines, `at_ms` is the Redis server's clock."""

    id: str
    at_ms: int
    kind: str
    seq: int
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Due:
    """What the reaper has to look after now, oldest first."""

    leases: tuple[tuple[str, int], ...] = ()
    unclaimed: tuple[tuple[str, int], ...] = ()
    retries: tuple[tuple[str, int], ...] = ()
    approvals: tuple[tuple[str, int], ...] = ()
    deadlines: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


class Files(Protocol):
    """Where files of runs are kept, by digest."""

    def put(self, run_id: str, content: bytes) -> str:
        """Keep `content` for a run and return its SHA-256."""

    def get(self, run_id: str, digest: str) -> bytes:
        """The content with this digest; KeyError where it is not kept."""


SAME_BUDGET = MoreBudget()
"""No limit of a run changes."""


class RunStore(Protocol):
    """Where runs live. Every method is one atomic step of the store and safe to repeat."""

    def create(self, new: NewRun, plan: Plan, decision: Decision) -> Created:
        """Record a run with its first wave; with a key that was used before, return that run and change nothing."""

    def create_many(self, runs: Sequence[tuple[NewRun, Decision]], plan: Plan) -> Sequence[Created]:
        """The same for several runs of one plan; each by itself is recorded or not, and safe to repeat."""

    def claim(
        self, run_id: str, seq: int, *, worker: str, lease_s: float, limits: Mapping[str, int] | None = None
    ) -> Claim:
        """Take a step for a new attempt, fenced by its number.

        `limits` of crews by their short names stand above what the crews say themselves; 0 is no limit.
        """

    def wake(self, *, prune: bool = False) -> Sequence[tuple[str, int]]:
        """Give the free slots of limited crews to the steps that waited longest for one; these have to be sent.

        `prune` frees slots that no lease and no message holds.
        """

    def renew(self, run_id: str, seq: int, *, attempt: int, lease_s: float) -> LeaseVerdict:
        """Prolong the lease of an attempt."""

    def say(self, run_id: str, seq: int, *, attempt: int, line: str) -> None:
        """Write a crew's line to the ledger; ignored where the attempt does not own the step."""

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
        """Commit an attempt's effect once; with a `decision` made at `version`, record it in the same step.

        `by` would work on the run's next step itself: on the first one of a decision that `keeps` it, or on one of
        the same wide wave that still waits its turn. It is claimed in the same step too.

        The same commit again, by a caller who missed the answer, is SETTLED and changes nothing.
        """

    def back_off(self, run_id: str, seq: int, *, attempt: int, delay_s: float, error: str) -> bool:
        """Let a step wait after a transient error; False where the attempt does not own it."""

    def position(self, run_id: str) -> Position:
        """Where the run stands; UnknownRun where there is none."""

    def plan(self, digest: str) -> Plan:
        """The plan a run was submitted with, by its `plan_digest`: keyed where runs are encrypted."""

    def record(self, run_id: str, decision: Decision, *, version: int) -> tuple[RecordVerdict, str]:
        """Move a run on from `version`; the second value is the place of a loop that was found."""

    def reopen(
        self, run_id: str, decision: Decision, *, version: int, again: Sequence[int], more: MoreBudget = SAME_BUDGET
    ) -> bool:
        """Open an ended run at the position of `decision`, with some of its steps queued `again`; False where it moved.

        Attempts go on counting and the deadline is set anew, as far from now as it was from the submit.
        """

    def answer(self, run_id: str, seq: int, *, approved: bool, by: str, comment: str) -> bool:
        """Answer an approval; False where it is not open any more."""

    def withdraw(self, run_id: str, *, outcome: Outcome, reason: str) -> int:
        """Settle every step without a living lease as cancelled, let no attempt start; return how many still run."""

    def pause(self, run_id: str, *, paused: bool) -> bool:
        """Let no further attempt start, or let them start again; False where that changed nothing."""

    def due(self, *, unclaimed_after_s: float, undecided_after_s: float, backlog: bool, limit: int) -> Due:
        """What is due by the store's clock.

        With a `backlog` in the queue, a queued step counts as unclaimed only where a step of no higher priority that
        was queued `unclaimed_after_s` later has been claimed already: the others may well be waiting their turn.
        """

    def forsaken(self, *, early_s: float, limit: int) -> Sequence[tuple[str, int]]:
        """Steps whose lease ends within `early_s` seconds while their worker's process has no connection any more.

        A process that is killed loses its connections at once, one that is frozen or cut off keeps them on the
        server's side. Nothing where the store cannot tell.
        """

    def requeue_expired(self, run_id: str, seq: int, *, takeovers: int, early_s: float = 0.0) -> RequeueVerdict:
        """Queue a step again whose lease ends within `early_s`; settle it as failed after `takeovers` of that."""

    def hand_back(self, run_id: str, seq: int, *, attempt: int) -> RequeueVerdict:
        """Queue a step again whose worker has to stop, without counting it as a takeover; DEAD where its run stops."""

    def requeue_retry(self, run_id: str, seq: int) -> RequeueVerdict:
        """Queue a step again whose back-off is over."""

    def touch_unclaimed(self, run_id: str, seq: int) -> RequeueVerdict:
        """Note that a queued step is sent again now; NOTHING where it has been claimed."""

    def expire_approval(self, run_id: str, seq: int) -> RequeueVerdict:
        """Answer an approval whose time is over as its workflow says."""

    def touch_undecided(self, run_id: str) -> None:
        """Look at this run's undecided settlements again later."""

    def forget_deadline(self, run_id: str) -> None:
        """The deadline was acted on."""

    def admit_tick(self, *, interval_s: float) -> bool:
        """True for one caller per interval, whichever worker asks first."""

    def sweep(self) -> Sequence[str]:
        """Drop what is left of finished runs that have expired; return which, so that their files can go too."""

    def run(self, run_id: str) -> RunRecord:
        """One run; UnknownRun where there is none."""

    def key_lacking(self, run_id: str) -> str:
        """The id of the key that a run is encrypted with and that is not at hand; empty where nothing is lacking."""

    def delete(self, run_id: str, *, unfinished: bool = False) -> bool:
        """Drop a run that has ended, or any, with all that is kept of it alone; False where there is no such run."""

    def idea(self, run_id: str) -> str:
        """The idea's text."""

    def runs(self, *, limit: int) -> Sequence[RunRecord]:
        """The newest runs first."""

    def unfinished(self) -> Sequence[str]:
        """Ids of the runs without an outcome, oldest first."""

    def steps(self, run_id: str) -> Sequence[StepRecord]:
        """All steps and approvals of a run in the order they started."""

    def names(self, run_id: str, seqs: Sequence[int]) -> Mapping[int, tuple[str, str, int]]:
        """State, crew and number of attempts so far of some steps; what is gone is left out."""

    def results(self, run_id: str, seqs: Iterable[int]) -> Mapping[int, StepResult]:
        """The committed effects of some steps."""

    def dead(self, *, limit: int) -> Sequence[DeadLetter]:
        """Steps that failed for good, the newest first, without their history."""

    def dead_letter(self, run_id: str, seq: int) -> DeadLetter | None:
        """One of them with its history; None where that step is not among them."""

    def drop_dead(self, run_id: str, seq: int) -> bool:
        """Strike one off the list; False where it is not on it."""

    def data(self, run_id: str) -> Mapping[str, Ref]:
        """What each namespace holds now, outside of parallel blocks still at work."""

    def ledger(self, run_id: str, *, after: str = "0") -> Sequence[LedgerEntry]:
        """The run's history after an entry's id."""

    def audit_trail(self, run_id: str) -> AuditTrail:
        """The run's lines as they are kept, the chain made with them, and digests of its effects; empty without one."""

    def follow(self, run_id: str, *, after: str = "0", wait_s: float) -> Iterator[LedgerEntry]:
        """The same, waiting up to `wait_s` seconds for the first entry."""

    def ping(self) -> float:
        """Seconds of one round trip; ServiceUnavailable where there is no answer."""


class ReserveVerdict(StrEnum):
    """What came of asking for the money of a model call."""

    RESERVED = "reserved"
    """It is set aside: make the call, then settle it."""
    OVER_BUDGET = "over_budget"
    """It would pass the budget of the run or of its crew: do not call."""
    WAIT = "wait"
    """The provider's pace allows no call yet."""
    FENCED = "fenced"
    """The attempt does not own the step any more: do not call."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The answer to a reservation: seconds to WAIT, or what of the budget is `used` up already.

    `crew` is the short name of the crew whose budget it would pass, empty where it is the run's.
    """

    verdict: ReserveVerdict
    wait_s: float = 0.0
    used: str = ""
    crew: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars and tokens (read and written together)."""

    usd: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """What a provider allows all workers together; 0 for no limit."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0


@dataclass(frozen=True, slots=True)
class Spending:
    """What model calls cost, of a run or a crew: booked, set aside for calls under way (or lost), the limit."""

    spent: Cost
    held: Cost
    calls: int
    budget: Budget = field(default_factory=Budget)


class CallBook(Protocol):
    """Where model calls are paid from, across workers and attempts. Every method is atomic and safe to repeat."""

    def reserve(
        self, run_id: str, seq: int, *, attempt: int, call: str, crew: str, most: Cost, provider: str, pace: Pace
    ) -> Reservation:
        """Set aside the `most` a call may cost, within the budgets of run and crew and the provider's pace."""

    def settle(
        self,
        run_id: str,
        seq: int,
        *,
        call: str,
        cost: Cost,
        detail: Mapping[str, Any],
        request: str = "",
        answer: str = "",
    ) -> bool:
        """Book what a reserved call cost and write `detail` to the ledger; False where that was done before.

        An `answer` is recorded under its `request`'s digest: for later attempts of the step, and for runs that reuse.
        """

    def recorded(self, run_id: str, seq: int, *, request: str, again: bool) -> str | None:
        """The recorded answer: what this step was given, where it is tried `again`; any, where the run reuses."""

    def reuse(self, run_id: str, seq: int, *, call: str, detail: Mapping[str, Any]) -> None:
        """Write to the ledger that a recorded answer took the place of a call."""

    def forget(self, requests: Sequence[str]) -> None:
        """Drop the answers to these requests: they led nowhere, and asking again may do better."""

    def spending(self, run_id: str, *, crew: str = "") -> Spending:
        """What the calls of the run, or of one of its crews, cost so far."""


class IdeaIndex(Protocol):
    """Where runs are found whose ideas are alike. A hint for people: what it misses is no error."""

    def alike(self, idea: str, *, limit: int = 3) -> tuple[SeenBefore, ...]:
        """Runs that still exist and whose ideas share most words with this one, the most alike first."""

    def remember(self, run_id: str, idea: str, *, deadline_s: float) -> None:
        """Let later look-ups find this run, until it is gone: `retention` after its deadline."""


class StepQueue(Protocol):
    """How workers hear of steps. A hint: what is lost here is found in the store and sent again."""

    def send(self, messages: Sequence[StepMessage]) -> None:
        """Send a wave; ServiceUnavailable where the broker does not take it."""

    def pack(self, messages: Sequence[StepMessage]) -> Sequence[Packed]:
        """The wave as messages that the store can push by itself; empty where it has to be sent."""

    def depth(self) -> int:
        """How many messages wait for a worker."""
