"""Decides the base form of an English word: singular and plural of nouns, base form of known verbs."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from zts_worker.crews.reading.words import IRREGULAR_VERBS, VERBS, listed

VerbForm = Literal["base", "s", "past", "ing"]

_IRREGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth",
    "mice": "mouse", "geese": "goose", "oxen": "ox", "leaves": "leaf", "shelves": "shelf", "knives": "knife",
    "wives": "wife", "lives": "life", "loaves": "loaf", "halves": "half", "wolves": "wolf", "calves": "calf",
    "thieves": "thief", "scarves": "scarf", "shoes": "shoe", "canoes": "canoe", "toes": "toe",
    "analyses": "analysis", "diagnoses": "diagnosis", "hypotheses": "hypothesis", "bases": "base",
    "crises": "crisis", "indices": "index", "matrices": "matrix", "vertices": "vertex", "data": "datum",
    "criteria": "criterion", "media": "medium", "movies": "movie", "cookies": "cookie", "zombies": "zombie",
    "ties": "tie", "pies": "pie", "calories": "calorie", "selfies": "selfie", "hoodies": "hoodie",
    "smoothies": "smoothie", "caches": "cache", "headaches": "headache", "quizzes": "quiz", "gases": "gas",
    "buses": "bus", "lenses": "lens", "hobbies": "hobby", "axes": "axe", "brownies": "brownie",
}  # fmt: skip
_PLURALS = {singular: plural for plural, singular in _IRREGULAR.items() if plural not in ("data", "media", "bases")}
_UNCHANGED = listed("""
    series species sheep fish deer aircraft news mathematics physics glasses scissors trousers jeans always
    perhaps lens gas bus bias atlas canvas christmas address less business boss access process progress""")
_UNCOUNTED = listed("series species sheep fish deer aircraft news equipment furniture software rice hay")


def singular(noun: str) -> str:
    """Singular of a lower-case English noun; the noun itself where it looks singular already."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if len(noun) < 4 or noun in _UNCHANGED or not noun.endswith("s") or noun.endswith(("ss", "us", "is")):
        return noun
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith(("sses", "ches", "shes", "xes", "zzes", "toes", "roes", "uses")):
        return noun[:-1] if noun.endswith(("auses", "ouses", "cuses")) else noun[:-2]
    return noun[:-1]


def plural(noun: str) -> str:
    """Plural of a lower-case singular English noun, always different from it."""
    if noun in _UNCOUNTED:
        return f"{noun}_entries"
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    return noun + "s"


def identifier(words: str) -> str:
    """`words` as a snake_case ASCII identifier of at most 40 characters, empty where no ASCII letter is left."""
    folded = unicodedata.normalize("NFKD", words.replace("ß", "ss").replace("’", "")).encode("ascii", "ignore")
    name = "_".join(re.findall(r"[a-z0-9]+", folded.decode().lower()))[:40].strip("_")
    return name.lstrip("0123456789_")


def _forms(verb: str) -> list[tuple[str, VerbForm]]:
    stem = verb[:-1] if verb.endswith("e") else verb
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return [(verb, "base"), (verb[:-1] + "ies", "s"), (verb[:-1] + "ied", "past"), (verb + "ing", "ing")]
    s_form = verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    past = [(stem + "ed", "past"), (stem + "ing", "ing")]
    if re.fullmatch(r".*[^aeiou][aeiou][bdgklmnprt]", verb):
        past += [(verb + verb[-1] + "ed", "past"), (verb + verb[-1] + "ing", "ing")]
    forms: list[tuple[str, VerbForm]] = [(verb, "base"), (s_form, "s")]
    return [*forms, *[(word, "past" if kind == "past" else "ing") for word, kind in past]]


def _all_forms() -> dict[str, tuple[str, VerbForm]]:
    table: dict[str, tuple[str, VerbForm]] = {}
    for verb in sorted(VERBS):
        for word, form in _forms(verb):
            table.setdefault(word, (verb, form))
    table.update({verb: (verb, "base") for verb in VERBS})
    table.update({word: (verb, "past") for word, verb in IRREGULAR_VERBS.items()})
    return table


VERB_FORMS: dict[str, tuple[str, VerbForm]] = _all_forms()
"""Every form of every known verb, with its base form."""
