"""Decides which of an idea's nouns are the things it keeps track of, what each has and whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.facts import Facts
from zts_worker.crews.reading.fields import completed, is_attribute_word, plural_identifier
from zts_worker.crews.reading.inflection import identifier, singular
from zts_worker.crews.reading.model import Attribute, Entity
from zts_worker.crews.reading.nouns import (
    ABSTRACT_ENDINGS,
    CONCRETE_DESPITE_ENDING,
    EVENTS,
    GENERIC_HEADS,
    MATTERS,
    ORGANISATIONS,
    RECORDED_PEOPLE,
    TALK,
    is_person,
)
from zts_worker.crews.reading.words import listed

MAX_ENTITIES = 6
_LEAST_SCORE = 4.0
_LEAST_BESIDE_DECLARED = 6.5
_LAST_RESORT_REFUSED = listed(
    "app application idea thing way problem lot kind something product solution time money ai business startup market"
)


@dataclass(slots=True)
class Noun:
    """What all sentences together say about one noun."""

    head: str
    sentence: str
    count: int = 0
    plurals: int = 0
    distributive: int = 0
    determined: int = 0
    done_to: int = 0
    in_title: bool = False
    claimed: int = 0
    keeps: int = 0
    offered: int = 0
    names_product: bool = False
    compounds: Counter[str] = field(default_factory=Counter)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    firm: bool = False


def choose_entities(facts: list[Facts], title: Iterable[str]) -> tuple[Entity, ...]:
    """The 1 to 6 nouns the idea is about, most important first; empty only where there is no noun at all."""
    words = tuple(title)
    nouns = _nouns(facts, frozenset(words))
    chosen = _chosen({h: noun for h, noun in nouns.items() if not _is_the_product(noun, words)}) or _last_resort(nouns)
    names = {noun.head: _name(noun) for noun in chosen}
    owners = _owners(facts, {noun.head for noun in chosen})
    return tuple(_entity(noun, names, owners.get(noun.head, ())) for noun in chosen)


def _nouns(facts: list[Facts], title: frozenset[str]) -> dict[str, Noun]:
    nouns: dict[str, Noun] = {}
    for fact in facts:
        for phrase in fact.mentions:
            if phrase.is_name or phrase.det == "no":
                continue
            noun = nouns.setdefault(phrase.head, Noun(phrase.head, fact.sentence, in_title=phrase.head in title))
            noun.count += 1
            noun.plurals += phrase.is_plural
            noun.distributive += phrase.det in w.DISTRIBUTIVES
            noun.determined += bool(phrase.det)
            noun.compounds[phrase.compound] += 1
        _count_uses(nouns, fact, title)
    _claim(nouns, facts)
    return nouns


def _count_uses(nouns: dict[str, Noun], fact: Facts, title: frozenset[str]) -> None:
    for _, head in fact.objects:
        if head in nouns:
            nouns[head].done_to += 1
    for subject, verb, _ in fact.subjects:
        if subject in nouns and verb in w.DATA_VERBS:
            nouns[subject].keeps += 1
    for head in fact.offered:
        if head in nouns:
            nouns[head].offered += 1
    for head in fact.product_of:
        noun = nouns.setdefault(head, Noun(head, fact.sentence, in_title=head in title))
        noun.names_product = True


def _claim(nouns: dict[str, Noun], facts: list[Facts]) -> None:
    for fact in facts:
        for claim in fact.claims:
            owner = nouns.get(claim.owner)
            if owner is None:
                continue
            if claim.firm and not owner.firm:
                owner.firm, owner.sentence = True, fact.sentence
            if claim.found:
                owner.attributes.setdefault(claim.found.name, claim.found)
            if claim.head in nouns:
                nouns[claim.head].claimed += 1


def _is_the_product(noun: Noun, title: tuple[str, ...]) -> bool:
    """`Greenhouse guard` is what is made, and no thing it keeps track of, unless the text counts guards."""
    is_kept = noun.firm or noun.plurals or noun.distributive or noun.done_to or noun.names_product
    return len(title) > 1 and noun.head == title[-1] and not is_kept


def _score(noun: Noun) -> float:
    score = min(noun.count, 6) + 2.0 * min(noun.done_to, 3) + 2.5 * min(noun.distributive, 2)
    score += 1.0 * (noun.plurals > 0) + 1.5 * noun.in_title + min(len(noun.attributes), 4)
    score += 1.5 * (noun.head in EVENTS or noun.head in MATTERS) + 6.0 * noun.firm
    score += 2.0 * min(noun.offered, 2) + 2.0 * noun.names_product
    if is_person(noun.head):
        score += 2.5 * (noun.keeps > 0) if noun.head in RECORDED_PEOPLE else -4.0
    if _is_abstract(noun) or _is_uncounted(noun) or _is_a_body(noun):
        score -= 3.0
    return score - (4.0 if noun.claimed and not (noun.firm or noun.distributive) else 0.0)


def _is_uncounted(noun: Noun) -> bool:
    """`teach piano`, `health`: said without an article and never in the plural, it is no thing among others."""
    is_said_of = noun.firm or noun.attributes or noun.offered or noun.names_product or noun.head in EVENTS | MATTERS
    return not (noun.plurals or noun.determined or is_said_of)


def _is_a_body(noun: Noun) -> bool:
    """Farms and restaurants take part; records are kept of those that are spoken of one by one."""
    return noun.head in ORGANISATIONS and not (noun.firm or noun.distributive or noun.done_to)


def _is_abstract(noun: Noun) -> bool:
    """`happiness` is; `restrictions` that are entered are not."""
    is_counted = noun.plurals and (noun.done_to or noun.offered)
    return noun.head.endswith(ABSTRACT_ENDINGS) and noun.head not in CONCRETE_DESPITE_ENDING and not is_counted


def _chosen(nouns: dict[str, Noun]) -> list[Noun]:
    ranked = sorted(_candidates(nouns), key=lambda noun: -_score(noun))
    declared = [noun for noun in ranked if noun.firm]
    others = [noun for noun in ranked if not noun.firm]
    least = _LEAST_BESIDE_DECLARED if len(declared) > 1 else _LEAST_SCORE
    if others and not declared:
        least = max(least, 0.4 * _score(others[0]))
    kept = [noun for noun in others if _score(noun) >= least]
    if not declared and not kept:
        kept = others[:2]
    return sorted([*declared, *kept], key=lambda noun: -_score(noun))[:MAX_ENTITIES]


def _candidates(nouns: dict[str, Noun]) -> Iterable[Noun]:
    for noun in nouns.values():
        named = identifier(noun.head)
        talk = noun.head in TALK or (is_attribute_word(noun.head) and not noun.distributive) or len(named) < 3
        if noun.head in GENERIC_HEADS and noun.compounds:
            talk = not (_telling_compound(noun) or noun.done_to or noun.distributive)
        if named and (not talk or (noun.firm and noun.attributes)):
            yield noun


def _last_resort(nouns: dict[str, Noun]) -> list[Noun]:
    """Where every noun is mere talk, the one said most often is still the idea's own."""
    left = [noun for noun in nouns.values() if identifier(noun.head) and noun.head not in _LAST_RESORT_REFUSED]
    return sorted(left, key=lambda noun: -_score(noun))[:1]


def _telling_compound(noun: Noun) -> str:
    for compound, times in noun.compounds.most_common(2):
        first = compound.split(" ")[0]
        if compound and first not in w.ADJECTIVES and first not in TALK and times * 2 >= noun.count:
            return compound
    return ""


def _name(noun: Noun) -> str:
    compound = _telling_compound(noun)
    is_pair = compound and (noun.head in GENERIC_HEADS or noun.compounds[compound] > 1)
    return identifier(compound if is_pair else noun.head)


def _owners(facts: list[Facts], heads: set[str]) -> dict[str, tuple[str, ...]]:
    """For each head the heads it belongs to, in the order found, without circles; two at most."""
    owners: dict[str, tuple[str, ...]] = {}
    sure = _sure_pairs(facts)
    for at, (thing, owner) in enumerate([*sure, *_happenings(facts)]):
        most = 2 if at < len(sure) else 1
        known = owners.get(thing, ())
        is_new = thing in heads and owner in heads and thing != owner and owner not in known
        if is_new and len(known) < most and not _reaches(owners, owner, thing):
            owners[thing] = (*known, owner)
    return owners


def _sure_pairs(facts: list[Facts]) -> list[tuple[str, str]]:
    """(thing, owner), the surest first: explicit belonging, then what a thing has, then who makes it."""
    explicit = [pair for fact in facts for pair in fact.belongings]
    held = [(c.head, c.owner) if c.is_plural else (c.owner, c.head) for fact in facts for c in fact.claims]
    made = [
        (thing, subject)
        for fact in facts
        for subject, verb, thing in fact.subjects
        if is_person(subject) and verb in w.DATA_VERBS
    ]
    return [*explicit, *held, *made]


def _happenings(facts: list[Facts]) -> list[tuple[str, str]]:
    """An inspection that is spoken of together with a hive is one of a hive; the most frequent pairs first."""
    together: Counter[tuple[str, str]] = Counter()
    for fact in facts:
        heads = sorted({singular(word) for phrase in fact.mentions for word in phrase.words})
        together.update((e, t) for e in heads if e in EVENTS for t in heads if t not in EVENTS and not is_person(t))
    return [pair for pair, _ in together.most_common()]


def _reaches(owners: dict[str, tuple[str, ...]], start: str, goal: str) -> bool:
    return start == goal or any(_reaches(owners, further, goal) for further in owners.get(start, ()))


def _entity(noun: Noun, names: dict[str, str], owners: tuple[str, ...]) -> Entity:
    name = names[noun.head]
    found = tuple(a for a in noun.attributes.values() if not _is_entity(a, names))
    return Entity(
        name=name,
        plural=plural_identifier(name),
        title=name.replace("_", " ").capitalize(),
        attributes=completed(name, found),
        belongs_to=tuple(names[owner] for owner in owners if names[owner] != name),
        sentence=noun.sentence,
    )


def _is_entity(attribute: Attribute, names: dict[str, str]) -> bool:
    """True where the attribute is another entity in disguise, which `belongs_to` says already."""
    return any(attribute.name in (name, plural_identifier(name)) for name in (*names, *names.values()))
