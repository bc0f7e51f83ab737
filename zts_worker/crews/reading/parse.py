"""Decides the part of speech of each word of an English sentence and which words form a noun phrase."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.inflection import VERB_FORMS, singular
from zts_worker.crews.reading.nouns import PEOPLE
from zts_worker.crews.reading.words import listed

Tag = Literal["det", "prep", "pron", "conj", "sub", "aux", "to", "verb", "adj", "adv", "noun", "num", "poss", "mark"]

_TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[,.;:!?()\[\]/&]|[–—]")
_NUMBER = re.compile(r"\d[\d.,]*(?:st|nd|rd|th|k|m|s)?")
_ADVERB_LIKE = listed("""
    family supply reply assembly fly july daily weekly monthly early friendly elderly jelly lily belly bully rally
    ally butterfly anomaly monopoly italy hourly yearly lonely ugly only apply""")
_ADJECTIVE_ENDINGS = ("able", "ible", "ful", "less", "ous", "ive", "ical", "al", "ic", "ish", "based", "-free")
_AFTER_NOUNS = frozenset(("det", "adj", "num", "poss", "prep"))
_COLLECTIVE = frozenset(("staff", "people", "police", "team", "crew", "family", "management"))
_AFTER_THINGS = frozenset((",", ".", ";", "and", "or"))
_HAVE = frozenset(("has", "have", "having", "had"))
_BE = listed("am is are was were be been being it's that's there's they're you're we're")
_OFTEN_NOUNS = listed("""
    note request report order plan list review record book loan log score visit match test play start end count
    measure label tag vote comment reply award stream call search alert message email text invoice bill charge
    work run change cause question answer rate bid offer share trade photo light switch drop pack map plot print
    export import track train study practice route lock pump cover show face base step water feed sleep wash
    repair harvest plant hire interview schedule post display grade mark rank contract exchange store cost""")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or mark: as written, in lower case, its part of speech and, of a verb, the base form."""

    text: str
    low: str
    tag: Tag
    base: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: its determiner, its words in lower case, its head in the singular.

    `is_name` tells that the head is capitalised inside the sentence, as names of products and places are.
    """

    det: str
    words: tuple[str, ...]
    head: str
    is_plural: bool
    text: str
    is_name: bool = False

    @property
    def compound(self) -> str:
        """The noun before the head together with the head, both singular; empty where there is none."""
        return f"{singular(self.words[-2])} {self.head}" if len(self.words) > 1 else ""


Piece = Token | Phrase


def parse(sentence: str) -> tuple[Piece, ...]:
    """The sentence as noun phrases and, between them, single words and marks."""
    return _phrases(_tagged(_words(sentence)))


def opens_clause(pieces: tuple[Piece, ...], at: int) -> bool:
    """True where the phrase at `at` is the subject of a new clause: a verb follows it."""
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    return isinstance(after, Token) and (after.tag == "aux" or (after.tag == "verb" and after.form in ("s", "base")))


def linked(pieces: tuple[Piece, ...], at: int) -> tuple[str, Phrase | None]:
    """The preposition and the phrase behind the phrase at `at`; ("", None) where none follow."""
    if at + 2 >= len(pieces):
        return "", None
    link, target = pieces[at + 1], pieces[at + 2]
    if isinstance(link, Token) and link.tag == "prep" and isinstance(target, Phrase):
        return link.low, target
    return "", None


def _words(sentence: str) -> list[str]:
    found: list[str] = []
    for word in _TOKEN.findall(sentence.replace("’", "'")):
        if word.lower().endswith("'s") and word.lower() not in w.AUXILIARIES and len(word) > 2:
            found += [word[:-2], "'s"]
        else:
            found.append(word)
    return found


def _tagged(texts: list[str]) -> list[Token]:
    tokens: list[Token] = []
    lows = [("email" if text.lower() in ("e-mail", "mail") else text.lower()) for text in texts]
    lows = ["emails" if low in ("e-mails", "mails") else low for low in lows]
    for at, low in enumerate(lows):
        before = tokens[-1] if tokens else None
        after = lows[at + 1] if at + 1 < len(lows) else "."
        tag = _tag(low, before, after)
        base, form = VERB_FORMS.get(low, ("", "")) if tag == "verb" else ("", "")
        tokens.append(Token(texts[at], low, tag, base or (low if tag == "verb" else ""), form))
    return tokens


def _tag(low: str, before: Token | None, after: str) -> Tag:
    closed = _closed_class(low, before, after)
    if closed:
        return closed
    if low in VERB_FORMS and (verdict := _verb_or_noun(low, before, after)) != "adj":
        return verdict
    if before and before.tag == "det" and (after in w.AUXILIARIES or after in ",.;:"):
        return "noun"
    if low in w.ADVERBS or (low.endswith("ly") and len(low) > 4 and low not in _ADVERB_LIKE):
        return "adv"
    return "adj" if _is_adjective(low) else "noun"


def _closed_class(low: str, before: Token | None, after: str) -> Tag | None:
    if not low[0].isalnum():
        return "poss" if low == "'s" else "conj" if low == "&" else "mark"
    if low == "to":
        return "to" if after in VERB_FORMS and VERB_FORMS[after][1] == "base" else "prep"
    if low == "that":
        return "pron" if before and before.tag in ("noun", "verb", "mark") else "det"
    if low in ("one", "ones") and (low == "ones" or after in w.AUXILIARIES or not after[0].isalpha()):
        return "pron"
    for tag, members in _CLOSED:
        if low in members:
            is_thing = (
                tag in ("adv", "prep")
                and before is not None
                and before.low in ("a", "an", "the")
                and after in _AFTER_THINGS
            )
            return "noun" if is_thing else tag
    return "num" if _NUMBER.fullmatch(low) else None


_CLOSED: tuple[tuple[Tag, frozenset[str]], ...] = (
    ("det", w.DETERMINERS | w.POSSESSIVES),
    ("num", w.NUMERALS),
    ("aux", w.AUXILIARIES),
    ("prep", w.PREPOSITIONS),
    ("pron", w.PRONOUNS),
    ("conj", w.CONJUNCTIONS),
    ("sub", w.SUBORDINATORS),
    ("adv", w.ADVERBS - {"second"}),
)


def _verb_or_noun(low: str, before: Token | None, after: str) -> Tag:
    """Tell `log` the verb from `log` the noun by the word before and the word after."""
    base, form = VERB_FORMS[low]
    tag = before.tag if before else "mark"
    if form == "past":
        return "adj" if tag in ("det", "adj", "poss", "num") or low in w.ADJECTIVES else "verb"
    if form == "ing":
        is_name = tag == "noun" and (after in w.AUXILIARIES or after in _AFTER_THINGS)
        return "noun" if tag in ("det", "adj", "poss", "num") or is_name else "verb"
    if tag in ("to", "pron", "adv", "sub"):
        is_predicate = tag == "to" or (before is not None and before.low in w.SUBJECTS)
        return "adj" if low in w.ADJECTIVES and not is_predicate else "verb"
    if tag == "aux":
        return _after_auxiliary(low, before.low if before else "")
    if tag in _AFTER_NOUNS or (tag == "verb" and low not in w.ADJECTIVES and base != "let"):
        return "adj" if low in w.ADJECTIVES else "noun"
    # `employees open a ticket` is done to it; the `open` of `an open ticket` is not.
    is_done = before is not None and tag == "noun" and form == "base" and singular(before.low) != before.low
    is_done = is_done and _starts_object(after)
    if low in w.ADJECTIVES and not is_done:
        return "adj"
    if tag == "noun":
        return _after_noun(before.low if before else "", base, form, after)
    if form == "s":
        return "verb" if before is not None and (base not in _OFTEN_NOUNS or _starts_object(after)) else "noun"
    return "verb" if _starts_object(after) else "noun"


def _after_auxiliary(low: str, auxiliary: str) -> Tag:
    if low in w.ADJECTIVES:
        return "adj"
    return "noun" if auxiliary in _HAVE | _BE else "verb"


def _after_noun(noun: str, base: str, form: str, after: str) -> Tag:
    """`beekeepers log` and `the app counts` are verbs; `page count` and `inspection notes` are nouns."""
    is_plural = singular(noun) != noun or noun in _COLLECTIVE
    if form == "base":
        return "verb" if is_plural or (noun in PEOPLE and _starts_object(after)) else "noun"
    if is_plural:
        return "noun"
    return "noun" if base in _OFTEN_NOUNS and not _starts_object(after) else "verb"


def _starts_object(after: str) -> bool:
    """True where the next word can open an object: a determiner, a number, a plural."""
    if after in w.DETERMINERS or after in w.POSSESSIVES or after in w.NUMERALS or after in w.PRONOUNS:
        return True
    if after in w.CONJUNCTIONS | w.PREPOSITIONS | w.AUXILIARIES or not after[0].isalpha():
        return False
    return singular(after) != after or after in w.ADJECTIVES


def _is_adjective(low: str) -> bool:
    if low in w.ADJECTIVES or low.endswith(("-powered", "-sized", "-free", "-based", "-time")):
        return True
    if low in w.NOUNS_LIKE_ADJECTIVES or len(low) < 5:
        return False
    if low.endswith(("ier", "iest")) and f"{low.rpartition('i')[0]}y" in w.ADJECTIVES:
        return True
    if "-" in low and low.rsplit("-", 1)[1] in VERB_FORMS and VERB_FORMS[low.rsplit("-", 1)[1]][1] == "past":
        return True
    return low.endswith(_ADJECTIVE_ENDINGS)


def _phrases(tokens: list[Token]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = 0
    while at < len(tokens):
        end = _phrase_end(tokens, at)
        if end > at:
            pieces.append(_phrase(tokens[at:end], opens=at == 0))
            at = end
        else:
            pieces.append(tokens[at])
            at += 1
    return tuple(pieces)


def _phrase_end(tokens: list[Token], start: int) -> int:
    """Index behind the last noun of the phrase that starts at `start`; `start` itself where none does."""
    at = start + 1 if tokens[start].tag == "det" else start
    while at < len(tokens) and tokens[at].tag == "det":
        at += 1
    last = start
    while at < len(tokens) and tokens[at].tag in ("adj", "noun", "num"):
        if tokens[at].tag == "noun":
            last = at + 1
        elif last > start:
            break
        at += 1
    return last


def _phrase(tokens: list[Token], *, opens: bool) -> Phrase:
    det = tokens[0].low if tokens[0].tag == "det" else ""
    kept = [token for token in tokens if token.tag in ("adj", "noun")]
    head = kept[-1].low
    text = " ".join(token.text for token in tokens if token.tag != "det")
    is_name = kept[-1].text[0].isupper() and not (opens and len(tokens) == 1)
    words = tuple(token.low for token in kept)
    return Phrase(det, words, singular(head), singular(head) != head, text, is_name)
