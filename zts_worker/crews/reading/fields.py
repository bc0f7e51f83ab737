"""Decides what an attribute is called, what kind of value it holds, and whether it says something of a person."""

from __future__ import annotations

import keyword
import re

from zts_worker.crews.reading.inflection import identifier, plural, singular
from zts_worker.crews.reading.model import Attribute, FieldKind
from zts_worker.crews.reading.nouns import EVENTS, MATTERS, PEOPLE
from zts_worker.crews.reading.words import listed

_KINDS: tuple[tuple[FieldKind, frozenset[str]], ...] = (
    ("email", listed("email")),
    ("url", listed("link url website homepage photo picture image video logo avatar")),
    ("date", listed("date birthday deadline day time timestamp datetime start end expiry anniversary moment due")),
    ("money", listed("price cost fee amount budget salary deposit total wage tip fine rent revenue balance bid "
                   "payment turnover cost-price discount")),
    ("integer", listed("count number age quantity stock score year page rating capacity mileage duration seat "
                     "rank points calorie round streak set repetition rep minute hour size-number portion serving "
                     "floor position")),
    ("number", listed("weight temperature height length width depth distance moisture humidity percentage percent "
                    "latitude longitude speed voltage power pressure level volume area dose dosage ph threshold radius "
                    "brightness energy consumption yield rate size gravity pace load frequency latency")),
    ("long_text", listed("note notes description comment message summary instruction text bio story feedback answer "
                       "question body content recipe lyrics biography remark observation")),
    ("flag", listed("flag availability consent")),
)  # fmt: skip
_PERSONAL = listed("""
    email phone telephone mobile address birthday birthdate surname firstname nickname passport iban ssn salary
    diagnosis allergy symptom medication photo avatar username gender religion nationality signature""")
_UNITS_INTEGER = listed("page day minute hour second piece step repetition week month year point person")
_UNITS_NUMBER = listed("""
    kilogram kilo gram liter litre kilometer kilometre km kg meter metre centimeter centimetre cm mile celsius
    degree percent volt watt millimeter millimetre mm ml hectare acre ounce lb kwh hz decibel""")
_UNITS_MONEY = listed("euro dollar pound franc cent eur usd gbp")
_COUNTED = re.compile(r"(?:[0-9]+|one|two|three|four|five|six|ten)-")
_RENAMED = {"id": "code", "notes": "notes", "created_at": "created_on"}
_ATTRIBUTE_HEADS = frozenset().union(*(heads for _, heads in _KINDS)) | listed("""
    name title category condition status state colour color location species room type kind author artist genre
    tone reason label brand model material owner-name address phone telephone surname nickname icon language
    currency unit priority difficulty mood emotion gender breed code reference username password history""")


def is_attribute_word(head: str) -> bool:
    """True for nouns that say something about a thing rather than name one."""
    return head in _ATTRIBUTE_HEADS


def attribute(words: tuple[str, ...], *, owner: str, unit: str = "") -> Attribute | None:
    """The attribute that a noun phrase names; None where no identifier is left of it."""
    telling = [word for word in words if not _COUNTED.match(word)] or list(words)
    kept = telling if len(telling) <= 3 else telling[-2:]
    name = identifier(" ".join(kept))
    if not name or len(name) < 2:
        return None
    head = singular(kept[-1])
    kind = _kind(head, tuple(kept), unit)
    name = _RENAMED.get(name, name)
    return Attribute(f"{name}_value" if keyword.iskeyword(name) else name, kind, is_personal(name, owner))


def _kind(head: str, words: tuple[str, ...], unit: str) -> FieldKind:
    by_unit = _kind_of_unit(singular(unit))
    if by_unit:
        return by_unit
    if head == "number" and len(words) > 1:
        return "text"
    if head in ("rate", "level") and words[0] in ("hourly", "daily"):
        return "money"
    for kind, heads in _KINDS:
        if head in heads:
            return kind
    return "email" if "email" in words else "text"


def _kind_of_unit(unit: str) -> FieldKind | None:
    if unit in _UNITS_INTEGER:
        return "integer"
    if unit in _UNITS_NUMBER:
        return "number"
    return "money" if unit in _UNITS_MONEY else None


def is_personal(name: str, owner: str) -> bool:
    """True where `name` of `owner` identifies a person or says something private about one."""
    said = _PERSONAL & set(name.split("_"))
    if said:
        return owner in PEOPLE or not said <= {"photo", "avatar", "mobile", "address", "signature"}
    return owner in PEOPLE and name.endswith(("name", "location", "age", "note", "notes", "contact"))


def flag(word: str) -> Attribute | None:
    """A yes-or-no attribute named by what is asked: `whether the tool was returned` asks `returned`."""
    name = identifier(word)
    return Attribute(f"{name}_flag" if keyword.iskeyword(name) else name, "flag", False) if name else None


def count_of(noun: str) -> Attribute | None:
    """The attribute behind `number of <noun>`."""
    name = identifier(singular(noun))
    return Attribute(f"{name}_count", "integer", False) if name else None


def completed(owner: str, found: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    """`found` and, where the text left them open, what a thing of this sort is always asked for; 8 at most."""
    names = {attribute.name for attribute in found}
    head = owner.rsplit("_", 1)[-1]
    lead = tuple(extra for extra in _usual_first(head, found) if extra.name not in names)
    every = (*lead, *found)[:8]
    if len(every) < 2 and "notes" not in names:
        every = (*every, Attribute("notes", "long_text", False))
    return every


def _usual_first(head: str, found: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    is_labelled = any(_is_label(attribute.name) for attribute in found)
    if head in PEOPLE:
        contact = () if found else (Attribute("email", "email", True),)
        return contact if is_labelled else (Attribute("name", "text", True), *contact)
    if head in EVENTS and not found:
        return (Attribute("date", "date", False), Attribute("notes", "long_text", False))
    if head in EVENTS and not any(attribute.kind == "date" for attribute in found):
        return (Attribute("date", "date", False),)
    if head in MATTERS and not found:
        return (
            Attribute("title", "text", False),
            Attribute("due_date", "date", False),
            Attribute("done", "flag", False),
        )
    if is_labelled or any(attribute.kind in ("date", "long_text") for attribute in found):
        return ()
    return (Attribute("name", "text", False),)


def _is_label(name: str) -> bool:
    return name.rsplit("_", 1)[-1] in ("name", "title", "nickname", "number", "label", "code", "subject", "email")


def plural_identifier(name: str) -> str:
    """Plural of a snake_case singular, different from it."""
    *front, last = name.split("_")
    return "_".join([*front, plural(last)])
