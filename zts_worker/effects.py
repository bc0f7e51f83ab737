"""Decides what a crew's end amounts to: an effect to commit, or an error that is worth another try."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from zts_core.errors import PermanentError, ServiceUnavailable, SettingInvalid, TransientError
from zts_core.ports import StepResult
from zts_core.run import Settled, SettledAs, dumps
from zts_core.workflow.plan import Plan
from zts_worker.step_context import AttemptContext
from zts_worker.supervision import Watched

log = logging.getLogger(__name__)

LONGEST_REASON = 4_000
"""Characters of what an error says: enough for people, and a ledger is kept in memory."""

LONGEST_TRACE = 8_000
"""Characters of a traceback that are kept with a step that failed for good."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an attempt wants to commit."""

    status: SettledAs
    reason: str = ""
    result: StepResult = field(default_factory=StepResult)
    trace: str = ""
    digest: str = ""


def settled_by(effect: Effect, seq: int, plan: Plan) -> Settled:
    """What the heart gets to know of it."""
    if effect.status is not SettledAs.DONE:
        return Settled(seq, effect.status, reason=effect.reason)
    result = effect.result
    facts = plan.facts(result.namespace, result.output)
    return Settled(seq, SettledAs.DONE, result.namespace, effect.digest, facts)


def digest_of_effect(result: StepResult) -> str:
    """What a loop's progress is measured by: output and files, without the `seconds` that differ each time."""
    whole = dumps([_without_seconds(result.output), result.artifacts]).encode("utf-8", "replace")
    return hashlib.blake2b(whole, digest_size=8).hexdigest()


def _without_seconds(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_seconds(inner) for key, inner in value.items() if key != "seconds"}
    return [_without_seconds(inner) for inner in value] if isinstance(value, list) else value


def judged(
    model: type[BaseModel], namespace: str, watched: Watched, context: AttemptContext
) -> Effect | TransientError:
    """The effect of a crew that ended by itself, or an error that is worth another try."""
    error = watched.error
    if error is None:
        return _checked(model, namespace, watched.value, context)
    if isinstance(error, TransientError):
        return error
    # A setting that this worker lacks, such as a key, another one may have.
    if isinstance(error, ConnectionError | TimeoutError | ServiceUnavailable | SettingInvalid):
        return TransientError(f"{type(error).__name__}: {said(error)}")
    log.error("crew failed", exc_info=error)
    kind = "" if isinstance(error, PermanentError) else f"{type(error).__name__}: "
    return Effect(SettledAs.FAILED, f"{context.state} failed: {kind}{said(error)}", trace=trace_of(error))


def said(error: BaseException) -> str:
    """What an error says, as far as it can say it and people want to read it."""
    try:
        text = str(error)
    except Exception:
        return "an error that cannot be put into words"
    if len(text) <= LONGEST_REASON:
        return text
    return f"{text[:LONGEST_REASON]}... (cut, {len(text):,} characters)"


def trace_of(error: BaseException) -> str:
    """The end of an error's traceback, which is where the crew's own lines are."""
    return "".join(traceback.format_exception(error))[-LONGEST_TRACE:] if error.__traceback__ else ""


def _checked(model: type[BaseModel], namespace: str, value: Any, context: AttemptContext) -> Effect:
    try:
        output = value if isinstance(value, model) else model.model_validate(value)
        result = StepResult(namespace, _as_json(output), dict(context.artifacts.manifest))
        digest = digest_of_effect(result)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        return Effect(SettledAs.FAILED, f"{context.state} gave no valid {model.__name__}: {problems}"[:LONGEST_REASON])
    except Exception as error:  # a model's own validators and serializers may raise anything
        reason = f"{context.state} gave no {model.__name__} that JSON can hold: {type(error).__name__}: {said(error)}"
        return Effect(SettledAs.FAILED, reason, trace=trace_of(error))
    if result.output_bytes > context.sizes.output:
        reason = (
            f"its output of {result.output_bytes:,} bytes is more than the {context.sizes.output:,} of "
            "ZTS_OUTPUT_BYTES; "
            "leave what is large as a file (context.artifacts), or raise it"
        )
        return Effect(SettledAs.FAILED, f"{context.state} failed: {reason}")
    if reason := context.artifacts.too_much(result.kept_bytes):
        return Effect(SettledAs.FAILED, f"{context.state} failed: {reason}")
    return Effect(SettledAs.DONE, result=result, digest=digest)


def _as_json(output: BaseModel) -> Mapping[str, Any]:
    """The output as plain data that every reader of JSON understands."""
    plain: Mapping[str, Any] = output.model_dump(mode="json", by_alias=True)
    json.dumps(plain, allow_nan=False)
    return plain
