"""Decides which pieces of work an idea needs, how long each takes, and which must come before which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zts_worker.crews.reading import Entity, IdeaReading
from zts_worker.crews.reading.words import listed
from zts_worker.crews.safeguards import Care

FOUNDATION, FIRST_VERSION, WHOLE, LAUNCH = "Foundation", "First version", "Whole product", "Launch"
MILESTONES: tuple[tuple[str, str], ...] = (
    (FOUNDATION, "An empty product that is built, checked and deployed by itself."),
    (FIRST_VERSION, "The most important things can be kept and used by the first users."),
    (WHOLE, "Everything that the idea names works."),
    (LAUNCH, "Strangers can find it, use it and say what they think."),
)

HOURS_PER_MODEL = 1.0
HOURS_PER_ATTRIBUTE = 0.25
HOURS_PER_PAGES = 3.0
HOURS_PER_ACTION = 2.5
HOURS_PER_INTEGRATION = 6.0
"""Own rules of thumb for one developer who knows the tools; they order and compare tasks, they are no promise."""

_PLAIN_VERBS = listed("add create enter list show see view edit update change delete remove keep store save")
MAX_ACTION_TASKS = 10


@dataclass(slots=True)
class Draft:
    """A task before it has a number: `key` is what others name in `after`."""

    key: str
    title: str
    description: str
    hours: float
    milestone: str
    entity: str | None = None
    after: list[str] = field(default_factory=list)


def drafts_of(reading: IdeaReading, care: Care, validation: Mapping[str, Any] | None) -> list[Draft]:
    """Every task of this idea, each behind those it depends on."""
    drafts = [*_foundation(reading, care)]
    for at, entity in enumerate(owners_first(reading.entities)):
        drafts += _of_entity(entity, FIRST_VERSION if at < 3 else WHOLE, reading)
    drafts += [
        *_of_actions(reading),
        *_of_kind(reading),
        *_of_integrations(reading),
        *_of_care(reading, care, validation),
    ]
    _lift(drafts)
    return [*drafts, *_launch(drafts)]


def _lift(drafts: list[Draft]) -> None:
    """A task belongs to no earlier milestone than those it waits for; drafts stand behind what they wait for."""
    rank = [name for name, _ in MILESTONES]
    reached: dict[str, int] = {}
    for draft in drafts:
        reached[draft.key] = max([rank.index(draft.milestone), *(reached.get(key, 0) for key in draft.after)])
        draft.milestone = rank[reached[draft.key]]


def _foundation(reading: IdeaReading, care: Care) -> list[Draft]:
    drafts = [
        Draft("setup", "Set up the project", "Repository, dependencies, checks on every change.", 3.0, FOUNDATION),
        Draft("deploy", "Deploy the empty product", "One command or push brings it to its first host.", 4.0, FOUNDATION,
              after=["setup"]),
    ]  # fmt: skip
    if care.has_personal_data or reading.kind in ("internal_tool", "marketplace"):
        drafts.append(
            Draft("signin", "Let people sign in", "Accounts, sessions, and that everybody sees only their own.", 6.0,
                  FOUNDATION, after=["setup"])
        )  # fmt: skip
    return drafts


def owners_first(entities: tuple[Entity, ...]) -> list[Entity]:
    """Owners before what belongs to them, otherwise the reading's order."""
    placed: dict[str, Entity] = {}
    by_name = {entity.name: entity for entity in entities}

    def place(entity: Entity) -> None:
        for owner in entity.belongs_to:
            if owner in by_name and owner not in placed:
                place(by_name[owner])
        placed.setdefault(entity.name, entity)

    for entity in entities:
        place(entity)
    return list(placed.values())


def _of_entity(entity: Entity, milestone: str, reading: IdeaReading) -> list[Draft]:
    known = {other.name for other in reading.entities}
    owners = [f"model:{owner}" for owner in entity.belongs_to if owner in known]
    details = ", ".join(f"{a.name} ({a.kind.replace('_', ' ')})" for a in entity.attributes)
    title = entity.title.lower()
    hours = HOURS_PER_MODEL + HOURS_PER_ATTRIBUTE * len(entity.attributes)
    pages = HOURS_PER_PAGES * (0.8 if reading.kind == "api" else 1.0)
    surface = "endpoints" if reading.kind == "api" else "pages"
    return [
        Draft(f"model:{entity.name}", f"Keep each {title}", f"Table and rules for {details}. From: {entity.sentence}",
              hours, milestone, entity.name, ["setup", *owners]),
        Draft(f"pages:{entity.name}", f"Add, list, change and delete each {title}",
              f"The {surface} for it, with the errors a wrong value gets, and their tests.",
              pages, milestone, entity.name, [f"model:{entity.name}"]),
    ]  # fmt: skip


def _of_actions(reading: IdeaReading) -> list[Draft]:
    plurals = {entity.name: entity.plural.replace("_", " ") for entity in reading.entities}
    drafts = [
        Draft(f"do:{action.verb}:{action.entity}", f"{action.verb.capitalize()} {plurals[action.entity]}",
              f"As the idea says: {action.sentence}", HOURS_PER_ACTION, FIRST_VERSION, action.entity,
              [f"pages:{action.entity}"])
        for action in reading.actions
        if action.entity in plurals and action.verb not in _PLAIN_VERBS
    ]  # fmt: skip
    return drafts[:MAX_ACTION_TASKS]


_OF_KIND: dict[str, tuple[tuple[str, str, float], ...]] = {
    "web": (("Lay out the pages for phones and desktops", "Navigation, empty states, errors, keyboard use.", 5.0),),
    "mobile": (
        ("Lay out everything for one hand", "Large targets, home-screen icon, works on slow networks.", 6.0),
        ("Keep working without a network", "Store entries on the phone and send them later, once.", 8.0),
    ),
    "hardware": (
        ("Draw the block diagram and choose parts", "Parts, interfaces and power budget before any board.", 6.0),
        ("Write the firmware's main loop", "Sleep, wake, measure, send; runs on a PC against simulated parts.", 12.0),
        ("Test on the bench", "Measured currents against the budget, for a day.", 8.0),
    ),
    "data": (
        ("Import the source data", "Read, check and refuse bad rows with their line numbers.", 6.0),
        ("Chart the result", "The one picture that answers the question, and its table.", 5.0),
    ),
    "marketplace": (
        ("Search what is offered", "By words, place and dates.", 5.0),
        ("Give each deal its states", "Asked, accepted, handed over, returned, disputed; who may move it on.", 6.0),
    ),
    "internal_tool": (
        ("Import what exists today", "From the spreadsheet in use, more than once without doubles.", 5.0),
    ),
    "game": (
        ("Make the core loop playable", "One level, one rule, win and lose; try it with five people.", 10.0),
        ("Keep the score", "Progress survives a restart.", 3.0),
    ),
    "api": (
        ("Give out keys and limits", "Per client, with an answer that says when to come back.", 5.0),
        ("Document the interface", "A machine-readable description and one example per call.", 4.0),
    ),
}  # fmt: skip


def _of_kind(reading: IdeaReading) -> list[Draft]:
    after = [f"model:{reading.entities[0].name}"] if reading.entities else ["setup"]
    drafts: list[Draft] = []
    for at, (title, description, hours) in enumerate(_OF_KIND[reading.kind]):
        drafts.append(Draft(f"kind:{at}", title, description, hours, FIRST_VERSION, after=[*after]))
        after = [f"kind:{at}"]
    return drafts


def _of_integrations(reading: IdeaReading) -> list[Draft]:
    first = f"pages:{reading.entities[0].name}" if reading.entities else "setup"
    return [
        Draft(f"link:{name}", f"Connect {name}", "Behind one module, with a simulated twin for tests.",
              HOURS_PER_INTEGRATION, WHOLE, after=[first])
        for name in reading.integrations[:5]
    ]  # fmt: skip


def _of_care(reading: IdeaReading, care: Care, validation: Mapping[str, Any] | None) -> list[Draft]:
    """Export and deletion where people are kept, and one task per promise that validation found missing."""
    if not care.has_personal_data:
        return []
    personal = [e.name for e in reading.entities if any(a.personal for a in e.attributes)] or [reading.entities[0].name]
    after = [f"model:{name}" for name in personal]
    drafts = [Draft("care", "Export and delete a person's data", "On request, complete, and proven by a test.", 4.0,
                    FIRST_VERSION, after=after)]  # fmt: skip
    missing = [] if validation is None else [*_listed(validation, "compliance"), *_listed(validation, "security")]
    for at, gap in enumerate(dict.fromkeys(missing)):
        drafts.append(Draft(f"gap:{at}", f"Settle: {gap}", "The validation found no word on this in the idea.", 3.0,
                            FIRST_VERSION, after=["care"]))  # fmt: skip
    return drafts


def _listed(validation: Mapping[str, Any], topic: str) -> list[str]:
    found = validation.get(f"missing_for_{topic}", [])
    return [str(entry) for entry in found][:5] if isinstance(found, list | tuple) else []


def _launch(drafts: list[Draft]) -> list[Draft]:
    needed = {name for draft in drafts for name in draft.after}
    leaves = [draft.key for draft in drafts if draft.key not in needed]
    first = [draft.key for draft in drafts if draft.milestone == FIRST_VERSION and draft.key.startswith("pages:")]
    return [
        Draft("trial", "Try it with five of the named users", "Watch, write down, fix what stops them.", 8.0, LAUNCH,
              after=first or ["deploy"]),
        Draft("release", "Release", "Landing page, release notes, rollback tried once.", 4.0, LAUNCH,
              after=[*leaves, "trial"]),
    ]  # fmt: skip
