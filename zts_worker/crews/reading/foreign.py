"""Decides which nouns of an idea in another language than English are its things, by capitals and articles only."""

from __future__ import annotations

import re
from collections import defaultdict

from zts_worker.crews.reading.inflection import identifier
from zts_worker.crews.reading.model import Attribute, Entity
from zts_worker.crews.reading.words import listed

_ARTICLES = {
    "de": "",
    "es": "el|la|los|las|un|una|cada|sus?|nuestr[oa]s?",
    "fr": "le|la|les|des|un|une|chaque|leurs?|ses|du|aux?|nos|l['’]|d['’]",
    "it": "il|lo|la|gli|le|un|una|ogni|i|dei|delle",
    "pt": "o|a|os|as|um|uma|cada|seus|suas",
    "nl": "de|het|een|elke|hun",
}
_TALK = listed("""
    app idee website webseite problem jahr jahre tag tage woche wochen monat euro leute menschen person personen
    zeit firma lösung anwendung nutzer benutzer kunde idea aplicación aplicacion sitio problema año años día días
    semana mes gente persona personas tiempo empresa solución usuario usuarios vez manera parte precio fecha nombre
    cosa idée application site problème année jour jours semaine mois gens personne personnes temps entreprise
    solution utilisateur utilisateurs fois façon prix date nom chose web projekt proyecto projet versión version
    erste ersten preis name datum liste lista liste applicazione anno giorno tempo prezzo ano dia tempo preço ende
    anfang hilfe papier papel papier hoja feuille mundo monde welt""")
_SEEN_ONLY_AS_PLURAL = re.compile(r"^(.{2,}(?:ion|ung|heit|keit))en$|^(.{2,}(?:on|or|al|ad))es$|^(.{3,}[^s])s$")
_ENDINGS = ("", "e", "en", "n", "er", "s", "ern", "es", "x", "i")


def foreign_entities(sentences: tuple[str, ...], language: str) -> tuple[Entity, ...]:
    """Up to 4 things, the most frequent first, with usual attributes only; none where no rule fits the language."""
    if language not in _ARTICLES:
        return ()
    pattern = _noun_pattern(language)
    groups: dict[str, list[str]] = defaultdict(list)
    first_in: dict[str, str] = {}
    for sentence in sentences:
        for word in pattern.findall(sentence):
            stem = _known_stem(word.lower(), groups)
            if word.lower() not in _TALK and stem not in _TALK and len(identifier(word)) > 3:
                groups[stem].append(word.lower())
                first_in.setdefault(stem, sentence)
    ranked = sorted(groups, key=lambda stem: -len(groups[stem]))[:4]
    return tuple(_entity(groups[stem], first_in[stem]) for stem in ranked)


def _noun_pattern(language: str) -> re.Pattern[str]:
    if language == "de":
        return re.compile(r"(?<=[^.!?:\s] )([A-ZÄÖÜ][a-zäöüß]{3,30})\b")
    return re.compile(rf"(?:\b(?:{_ARTICLES[language]})\s*)\b([^\W\d_]{{4,30}})\b", re.I)


def _known_stem(word: str, groups: dict[str, list[str]]) -> str:
    """The group `word` is a form of, after folding umlauts; the word itself where it opens a group."""
    folded = identifier(word)
    for stem in groups:
        known = identifier(stem)
        if any(folded == known + end or known == folded + end for end in _ENDINGS):
            return stem
    return word


def _one_of(name: str) -> str:
    match = _SEEN_ONLY_AS_PLURAL.match(name)
    return next(group for group in match.groups() if group) if match else name


def _entity(forms: list[str], sentence: str) -> Entity:
    names = sorted({identifier(form) for form in forms}, key=lambda form: (len(form), form))
    singular = _one_of(names[0]) if len(names) == 1 else names[0]
    longer = [name for name in names if name != singular]
    return Entity(
        name=singular,
        plural=longer[0] if longer else f"{singular}s",
        title=min(forms, key=len).capitalize(),
        attributes=(Attribute("name", "text", False), Attribute("notes", "long_text", False)),
        belongs_to=(),
        sentence=sentence,
    )
