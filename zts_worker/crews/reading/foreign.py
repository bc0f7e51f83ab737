"""Decides which nouns of an idea in another language than English are its things, by capitals and articles only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from zts_worker.crews.reading.inflection import identifier
from zts_worker.crews.reading.model import Attribute, Entity, FieldKind
from zts_worker.crews.reading.words import listed

_ARTICLES = {
    "de": "",
    "es": "el|la|los|las|un|una|cada|sus?|nuestr[oa]s?",
    "fr": "le|la|les|des|un|une|chaque|leurs?|ses|du|aux?|nos|l['’]|d['’]",
    "it": "il|lo|la|gli|le|un|una|ogni|i|dei|delle",
    "pt": "o|a|os|as|um|uma|cada|seus|suas",
    "nl": "de|het|een|elke|hun",
}
_DECLARED = {
    "de": r"\bjede[rs]? (\w+) (?:hat|haben) ",
    "es": r"\bcada (\w+) tiene ",
    "fr": r"\bchaque (\w+) (?:a|possède) ",
    "it": r"\bogni (\w+) ha ",
    "pt": r"\bcada (\w+) tem ",
    "nl": r"\belke? (\w+) heeft ",
}
"""`each reservation has`: what follows up to the end of the clause is what one has."""
_BETWEEN = re.compile(r",| (?:und|sowie|y|e|et|en) ")
_ARTICLE = re.compile(
    r"^(?:eine[nmrs]?|ein|de[nrms]|die|das|un[ao]?|une|el|la|los|las|le|les|des|um|uma|il|lo|een|het) ", re.I
)
_KINDS: dict[str, FieldKind] = {
    **dict.fromkeys(listed("datum fecha date data termin zeitpunkt"), "date"),
    **dict.fromkeys(listed("preis kosten precio prix prezzo preço prijs betrag"), "money"),
    **dict.fromkeys(listed("anzahl menge cantidad número nombre quantité quantità aantal"), "integer"),
    **dict.fromkeys(listed("e-mail email correo courriel"), "email"),
    **dict.fromkeys(listed("foto bild photo imagen image"), "url"),
    **dict.fromkeys(listed("notiz notizen beschreibung notas descripción notes note"), "long_text"),
}
_TALK = listed("""
    app idee website webseite problem jahr jahre tag tage woche wochen monat euro leute menschen person personen
    zeit firma lösung anwendung nutzer benutzer kunde idea aplicación aplicacion sitio problema año años día días
    semana mes gente persona personas tiempo empresa solución usuario usuarios vez manera parte precio fecha nombre
    cosa idée application site problème année jour jours semaine mois gens personne personnes temps entreprise
    solution utilisateur utilisateurs fois façon prix date nom chose web projekt proyecto projet versión version
    erste ersten preis name datum liste lista liste applicazione anno giorno tempo prezzo ano dia tempo preço ende
    anfang hilfe papier papel papier hoja feuille mundo monde welt""")
MOST = 4
_USUAL = (Attribute("name", "text", False), Attribute("notes", "long_text", False))
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
    declared = _declared(sentences, language)
    known = {_known_stem(name, groups) for name, _ in declared.values()} | {name for name, _ in declared.values()}
    said = {identifier(a.name) for _, found in declared.values() for a in found}
    ranked = [s for s in sorted(groups, key=lambda s: -len(groups[s])) if s not in known and identifier(s) not in said]
    rest = tuple(_entity(groups[stem], first_in[stem], language) for stem in ranked[: 0 if len(declared) > 1 else 3])
    firm = [
        replace(_entity(groups.get(_known_stem(name, groups)) or [name], sentence, language), attributes=found)
        for sentence, (name, found) in declared.items()
    ]
    return (*_joined(firm), *rest)[:MOST]


def _joined(entities: list[Entity]) -> Iterator[Entity]:
    """`a reservation has a bus` says that it belongs to a bus, where that is a thing of its own further on."""
    names = {entity.name for entity in entities}
    for at, entity in enumerate(entities):
        later = {other.name for other in entities[at + 1 :]}
        owners = tuple(a.name for a in entity.attributes if a.name in later)
        kept = tuple(a for a in entity.attributes if a.name not in names)
        yield replace(entity, attributes=kept or _USUAL, belongs_to=owners[:2])


def _declared(sentences: tuple[str, ...], language: str) -> dict[str, tuple[str, tuple[Attribute, ...]]]:
    """By sentence, the thing of which it says what each one has, and that; a later sentence on it adds nothing."""
    found: dict[str, tuple[str, tuple[Attribute, ...]]] = {}
    for sentence in sentences:
        match = re.search(_DECLARED[language], sentence, re.I)
        if match and match[1].lower() not in {name for name, _ in found.values()}:
            said = re.split(r"[.;:!?]", sentence[match.end() :])[0]
            attributes = {a.name: a for part in _BETWEEN.split(said) if (a := _attribute(part))}
            if attributes:
                found[sentence] = (match[1].lower(), tuple(attributes.values()))
    return found


def _attribute(part: str) -> Attribute | None:
    words = _ARTICLE.sub("", part.strip()).split()[:3]
    named = identifier(words[0]) if words else ""
    return Attribute(named, _KINDS.get(words[0].lower(), "text"), False) if len(named) > 1 else None


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


def _plural(singular: str, language: str) -> str:
    """The regular plural of a language; a wrong one is read all the same, so no exceptions are listed."""
    if language != "de":
        return f"{singular}s"
    if singular.endswith("e"):
        return f"{singular}n"
    if singular.endswith(("ung", "heit", "keit", "ion", "schaft")):
        return f"{singular}en"
    return f"{singular}se" if singular.endswith("us") else f"{singular}e"


def _entity(forms: list[str], sentence: str, language: str) -> Entity:
    names = sorted({identifier(form) for form in forms}, key=lambda form: (len(form), form))
    singular = _one_of(names[0]) if len(names) == 1 else names[0]
    longer = [name for name in names if name != singular]
    return Entity(
        name=singular,
        plural=longer[0] if longer else _plural(singular, language),
        title=min(forms, key=len).capitalize(),
        attributes=_USUAL,
        belongs_to=(),
        sentence=sentence,
    )
