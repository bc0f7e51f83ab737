"""Decides what a workflow may consist of: the frozen models every YAML file is read into.

A node is told from another by the one key only it has (`parallel`, `loop`, ...); a `state` without a `crew` is
terminal. Unknown keys are refused, except below `metadata`, which is kept as it was written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from zts_core.workflow.raw import TERMINAL_STATES as TERMINAL_STATES
from zts_core.workflow.raw import TerminalState, node_kind, plain, with_crew

Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not_in", "contains", "exists", "matches"]
OPERATORS: tuple[str, ...] = get_args(Operator)
Merge = Literal["first", "last", "union", "max"]

StateName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
WorkflowName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=30 * 24 * 3600, strict=True)]
Retries = Annotated[int, Field(ge=0, le=20, strict=True)]
Count = Annotated[int, Field(ge=1, le=10_000, strict=True)]

Free = Annotated[Any, BeforeValidator(plain)]
"""Whatever JSON can say: the language looks no further into it."""

FreeMapping = Annotated[dict[str, Any], BeforeValidator(plain)]

DEFAULT_TIMEOUT = 600.0
"""Seconds an attempt may take where the step names no time-out."""


class Model(BaseModel):
    """Base of the language's models: frozen, and closed to keys the language does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class EscalateTo(Model):
    """Go on in another workflow, from its start, keeping all results."""

    escalate_to: WorkflowName


OnFail = Literal["skip", "stop"] | EscalateTo
OnExhausted = Literal["stop", "continue"] | EscalateTo
Then = Literal["continue", "reject", "fail"]


class Leaf(Model):
    """Compares one field (`namespace.path`) of the run's data with a value.

    `exists` takes true (default) or false; `in` / `not_in` take a list; `matches` a regular expression searched
    in the text.
    """

    field: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$")]
    operator: Operator
    value: Free = None
    on_fail: OnFail | None = None
    then: Then = "continue"


class All(Model):
    """Holds where every entry holds."""

    all: Annotated[tuple[Condition, ...], Field(min_length=1)]
    on_fail: OnFail | None = None
    then: Then = "continue"


class Any_(Model):  # noqa: N801 - `Any` is taken by typing, which this module needs
    """Holds where at least one entry holds."""

    any: Annotated[tuple[Condition, ...], Field(min_length=1)]
    on_fail: OnFail | None = None
    then: Then = "continue"


class Not(Model):
    """Holds where the entry does not."""

    not_: Annotated[Condition, Field(alias="not")]
    on_fail: OnFail | None = None
    then: Then = "continue"


def _condition_kind(value: Any) -> str:
    if isinstance(value, BaseModel):
        return type(value).__name__
    if isinstance(value, dict):
        for key, kind in (("all", "All"), ("any", "Any_"), ("not", "Not")):
            if key in value:
                return kind
    return "Leaf"


Condition = Annotated[
    Annotated[Leaf, Tag("Leaf")]
    | Annotated[All, Tag("All")]
    | Annotated[Any_, Tag("Any_")]
    | Annotated[Not, Tag("Not")],
    Discriminator(_condition_kind),
]

Conditions = tuple[Condition, ...]


class Step(Model):
    """Runs one crew once its conditions hold; the output replaces the crew's namespace.

    `timeout` is in seconds and per attempt; `retry_attempts` counts further tries after the first, for transient
    errors only. `with` values may refer to earlier outputs: `${namespace.path}`.
    """

    state: StateName
    crew: Annotated[str, Field(min_length=1)]
    conditions: Conditions = ()
    timeout: Seconds = DEFAULT_TIMEOUT
    retry_attempts: Retries = 0
    on_error: Literal["fail", "continue"] = "fail"
    with_: Annotated[FreeMapping, Field(alias="with", default_factory=dict)]


class Terminal(Model):
    """Ends the run (in a called workflow, `COMPLETED` ends the call)."""

    state: TerminalState
    conditions: Conditions = ()
    reason: str = ""


class Parallel(Model):
    """Starts all children at once and goes on when all have settled; fails if one of them failed."""

    parallel: Annotated[tuple[Node, ...], Field(min_length=1)]
    conditions: Conditions = ()
    merge: Merge | None = None


class LoopBody(Model):
    """What a loop repeats. `crew` is the default of inner steps; without a `sequence` it is the single step."""

    state_prefix: StateName
    crew: str | None = None
    max_iterations: Count
    break_conditions: Conditions = ()
    sequence: tuple[Node, ...] = ()
    on_exhausted: OnExhausted = "stop"
    timeout: Seconds = DEFAULT_TIMEOUT
    retry_attempts: Retries = 0
    on_error: Literal["fail", "continue"] = "fail"
    with_: Annotated[FreeMapping, Field(alias="with", default_factory=dict)]

    @model_validator(mode="before")
    @classmethod
    def _hand_down_the_crew(cls, raw: Any) -> Any:
        """Inner steps that name no crew get the loop's, so that everything after this sees complete steps."""
        if isinstance(raw, dict) and isinstance(raw.get("crew"), str) and raw.get("sequence"):
            return {**raw, "sequence": with_crew(raw["sequence"], raw["crew"])}
        return raw

    @model_validator(mode="after")
    def _has_a_body(self) -> LoopBody:
        if not self.crew and not self.sequence:
            raise PydanticCustomError("no_body", "a loop repeats a crew or a sequence, and this has neither")
        return self


class Loop(Model):
    """Repeats its body; break conditions are read in order after each iteration, the first that holds leaves it."""

    loop: LoopBody
    conditions: Conditions = ()


class ForeachBody(Model):
    """One step per item of the list at `over`; the item is the step's value named by `as`."""

    over: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$")]
    as_: Annotated[str, Field(alias="as", pattern=r"^[a-z][a-z0-9_]*$")]
    max_parallel: Count | None = None
    step: Step
    merge: Merge | None = None


class Foreach(Model):
    """Fans out over a list that an earlier crew produced."""

    foreach: ForeachBody
    conditions: Conditions = ()


class ApprovalBody(Model):
    """A question to a person; `timeout` in seconds, without one the run waits until its deadline."""

    state: StateName
    prompt: Annotated[str, Field(min_length=1)]
    timeout: Seconds | None = None
    on_timeout: Literal["reject", "approve"] = "reject"


class Approval(Model):
    """Waits, holding no worker, until a person answers."""

    approval: ApprovalBody
    conditions: Conditions = ()


class CallBody(Model):
    """Names the workflow to run inside this run; `with` values reach each of its steps."""

    workflow: WorkflowName
    with_: Annotated[FreeMapping, Field(alias="with", default_factory=dict)]


class Call(Model):
    """Another workflow as a node: the same run, the same step budget."""

    call: CallBody
    conditions: Conditions = ()


class Sequence(Model):
    """Nodes one after the other."""

    sequence: Annotated[tuple[Node, ...], Field(min_length=1)]
    conditions: Conditions = ()


Node = Annotated[
    Annotated[Step, Tag("Step")]
    | Annotated[Terminal, Tag("Terminal")]
    | Annotated[Parallel, Tag("Parallel")]
    | Annotated[Loop, Tag("Loop")]
    | Annotated[Foreach, Tag("Foreach")]
    | Annotated[Approval, Tag("Approval")]
    | Annotated[Call, Tag("Call")]
    | Annotated[Sequence, Tag("Sequence")],
    Discriminator(node_kind),
]


class Workflow(Model):
    """One workflow: its name, free metadata and the nodes it runs in order."""

    name: WorkflowName
    metadata: FreeMapping = Field(default_factory=dict)
    sequence: Annotated[tuple[Node, ...], Field(min_length=1)]
