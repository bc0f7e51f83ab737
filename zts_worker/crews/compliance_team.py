"""Decides what an agent adds to the comparison with the frameworks: personal data that the rules did not see.

An auditor may only find more: what is met, promised or missing is decided on evidence, never on an agent's word.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.compliance_evidence import PersonalField
from zts_worker.crews.team import Filled, Line, Sentence, ask, readable, role

Name = Annotated[str, Field(min_length=1, max_length=60)]


class Datum(Filled):
    """Something kept about a person."""

    record: Name
    field: Name


class Audit(Filled):
    """What the auditor says."""

    personal_data: Annotated[list[Datum], Field(max_length=8)]
    concerns: Annotated[list[Sentence], Field(max_length=5)]
    summary: Line


AUDITOR = role("compliance/auditor", "finds personal data that the rules did not see", Audit, reads=("validation",))
TEAM = (AUDITOR,)


def by_team(
    models: Models, context: StepContext, fields: list[PersonalField], frameworks: list[str]
) -> tuple[list[PersonalField], list[str]]:
    """The fields with those that the auditor adds, and the auditor's concerns."""
    found = {"personal data": [f"{field.entity}.{field.attribute}" for field in fields], "frameworks": frameworks}
    audit = ask(models, AUDITOR, readable(context, AUDITOR, rules=found))
    known = {(field.entity.lower(), field.attribute.lower()) for field in fields}
    added = [
        PersonalField(datum.record, datum.field, "idea")
        for datum in audit.personal_data
        if (datum.record.lower(), datum.field.lower()) not in known
    ]
    return [*fields, *dict.fromkeys(added)], audit.concerns
