"""Decides what a sentence says its things have: attributes, parts and other things."""

from __future__ import annotations

from dataclasses import dataclass

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.fields import attribute, count_of, flag, is_attribute_word
from zts_worker.crews.reading.model import Attribute
from zts_worker.crews.reading.nouns import TALK, is_person
from zts_worker.crews.reading.parse import Phrase, Piece, Token, linked, opens_clause
from zts_worker.crews.reading.words import listed

HOLDING_VERBS = listed("""
    record store contain include hold track list note carry keep capture consist log save
    """)
_REFUSED_ATTRIBUTES = listed("""
    problem idea lot chance time need access trouble way thing life worry right reason home sense hand job question
    hour minute month year week opportunity phone app streak everything something nothing kind page""")
_COUNTERS = frozenset(("number", "amount", "count"))
TRANSPARENT = listed("list kind type set sort series collection history record log track variety range")


@dataclass(slots=True)
class Claim:
    """`owner` has something: an attribute, or another thing named `head`. `firm` where `each owner has` says so."""

    owner: str
    head: str
    found: Attribute | None
    is_plural: bool
    firm: bool


def claims_of(pieces: tuple[Piece, ...]) -> list[Claim]:
    """Everything that the sentence says its things have."""
    claims: list[Claim] = []
    for at, piece in enumerate(pieces):
        if isinstance(piece, Token):
            _of_verb(pieces, at, piece, claims)
            continue
        start, firm = _holding(pieces, at, piece)
        if start:
            claims += _listed(pieces, start, piece.head, firm=firm)
        _possessed(pieces, at, piece, claims)
        _accompanied(pieces, at, piece, claims)
    return claims


def _of_verb(pieces: tuple[Piece, ...], at: int, verb: Token, claims: list[Claim]) -> None:
    if verb.tag != "verb" or verb.base not in w.PRODUCT_VERBS:
        return
    _recorded_of(pieces, at + 1, claims)
    before = pieces[at - 1] if at else None
    if verb.base in HOLDING_VERBS and isinstance(before, Token) and before.low in ("it", "that", "which"):
        owner = _spoken_of(pieces, at - 1)
        if owner:
            claims += _listed(pieces, at + 1, owner, firm=False)


def _spoken_of(pieces: tuple[Piece, ...], at: int) -> str:
    """`a photo of each receipt, and it stores the amount`: the last thing said with `each`, `every` or `a`."""
    for piece in reversed(pieces[:at]):
        if isinstance(piece, Phrase) and piece.det in ("each", "every", "a", "an") and piece.head not in TALK:
            return "" if is_attribute_word(piece.head) or is_person(piece.head) else piece.head
    return ""


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
    phrases = [piece for piece in rest if isinstance(piece, Phrase)]
    verbs = any(
        isinstance(piece, Token) and (piece.tag in ("verb", "aux", "pron") or piece.low == "with") for piece in rest
    )
    if mark.low == ":" and at == 0:
        return _are_attributes(phrases) and not verbs
    closing = next((i for i, p in enumerate(rest) if isinstance(p, Token) and p.low == ")"), 0)
    return mark.low == "(" and _are_attributes([p for p in rest[:closing] if isinstance(p, Phrase)])


def _are_attributes(phrases: list[Phrase]) -> bool:
    """`location, queen age` say what a hive has; `kitchen, bath` and `buses, delays` are examples of a kind."""
    return len(phrases) > 1 and any(is_attribute_word(phrase.head) for phrase in phrases)


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
            if opens_clause(pieces, at):
                break
            if _has_parts(pieces, at, piece):
                claims.append(Claim(owner, piece.head, None, True, firm))
                return claims + _listed(pieces, at + 2, piece.head, firm=firm)
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


def _has_parts(pieces: tuple[Piece, ...], at: int, thing: Phrase) -> bool:
    """`stations with a riddle and a hint`: what follows is said of the stations, not of the trail that has them."""
    link, target = linked(pieces, at)
    return link == "with" and target is not None and bool(target.det) and thing.is_plural and thing.head not in TALK


def _one_listed(pieces: tuple[Piece, ...], at: int, phrase: Phrase, owner: str, firm: bool, claims: list[Claim]) -> int:
    """Add the claim of one phrase, together with `of ...` or `in <unit>` behind it; index behind both."""
    link, target = linked(pieces, at)
    words, unit, head = phrase.words, "", phrase.head
    found: Attribute | None = None
    if link == "of" and target and phrase.head in _COUNTERS:
        found = count_of(target.words[-1])
    elif link == "of" and target and phrase.head in TRANSPARENT:
        words, head = target.words, target.head
    elif link == "in" and target:
        unit = target.words[-1]
    found = found or attribute(words, owner=owner, unit=unit)
    if firm or head not in _REFUSED_ATTRIBUTES:
        claims.append(Claim(owner, head, found, phrase.is_plural, firm))
    return at + 3 if link and target else at + 1


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


def _possessed(pieces: tuple[Piece, ...], at: int, owner: Phrase, claims: list[Claim]) -> None:
    """`the hive's location` and `the location of each hive` say what a hive has."""
    mark = pieces[at + 1] if at + 1 < len(pieces) else None
    thing = pieces[at + 2] if at + 2 < len(pieces) else None
    if not isinstance(mark, Token) or not isinstance(thing, Phrase):
        return
    if mark.tag == "poss":
        claims.append(_claim(owner.head, thing))
    elif mark.low == "of" and thing.det and is_attribute_word(owner.head):
        claims.append(_claim(thing.head, owner))


def _accompanied(pieces: tuple[Piece, ...], at: int, thing: Phrase, claims: list[Claim]) -> None:
    """`add the harvest for every hive, with its weight` defines the object of the verb, not what stands nearest."""
    verb = pieces[at - 1] if at else None
    if not isinstance(verb, Token) or verb.base not in w.PRODUCT_VERBS:
        return
    after = at + 1
    while linked(pieces, after - 1)[1] and linked(pieces, after - 1)[0] != "with":
        after += 2
    after = _skip(pieces, after, ("mark",))
    with_, first = (*pieces[after : after + 2], None, None)[:2]
    if not isinstance(with_, Token) or with_.low != "with" or not isinstance(first, Phrase):
        return
    if first.det in ("a", "an", "its", "their", "the") or (
        verb.base in w.DATA_VERBS and _is_bare_list(pieces, after + 1)
    ):
        claims += _listed(pieces, after + 1, thing.head, firm=verb.base in w.DATA_VERBS)


def _is_bare_list(pieces: tuple[Piece, ...], at: int) -> bool:
    """`a machine with type, weight and location`: three or more without an article, one of them telling."""
    found: list[Phrase] = []
    for piece in pieces[at:]:
        if isinstance(piece, Phrase):
            found.append(piece)
        elif piece.low != "," and piece.tag != "conj":
            break
    return len(found) > 2 and any(is_attribute_word(phrase.head) for phrase in found)


def _claim(owner: str, thing: Phrase) -> Claim:
    return Claim(owner, thing.head, attribute(thing.words, owner=owner), thing.is_plural, False)


def _recorded_of(pieces: tuple[Piece, ...], at: int, claims: list[Claim]) -> None:
    """`log the weight and temperature of each hive`: all but things of their own are attributes of the hive."""
    found: list[Phrase] = []
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, Phrase):
            found.append(piece)
        elif piece.tag == "prep" and piece.low in ("of", "for", "per"):
            owner = pieces[at + 1] if at + 1 < len(pieces) else None
            if len(found) > 1 and isinstance(owner, Phrase) and (owner.det or piece.low == "per"):
                claims += [_claim(owner.head, thing) for thing in found if is_attribute_word(thing.head)]
            return
        elif piece.tag != "conj" and piece.low != ",":
            return
        at += 1
