"""Decides what is really there: personal fields of the data model, and abilities that the built code shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zts_core.crew import EarlierArtifacts
from zts_worker.crews.reading import IdeaReading
from zts_worker.crews.reading.fields import is_personal
from zts_worker.crews.reading.signs import signs
from zts_worker.crews.safeguards import Care

MOST_FILES = 300
MOST_BYTES = 400_000
PROMISE = "The idea says: "
FEW_PERSONAL_FIELDS = 4
"""Up to so many personal fields in the whole data model are called few; own judgement."""

_ABILITIES = {
    "deletion": re.compile(r"\bdef \w*delete\w*|\bDELETE FROM\b"),
    "export": re.compile(r"\bdef \w*export\w*|csv\.writer|[\"']/api/"),
    "access control": re.compile(r"compare_digest|login_required|\bdef \w*authenticate\w*"),
    "audit log": re.compile(r"\baudit_?log\b|\bdef \w*audit\w*"),
    "encryption": re.compile(r"\bFernet\b|\bssl\.create_default_context|\bload_cert_chain\b"),
}
_SALE = signs(r"""(?:sell|sells|selling|sold|share|license) (?:\w+ ){0,3}(?:data|profiles?|addresses|e-?mails) to|
    data (?:is|are|will be) sold|ad networks?|third parties|data brokers?""")


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A field that says something of a person, and where it was found."""

    entity: str
    attribute: str
    source: Literal["idea", "build"]


def personal_fields(reading: IdeaReading, build: Mapping[str, Any] | None) -> list[PersonalField]:
    """Personal fields of what was built; of the idea where nothing was."""
    built = [
        PersonalField(entity, attribute, "build")
        for entity, attribute, personal in _built_attributes(build)
        if personal or is_personal(attribute, entity)
    ]
    if build is not None and built:
        return built
    return [PersonalField(e.name, a.name, "idea") for e in reading.entities for a in e.attributes if a.personal]


def _built_attributes(build: Mapping[str, Any] | None) -> Iterator[tuple[str, str, bool]]:
    model = (build or {}).get("data_model")
    for entity in _mappings(model.get("entities") if isinstance(model, Mapping) else None):
        for attribute in _mappings(entity.get("attributes")):
            yield str(entity.get("name", "")), str(attribute.get("name", "")), attribute.get("personal") is True


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def evidence_of(
    reading: IdeaReading, care: Care, fields: list[PersonalField], artifacts: EarlierArtifacts
) -> dict[str, str]:
    """What is met, by name, with the sentence or the file that shows it. What was built counts before a promise."""
    found = {name: f"{PROMISE}{sentence}" for name, sentence in care.promises.items()}
    found |= {name: f"Built: {path}" for name, path in _abilities(artifacts).items()}
    if len(fields) <= FEW_PERSONAL_FIELDS:
        found.setdefault("few personal fields", f"The data model has {len(fields)} personal fields.")
    if not any(_SALE.search(sentence) for sentence in reading.sentences):
        found["no sale"] = "Nothing in the idea sells or passes on personal data."
    return found


def _abilities(artifacts: EarlierArtifacts) -> dict[str, str]:
    """The first file of the built project that shows each ability."""
    shown: dict[str, str] = {}
    for path in artifacts.paths("build")[:MOST_FILES]:
        if not path.endswith(".py"):
            continue
        if "/tests/" in path or path.rsplit("/", 1)[-1].startswith("test_"):
            shown.setdefault("tests", path)
            continue
        code = artifacts.read_bytes("build", path)[:MOST_BYTES].decode("utf-8", "replace")
        for name, sign in _ABILITIES.items():
            if name not in shown and sign.search(code):
                shown[name] = path
    return shown
