"""Decides what follows from a judged idea: the recommendation, the risks, and what belongs into a first version."""

from __future__ import annotations

import re
from typing import Literal

from zts_worker.crews.reading import Entity, IdeaReading
from zts_worker.crews.reading.facets import FORMATS
from zts_worker.crews.safeguards import Care, missing_for_compliance, missing_for_security

Severity = Literal["low", "medium", "high"]
RiskRow = tuple[str, Severity, str, str]

NOT_JUDGED = (
    "Whether the market is as large as the text says: nothing was looked up.",
    "Whether the named alternatives are all there are.",
    "Whether the law of a particular country allows it: only plainly illegal wording was looked for.",
)
HOLLOW = 0.3
_LEFT_OUT = re.compile(r"^(?:no|without)\b|\b(?:no|without|only|not) (?:\w+[ ,]){1,3}", re.I)
_FIRST = re.compile(r"\b(?:first (?:version|release|prototype)|mvp|pilot|version one)\b", re.I)

_BY_KIND: dict[str, str] = {
    "web": "A server-rendered web application with a relational database does all of it.",
    "mobile": "A mobile-first web application comes first; a store app needs review times and two platforms.",
    "hardware": "A microcontroller board, its firmware and a bench test; parts and power budget decide.",
    "data": "An import, a table of measurements and a chart; the quality of the source data decides.",
    "marketplace": "Two kinds of users, listings, requests and a state for each deal; trust decides.",
    "internal_tool": "A web application behind the company's login; the import of existing data decides.",
    "game": "One playable level first; fun cannot be specified, only tried.",
    "api": "A versioned HTTP interface with keys, limits and documentation.",
}


def recommend(
    reading: IdeaReading, confidence: float, scores: dict[str, float]
) -> tuple[Literal["go", "no_go", "pivot", "research"], str]:
    """The recommendation and its reason in one sentence."""
    if reading.unlawful:
        return "no_go", f"The text describes something illegal: {reading.unlawful[0]}"
    if scores["feasibility"] == 0.0:
        return "no_go", "The text asks for something that cannot be built."
    if reading.language != "en":
        return "research", reading.not_judged[0] if reading.not_judged else "The text could not be read."
    if confidence < HOLLOW:
        return "no_go", f"There is too little to build on; missing: {', '.join(_weakest(scores, 4))}."
    if scores["feasibility"] < 0.5:
        return "pivot", "A small part of this could be built; the whole is beyond a first version."
    if confidence <= 0.6:
        return "research", f"Find out first: {', '.join(_weakest(scores, 3))}."
    if scores["alternatives"] == 0.7 and scores["evidence"] == 0.0:
        return "pivot", "There are alternatives, nothing sets this apart from them, and nobody was asked."
    return "go", f"Concrete enough to build; weakest: {', '.join(_weakest(scores, 2))}."


def _weakest(scores: dict[str, float], count: int) -> list[str]:
    low = sorted((name for name in scores if scores[name] < 1.0), key=lambda name: scores[name])
    return low[:count] or ["nothing"]


def building(reading: IdeaReading) -> list[str]:
    """What it takes: by the kind of product, its size and what it connects to."""
    said = [_BY_KIND[reading.kind]]
    if reading.entities:
        links = sum(len(entity.belongs_to) for entity in reading.entities)
        said.append(f"The data model has {len(reading.entities)} entities and {links} relations.")
    if services := _services(reading):
        said.append(f"It connects to {', '.join(services)}; each needs an account or a part, and a fallback.")
    return said


def _services(reading: IdeaReading) -> list[str]:
    """What it depends on beside itself: services and radios, and no formats of files."""
    return [name for name in reading.integrations if name not in FORMATS]


def included(reading: IdeaReading) -> list[str]:
    """What the first version lets users do, by the three most important things and the actions named."""
    lines = [_kept(entity) for entity in reading.entities[:3]]
    lines += [
        f"{action.verb.capitalize()} {_title(reading, action.entity)}." for action in reading.actions if action.entity
    ]
    return list(dict.fromkeys(lines))[:10]


def _kept(entity: Entity) -> str:
    details = ", ".join(attribute.name.replace("_", " ") for attribute in entity.attributes)
    return f"Add, list, change and delete each {entity.title.lower()} ({details})."


def _title(reading: IdeaReading, name: str | None) -> str:
    return next((entity.plural.replace("_", " ") for entity in reading.entities if entity.name == name), name or "")


def left_out(reading: IdeaReading) -> list[str]:
    """What the text itself leaves out, then lesser things and integrations."""
    said = [s for at, s in enumerate(reading.sentences) if _LEFT_OUT.search(s) and _near_first_version(reading, at)]
    later = [f"{entity.title} comes after the first three things." for entity in reading.entities[3:]]
    later += [f"The connection to {name} is simulated at first." for name in _services(reading)[:4]]
    return [*said[:3], *later]


def _near_first_version(reading: IdeaReading, at: int) -> bool:
    return any(_FIRST.search(sentence) for sentence in reading.sentences[max(0, at - 1) : at + 1])


def risks(reading: IdeaReading, care: Care, scores: dict[str, float]) -> list[RiskRow]:
    """Risks that the text shows or leaves open, the worst first."""
    found = [*_from_gaps(scores), *_from_care(care), *_from_kind(reading)]
    order = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda row: order[row[1]])


def _from_gaps(scores: dict[str, float]) -> list[RiskRow]:
    rows: list[RiskRow] = []
    if scores["evidence"] < 0.8:
        rows.append(
            (
                "unproven demand",
                "high" if not scores["evidence"] else "medium",
                "Nobody was asked, or not counted.",
                "Ask ten of the named users before building, and write down their answers.",
            )
        )
    if not scores["alternatives"]:
        rows.append(
            (
                "unknown competition",
                "medium",
                "No alternative is named.",
                "Name what users do today and what it costs them.",
            )
        )
    if not scores["money"]:
        rows.append(
            ("no income", "medium", "No price and no saving is named.", "Set a price and show it on the landing page.")
        )
    if not scores["scope"]:
        rows.append(
            (
                "growing scope",
                "medium",
                "Nothing bounds the first version.",
                "Ship the three most important things only.",
            )
        )
    return rows  # fmt: skip


def _from_care(care: Care) -> list[RiskRow]:
    rows: list[RiskRow] = []
    for gap in (*missing_for_compliance(care), *missing_for_security(care)):
        severity: Severity = "high" if care.is_sensitive else "medium"
        rows.append(
            (
                f"not promised: {gap}",
                severity,
                "The product holds data that asks for it.",
                "Decide it before the first user.",
            )
        )
    return rows


def _from_kind(reading: IdeaReading) -> list[RiskRow]:
    rows: list[RiskRow] = []
    if reading.kind == "marketplace":
        rows.append(
            (
                "two sides at once",
                "high",
                "A marketplace is empty until both sides are there.",
                "Begin in one place, and fill one side by hand.",
            )
        )
    if reading.kind == "hardware":
        rows.append(("parts", "medium", "Parts may be out of stock or change.", "Choose parts with a second source."))
    if services := _services(reading):
        rows.append(("dependence", "low", f"It relies on {', '.join(services)}.", "Keep each behind one module."))
    if len(reading.entities) > 4:
        rows.append(
            ("breadth", "low", f"{len(reading.entities)} things at once.", "Build the first three, then look again.")
        )
    return rows  # fmt: skip
