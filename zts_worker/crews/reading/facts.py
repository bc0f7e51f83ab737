"""Decides what one parsed sentence says about its nouns: mentions, what they have, whose they are, what is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.fields import attribute, count_of, flag, is_attribute_word
from zts_worker.crews.reading.inflection import singular
from zts_worker.crews.reading.model import Attribute
from zts_worker.crews.reading.nouns import TALK, is_person
from zts_worker.crews.reading.parse import Phrase, Piece, Token
from zts_worker.crews.reading.words import listed

HOLDING_VERBS = listed("""
    record store contain include hold track list note carry keep capture consist log save
    """)
_REFUSED_ATTRIBUTES = listed("""
    problem idea lot chance time need access trouble way thing life worry right reason home sense hand job question
    hour minute month year week opportunity phone app streak everything something nothing kind page""")
_COUNTERS = frozenset(("number", "amount", "count"))
_TRANSPARENT = listed("list kind type set sort series collection history record log track variety range")


@dataclass(slots=True)
class Claim:
    """`owner` has something: an attribute, or another thing named `head`. `firm` where `each owner has` says so."""

    owner: str
    head: str
    found: Attribute | None
    is_plural: bool
    firm: bool


@dataclass(slots=True)
class Facts:
    """Everything one sentence says."""

    sentence: str
    mentions: list[Phrase] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    belongings: list[tuple[str, str]] = field(default_factory=list)
    objects: list[tuple[str, str]] = field(default_factory=list)
    subjects: list[tuple[str, str, str]] = field(default_factory=list)


def facts_of(sentence: str, pieces: tuple[Piece, ...]) -> Facts:
    """Gather the facts of one sentence."""
    facts = Facts(sentence, mentions=[piece for piece in pieces if isinstance(piece, Phrase)])
    _claims(pieces, facts)
    _doings(pieces, facts)
    _belongings(pieces, facts)
    return facts


def _claims(pieces: tuple[Piece, ...], facts: Facts) -> None:
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Phrase):
            continue
        start, firm = _holding(pieces, at, piece)
        if start:
            facts.claims += _listed(pieces, start, piece.head, firm=firm)
        _possessed(pieces, at, piece, facts)
        _accompanied(pieces, at, piece, facts)


def _holding(pieces: tuple[Piece, ...], at: int, owner: Phrase) -> tuple[int, bool]:
    """Index where the list of what `owner` has begins (0 where there is none), and whether that is a definition."""
    after = _skip(pieces, at + 1, ("adv", "pron", "aux") if owner.head not in TALK else ("adv",))
    token = pieces[after] if after < len(pieces) else None
    if _is_definition_mark(pieces, at):
        return at + 2, True
    has_auxiliary = any(isinstance(p, Token) and p.low in ("has", "have") for p in pieces[at + 1 : after])
    if has_auxiliary and isinstance(token, Phrase):
        return after, owner.det in ("each", "every", "a", "an", "the")
    if isinstance(token, Token) and token.low in ("has", "have"):
        return after + 1, owner.det in ("each", "every", "a", "an", "the")
    is_thing = not is_person(owner.head) and owner.head not in TALK
    if isinstance(token, Token) and token.tag == "verb" and token.base in HOLDING_VERBS and is_thing:
        return after + 1, owner.det in ("each", "every", "a", "an")
    return 0, False


def _is_definition_mark(pieces: tuple[Piece, ...], at: int) -> bool:
    """`Hive: location, queen age` at the start of a line, and `hive (location, queen age)`."""
    mark = pieces[at + 1] if at + 1 < len(pieces) else None
    if not isinstance(mark, Token):
        return False
    rest = pieces[at + 2 :]
    phrases = sum(isinstance(piece, Phrase) for piece in rest)
    verbs = any(isinstance(piece, Token) and piece.tag in ("verb", "aux", "pron") for piece in rest)
    if mark.low == ":" and at == 0:
        return phrases > 1 and not verbs
    closing = next((i for i, p in enumerate(rest) if isinstance(p, Token) and p.low == ")"), 0)
    return mark.low == "(" and sum(isinstance(p, Phrase) for p in rest[:closing]) > 1


def _skip(pieces: tuple[Piece, ...], at: int, tags: tuple[str, ...]) -> int:
    while at < len(pieces):
        piece = pieces[at]
        if not isinstance(piece, Token) or piece.tag not in tags:
            break
        if piece.low in ("has", "have") and not (at + 1 < len(pieces) and isinstance(pieces[at + 1], Phrase)):
            break
        at += 1
    return at


def _listed(pieces: tuple[Piece, ...], start: int, owner: str, *, firm: bool) -> list[Claim]:
    """Read `a location, the mite count and a price in euros` from `start` to the end of the list."""
    claims: list[Claim] = []
    at = start
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, Phrase):
            if _opens_clause(pieces, at):
                break
            at = _one_listed(pieces, at, piece, owner, firm, claims)
        elif piece.low == "whether" or (piece.low == "if" and claims):
            at = _asked(pieces, at, owner, firm, claims)
        elif piece.tag in ("mark", "conj", "det", "num", "adj", "poss", "adv") and piece.low not in ".;:?!)":
            at += 1
        elif piece.tag == "prep" and at + 1 < len(pieces) and isinstance(pieces[at + 1], Phrase):
            at += 2
        else:
            break
    return claims


def _opens_clause(pieces: tuple[Piece, ...], at: int) -> bool:
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    return isinstance(after, Token) and (after.tag == "aux" or (after.tag == "verb" and after.form in ("s", "base")))


def _one_listed(pieces: tuple[Piece, ...], at: int, phrase: Phrase, owner: str, firm: bool, claims: list[Claim]) -> int:
    """Add the claim of one phrase, together with `of ...` or `in <unit>` behind it; index behind both."""
    link, target = _linked(pieces, at)
    words, unit, head = phrase.words, "", phrase.head
    found: Attribute | None = None
    if link == "of" and target and phrase.head in _COUNTERS:
        found = count_of(target.words[-1])
    elif link == "of" and target and phrase.head in _TRANSPARENT:
        words, head = target.words, target.head
    elif link == "in" and target:
        unit = target.words[-1]
    found = found or attribute(words, owner=owner, unit=unit)
    if firm or head not in _REFUSED_ATTRIBUTES:
        claims.append(Claim(owner, head, found, phrase.is_plural, firm))
    return at + 3 if link and target else at + 1


def _linked(pieces: tuple[Piece, ...], at: int) -> tuple[str, Phrase | None]:
    if at + 2 >= len(pieces):
        return "", None
    link, target = pieces[at + 1], pieces[at + 2]
    if isinstance(link, Token) and link.tag == "prep" and isinstance(target, Phrase):
        return link.low, target
    return "", None


def _asked(pieces: tuple[Piece, ...], at: int, owner: str, firm: bool, claims: list[Claim]) -> int:
    """`whether the tool was returned`: the last participle or adjective before the clause ends is a flag."""
    word = ""
    at += 1
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, Token):
            if piece.low in ",.;" or piece.tag == "conj":
                break
            if piece.tag in ("adj", "verb"):
                word = piece.low
        at += 1
    asked = flag(word)
    if asked:
        claims.append(Claim(owner, word, asked, False, firm))
    return at


def _possessed(pieces: tuple[Piece, ...], at: int, owner: Phrase, facts: Facts) -> None:
    """`the hive's location` and `the location of each hive` say what a hive has."""
    mark = pieces[at + 1] if at + 1 < len(pieces) else None
    thing = pieces[at + 2] if at + 2 < len(pieces) else None
    if not isinstance(mark, Token) or not isinstance(thing, Phrase):
        return
    if mark.tag == "poss":
        facts.claims.append(_claim(owner.head, thing))
    elif mark.low == "of" and thing.det and is_attribute_word(owner.head):
        facts.claims.append(_claim(thing.head, owner))


def _accompanied(pieces: tuple[Piece, ...], at: int, thing: Phrase, facts: Facts) -> None:
    """`add the harvest for every hive, with its weight` defines the object of the verb, not what stands nearest."""
    verb = pieces[at - 1] if at else None
    if not isinstance(verb, Token) or verb.base not in w.PRODUCT_VERBS:
        return
    after = at + 1
    while _linked(pieces, after - 1)[1] and _linked(pieces, after - 1)[0] != "with":
        after += 2
    after = _skip(pieces, after, ("mark",))
    with_, first = (*pieces[after : after + 2], None, None)[:2]
    if not isinstance(with_, Token) or with_.low != "with" or not isinstance(first, Phrase):
        return
    if first.det in ("a", "an", "its", "their", "the"):
        facts.claims += _listed(pieces, after + 1, thing.head, firm=verb.base in w.DATA_VERBS)


def _claim(owner: str, thing: Phrase) -> Claim:
    return Claim(owner, thing.head, attribute(thing.words, owner=owner), thing.is_plural, False)


def _doings(pieces: tuple[Piece, ...], facts: Facts) -> None:
    """Who does what to which thing, clause by clause."""
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Token) or piece.tag != "verb" or piece.base not in w.PRODUCT_VERBS:
            continue
        if piece.form == "past" and not _is_passive(pieces, at):
            continue
        heads = list(_objects(pieces, at + 1))
        facts.objects += [(piece.base, head) for head in heads] or [(piece.base, "")]
        subject = _subject(pieces, at)
        facts.subjects += [(subject, piece.base, head) for head in heads if subject]
        if len(heads) > 1:
            _recorded_of(pieces, at + 1, facts)


def _is_passive(pieces: tuple[Piece, ...], at: int) -> bool:
    """`is approved` is done to something now; `we asked` only tells what happened."""
    before = pieces[max(0, at - 2) : at]
    return any(isinstance(piece, Token) and piece.tag == "aux" for piece in before)


def _objects(pieces: tuple[Piece, ...], at: int) -> Iterator[str]:
    """Heads of the phrases behind a verb, up to a preposition or the next verb; four at most."""
    found = 0
    first = pieces[at] if at < len(pieces) else None
    if isinstance(first, Token) and first.low in ("up", "down", "out", "off"):
        at += 1
    while at < len(pieces) and found < 4:
        piece = pieces[at]
        if isinstance(piece, Phrase):
            if found and _opens_clause(pieces, at):
                return
            link, target = _linked(pieces, at)
            found += 1
            yield target.head if link == "of" and target and piece.head in _TRANSPARENT else piece.head
        elif piece.tag not in ("conj", "det", "adv", "adj", "num", "poss") and piece.low != ",":
            return
        at += 1


def _subject(pieces: tuple[Piece, ...], at: int) -> str:
    for piece in reversed(pieces[max(0, at - 3) : at]):
        if isinstance(piece, Phrase):
            return piece.head
        if piece.tag not in ("aux", "adv", "pron", "to"):
            return ""
    return ""


def _recorded_of(pieces: tuple[Piece, ...], at: int, facts: Facts) -> None:
    """`log the weight and temperature of each hive`: all but things of their own are attributes of the hive."""
    listed: list[Phrase] = []
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, Phrase):
            listed.append(piece)
        elif piece.tag == "prep" and piece.low in ("of", "for", "per"):
            owner = pieces[at + 1] if at + 1 < len(pieces) else None
            if isinstance(owner, Phrase) and (owner.det or piece.low == "per"):
                facts.claims += [_claim(owner.head, thing) for thing in listed if is_attribute_word(thing.head)]
            return
        elif piece.tag != "conj" and piece.low != ",":
            return
        at += 1


def _belongings(pieces: tuple[Piece, ...], facts: Facts) -> None:
    """`the harvest for every hive`, `an invoice belongs to a client`: the first belongs to the second."""
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Phrase):
            continue
        link, target = _linked(pieces, at)
        if link in ("of", "for", "per", "in", "on", "at", "from") and target and not target.is_plural:
            facts.belongings.append((piece.head, target.head))
        verb = pieces[at + 1] if at + 1 < len(pieces) else None
        if isinstance(verb, Token) and verb.base == "belong":
            owner = next((p for p in pieces[at + 2 : at + 4] if isinstance(p, Phrase)), None)
            if owner:
                facts.belongings.append((piece.head, singular(owner.head)))
