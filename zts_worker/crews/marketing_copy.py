"""Decides what is said about a product: value proposition, positioning, steps, posts and e-mails, in its own words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zts_worker.crews.graph_tasks import owners_first
from zts_worker.crews.reading import Entity, IdeaReading
from zts_worker.crews.reading.facets import is_substitute
from zts_worker.crews.reading.nouns import is_person
from zts_worker.crews.safeguards import Care

_KIND_PHRASE = {
    "web": "a web application", "mobile": "a mobile app", "hardware": "a device", "data": "a data service",
    "marketplace": "a marketplace", "internal_tool": "an internal tool",
    "game": "a game", "api": "an interface for programs",
}  # fmt: skip
# What the idea promises, not what is built: hence the future.
_PROMISE_LINES = {
    "consent": "Nothing is stored about you before you agree.",
    "deletion": "You will be able to delete your data.",
    "export": "You will be able to take your data with you.",
    "encryption": "Data will be encrypted.",
    "access control": "You will decide who sees what.",
    "payment provider": "Card numbers never reach us.",
    "local only": "Your data stays with you.",
    "data minimum": "We ask for as little as possible.",
    "audit log": "Every change will leave a trace.",
}
_SENT_BY_THE_PRODUCT = frozenset(
    ("send", "remind", "show", "notify", "count", "measure", "display", "award", "calculate")
)
POST_LIMIT = 280
"""Characters of a short post: what the strictest common network takes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of `how it works`: a heading and a line."""

    title: str
    line: str


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail: days after sign-up, subject, body in plain text."""

    day: int
    subject: str
    body: str


def product_name(reading: IdeaReading) -> str:
    """The title up to its colon or dash, where it has one."""
    return re.split(r"\s*[:–—|]\s+|\s+-\s+", reading.title, maxsplit=1)[0] or reading.title


def audience_phrase(reading: IdeaReading) -> str:
    """Whom it is for, as in `for ...`; a relative clause is kept only behind `people`."""
    if not reading.audience:
        return "the people who need it"
    group = reading.audience[0]
    return group if group.startswith("people") else group.split(" who ")[0]


def benefit_phrase(reading: IdeaReading) -> str:
    """What users do with it, as in `lets them ...`: up to three actions on different things."""
    doings: dict[str, str] = {}
    plurals = {entity.name: entity.plural.replace("_", " ") for entity in reading.entities}
    for action in reading.actions:
        if action.entity in plurals and action.verb not in _SENT_BY_THE_PRODUCT:
            doings.setdefault(action.entity or "", f"{action.verb} {plurals[action.entity]}")
    if not doings and reading.entities:
        return f"keep track of {joined([plurals[e.name] for e in reading.entities[:2]])}"
    return joined(list(doings.values())[:3]) or "see at a glance where things stand"


def value_proposition(reading: IdeaReading) -> str:
    """One sentence: who can do what, and what they leave behind."""
    replaced = [name for name in reading.alternatives if name not in reading.integrations]
    left = f" and leave {_instead(replaced[0])} behind" if replaced else ""
    people = audience_phrase(reading)
    return f"{people[:1].upper()}{people[1:]} {benefit_phrase(reading)} in one place{left}."


def positioning(reading: IdeaReading) -> str:
    """Geoffrey Moore's positioning statement (Crossing the Chasm, 1991), filled from the text."""
    need = f"for whom this is true – “{reading.problem}” –" if reading.problem else "without a good way today,"
    named = joined([_instead(name) for name in reading.alternatives[:3]])
    things = joined([e.plural.replace("_", " ") for e in reading.entities[:3]]) or "everything that matters"
    return (
        f"For {audience_phrase(reading)} {need} {product_name(reading)} is {_KIND_PHRASE[reading.kind]} to "
        f"{benefit_phrase(reading)}. {f'Unlike {named}, it' if named else 'It'} is made for {things} and nothing else."
    )


def steps(reading: IdeaReading) -> list[Step]:
    """How it works, in up to four steps: one per thing, owners first, people last."""
    ordered = sorted(owners_first(reading.entities), key=lambda entity: is_person(entity.name))
    return [Step(_step_title(entity, reading), _step_line(entity, reading)) for entity in ordered[:4]]


def _step_title(entity: Entity, reading: IdeaReading) -> str:
    verb = next(
        (a.verb for a in reading.actions if a.entity == entity.name and a.verb not in _SENT_BY_THE_PRODUCT), "add"
    )
    return f"{verb.capitalize()} {entity.plural.replace('_', ' ')}"


def _step_line(entity: Entity, reading: IdeaReading) -> str:
    details = joined([attribute.name.replace("_", " ") for attribute in entity.attributes[:5]])
    owners = [e.title.lower() for e in reading.entities if e.name in entity.belongs_to]
    of = f", each with its {joined(owners)}" if owners else ""
    return f"{details[:1].upper()}{details[1:]} in one place{of}."


def promises(care: Care) -> list[str]:
    """What the text promises about data, as a visitor would be told."""
    return [line for name, line in _PROMISE_LINES.items() if name in care.promises]


def posts(reading: IdeaReading) -> dict[str, str]:
    """A short post, one for a community of the users, and one for people who build things."""
    pain = reading.problem or reading.summary
    short = shortened(f"{product_name(reading)}: {value_proposition(reading)}", POST_LIMIT)
    return {
        "Short post": short,
        "Post for a community of users": "\n\n".join([
            pain,
            f"We are building {product_name(reading)}: {_first_lower(benefit_phrase(reading))}.",
            *([f"The first version is for {audience_phrase(reading)}."] if reading.audience else []),
            f"How do you do it today{_today(reading)}? What would it have to do before you used it for a month?",
        ]),
        "Post for people who build things": "\n\n".join([
            f"{product_name(reading)} – {reading.summary}",
            "What it keeps: " + "; ".join(
                f"{e.title.lower()} ({', '.join(a.name.replace('_', ' ') for a in e.attributes)})"
                for e in reading.entities
            ) + ".",
            "We would like to hear what you would leave out.",
        ]),
    }  # fmt: skip


def _today(reading: IdeaReading) -> str:
    return (
        f" – {joined([_instead(name) for name in reading.alternatives[:2]])} or something else"
        if reading.alternatives
        else ""
    )


def letters(reading: IdeaReading) -> list[Letter]:
    """Four e-mails for people on the list: welcome, the pain, how it works, and a question."""
    how = "\n".join(f"{at}. {step.title}: {step.line}" for at, step in enumerate(steps(reading), start=1))
    price = reading.monetisation[0] if reading.monetisation else "What would it be worth to you? We have no price yet."
    name = product_name(reading)
    return [
        Letter(0, f"Welcome to {name}", f"Thank you for your interest.\n\n{value_proposition(reading)}\n\n"
                  "You hear from us four times; each message has a way out."),
        Letter(3, "Why we build it", f"{reading.problem or reading.summary}\n\n"
                  "Is it the same for you? A reply reaches us."),
        Letter(7, f"How {name} works", f"{how}\n\nWhich step would you skip?"),
        Letter(14, "What we ask of you", f"{price}\n\nTry it for two weeks and tell us what stopped you."),
    ]  # fmt: skip


def joined(parts: list[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def shortened(text: str, limit: int) -> str:
    """`text` cut at a word to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"


def _instead(name: str) -> str:
    """What people use today, as it stands in a sentence: a product by its name, a thing with an article."""
    if name.lower() == "over the phone":
        return "the phone"
    if not is_substitute(name):
        return name
    is_countless = name.lower().endswith("s") or name.lower() in ("paper", "memory", "excel", "pen and paper")
    return _first_lower(name) if is_countless else f"the {_first_lower(name)}"


def _first_lower(text: str) -> str:
    return text if text[:2].isupper() or not text[1:].islower() else text[:1].lower() + text[1:]
