"""Decides what is told of a crew: what it writes, which model it works with, its team and the limits of its calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zts_core.catalogue import find_crew, find_shape, list_crews, team_of
from zts_core.crew import Crew, Role, short_name
from zts_core.errors import BadInput, PermanentError
from zts_core.limits import pace_of
from zts_core.pricing.choice import model_of
from zts_core.prompts import read_prompt
from zts_core.settings import Settings


@dataclass(frozen=True, slots=True)
class CrewLine:
    """A crew in a list; `trouble` says why it cannot be used, and then the rest is empty."""

    name: str
    namespace: str = ""
    model: str = ""
    task: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """An agent: its task, what it reads, its tools, what it fills, and the version of its prompt and whose it is."""

    name: str
    task: str
    reads: list[str]
    tools: list[str]
    most_calls: int
    fills: dict[str, Any]
    prompt: str
    digest: str


@dataclass(frozen=True, slots=True)
class CrewFacts:
    """All of a crew; `output` by field, `limits` of each call of a model."""

    name: str
    namespace: str
    task: str
    model: str
    output: dict[str, str]
    roles: list[RoleFacts]
    limits: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def lines(settings: Settings) -> Iterator[CrewLine]:
    """Every announced crew; one that is broken says so and troubles nobody else."""
    for name in list_crews():
        try:
            crew = find_crew(name)
        except BadInput as trouble:
            yield CrewLine(name, trouble=str(trouble))
        else:
            yield CrewLine(name, crew.namespace, mode_of(settings, crew, name), task_of(crew))


def facts_of(settings: Settings, name: str) -> CrewFacts:
    """All of the crew of this name; CrewInvalid, SettingInvalid or PermanentError where something cannot be used."""
    crew, shape = find_crew(name), find_shape(name)
    return CrewFacts(
        name=name,
        namespace=crew.namespace,
        task=task_of(crew),
        model=mode_of(settings, crew, name),
        output={field: str(shape.field(field)) for field in _fields(shape.schema)},
        roles=[_role(settings, role) for role in team_of(crew)],
        limits=_limits(settings, name),
    )


def mode_of(settings: Settings, crew: type[Crew], name: str) -> str:
    """`offline`, or the model it works with as it is configured here."""
    choice = model_of(settings, name)
    return choice.name if choice and (team_of(crew) or _is_foreign(crew)) else "offline"


def _is_foreign(crew: type[Crew]) -> bool:
    """A crew of a user's may ask a model without naming a team."""
    return not crew.__module__.startswith("zts_worker.")


def task_of(crew: type[Crew]) -> str:
    """The first line of its docstring."""
    return (inspect.getdoc(crew) or "").partition("\n")[0]


def _role(settings: Settings, role: Role[Any]) -> RoleFacts:
    try:
        prompt = read_prompt(role.prompt, overrides=settings.prompts)
    except PermanentError as trouble:
        raise BadInput(str(trouble)) from None
    return RoleFacts(
        name=role.name,
        task=role.task,
        reads=["idea", *role.reads],
        tools=list(role.tools),
        most_calls=role.most_calls,
        fills={"model": role.answer.__name__, "fields": _fields(role.answer.model_json_schema())},
        prompt="shipped" if prompt.path == role.prompt else str(prompt.path),
        digest=prompt.digest,
    )


def _fields(schema: Mapping[str, Any]) -> list[str]:
    return list(schema.get("properties", {}))


def _limits(settings: Settings, name: str) -> dict[str, Any]:
    choice = model_of(settings, name)
    provider = choice.provider if choice else ""
    own = settings.crew_budgets.get(short_name(name))
    return {
        "repairs": settings.model_repairs,
        "seconds_per_call": settings.model_timeout,
        "answer_tokens": settings.model_max_tokens,
        "answer_bytes": settings.model_answer_bytes,
        "requests_per_minute": pace_of(settings.model_requests_per_minute, provider) or None,
        "tokens_per_minute": pace_of(settings.model_tokens_per_minute, provider) or None,
        "budget_of_this_crew": str(own) if own else None,
        "budget_usd_of_a_run": settings.budget_usd,
        "budget_tokens_of_a_run": settings.budget_tokens,
    }
