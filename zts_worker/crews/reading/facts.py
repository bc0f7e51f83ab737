"""Decides what one parsed sentence says about its nouns: mentions, what they have, whose they are, what is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.claims import TRANSPARENT, Claim, claims_of
from zts_worker.crews.reading.inflection import singular
from zts_worker.crews.reading.nouns import PRODUCTS, TALK
from zts_worker.crews.reading.parse import Phrase, Piece, Token, linked, opens_clause


@dataclass(slots=True)
class Facts:
    """Everything one sentence says.

    `objects` are (verb, noun), `subjects` (who, verb, noun), `belongings` (thing, owner); `offered` are nouns that a
    list of features names, `product_of` nouns that the product is named by (`expense tracker`).
    """

    sentence: str
    mentions: list[Phrase] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    belongings: list[tuple[str, str]] = field(default_factory=list)
    objects: list[tuple[str, str]] = field(default_factory=list)
    subjects: list[tuple[str, str, str]] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    product_of: list[str] = field(default_factory=list)


def facts_of(sentence: str, pieces: tuple[Piece, ...]) -> Facts:
    """Gather the facts of one sentence."""
    facts = Facts(sentence, mentions=[piece for piece in pieces if isinstance(piece, Phrase)])
    facts.claims = claims_of(pieces)
    _doings(pieces, facts)
    _belongings(pieces, facts)
    _offers(pieces, facts)
    return facts


def _offers(pieces: tuple[Piece, ...], facts: Facts) -> None:
    """`an app with boards and reminders`, a bullet without a verb, and the `expense` of `expense tracker`."""
    is_fragment = not any(isinstance(piece, Token) and piece.tag in ("verb", "aux") for piece in pieces)
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Phrase):
            continue
        if is_fragment or _follows_with(pieces, at):
            facts.offered.append(piece.head)
        if piece.head in PRODUCTS and len(piece.words) > 1:
            facts.product_of.append(singular(piece.words[-2]))


def _follows_with(pieces: tuple[Piece, ...], at: int) -> bool:
    """True for phrases of a list that `with` opens behind the product's own name."""
    for back in range(at - 1, 0, -1):
        piece = pieces[back]
        if isinstance(piece, Token) and piece.low == "with":
            return any(isinstance(p, Phrase) and p.head in PRODUCTS | TALK for p in pieces[:back])
        if isinstance(piece, Token) and piece.tag not in ("conj", "mark", "adj", "num"):
            return False
    return False


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
            if found and opens_clause(pieces, at):
                return
            link, target = linked(pieces, at)
            found += 1
            yield target.head if link == "of" and target and piece.head in TRANSPARENT else piece.head
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


def _belongings(pieces: tuple[Piece, ...], facts: Facts) -> None:
    """`the harvest for every hive`, `an invoice belongs to a client`: the first belongs to the second."""
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Phrase):
            continue
        link, target = linked(pieces, at)
        if link in ("of", "for", "per", "in", "on", "at", "from") and target and not target.is_plural:
            facts.belongings.append((piece.head, target.head))
        verb = pieces[at + 1] if at + 1 < len(pieces) else None
        if isinstance(verb, Token) and verb.base == "belong":
            owner = next((p for p in pieces[at + 2 : at + 4] if isinstance(p, Phrase)), None)
            if owner:
                facts.belongings.append((piece.head, singular(owner.head)))
