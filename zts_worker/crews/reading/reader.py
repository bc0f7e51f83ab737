"""Decides the order in which an idea is read: prose first, then its nouns, then what is said about them."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from zts_worker.crews.reading import facets
from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.entities import choose_entities
from zts_worker.crews.reading.facts import Facts, facts_of
from zts_worker.crews.reading.foreign import foreign_entities
from zts_worker.crews.reading.inflection import identifier, singular
from zts_worker.crews.reading.kind import kind_of
from zts_worker.crews.reading.language import NAMES, language_of
from zts_worker.crews.reading.lawful import unlawful_sentences
from zts_worker.crews.reading.model import Action, Entity, IdeaReading
from zts_worker.crews.reading.parse import Piece, parse
from zts_worker.crews.reading.sections import section_of
from zts_worker.crews.reading.text import MAX_READ_CHARACTERS, Prose, prose

MAX_ACTIONS = 24
MAX_TITLE = 60
_CALLED = re.compile(r"\b(?:called|named) [\"“']?([A-Z][\w'-]*(?: [A-Z][\w'-]*){0,3})")
_PRODUCT = re.compile(
    r"\b(?:want|need|build|plan|propose|is) an? ((?!(?:small|simple|new|web|mobile|little) (?:site|app|page|tool)\b)"
    r"(?:[\w-]+ ){1,2}(?:app|site|website|platform|tool|planner|tracker|marketplace|dashboard|game|board|portal))\b",
    re.I,
)
_HANGING = w.PREPOSITIONS | w.CONJUNCTIONS | w.DETERMINERS | w.POSSESSIVES | w.AUXILIARIES | {"that", "who", "which"}
"""Words that wait for another: no title ends with one."""
_ASIDE = re.compile(r"\([^)]*\)")
_FILLERS = re.compile(
    r"^(?:(?:ok|okay|so|well|hi|hey|hello|basically|actually|um|uh|like|guys|everyone)\b[,! ]*)+", re.I
)
_OPENING = re.compile(r"^(?:(?:i|we) (?:want|would like|plan) to )?(?:build|make|create) (?:an? )?|^(?:an?|the) ", re.I)


def read_idea(text: str) -> IdeaReading:
    """Read `text` (plain or markdown, any language, any length) by rules.

    Pure and deterministic; never raises. Of a long text the first 60,000 characters are read.
    """
    read = prose(text)
    whole = "\n".join([*read.headings, *read.sentences])
    language = language_of(whole)
    title = _title(read)
    parsed = [parse(sentence) for sentence in read.sentences] if language == "en" else []
    facts = [facts_of(sentence, pieces) for sentence, pieces in zip(read.sentences, parsed, strict=False)]
    monetisation = facets.monetisation_of(read.sentences, read.sections) if language == "en" else ()
    entities = _entities(read, language, title, [_beside_money(fact, monetisation) for fact in facts])
    return IdeaReading(
        title=title,
        slug=slug_of(title, text),
        summary=facets.summary_of(read.sentences, title),
        problem=facets.problem_of(read.sentences, read.sections) if language == "en" else "",
        audience=facets.audience_of(parsed, frozenset(entity.name for entity in entities), read.sections),
        entities=entities,
        actions=_actions(facts, entities),
        kind=kind_of(whole),
        sentences=read.sentences,
        language=language,
        monetisation=monetisation,
        alternatives=facets.alternatives_of(read.sentences, read.sections, title),
        numbers=facets.numbers_of(read.sentences),
        unlawful=unlawful_sentences((*read.headings, *read.sentences)),
        integrations=facets.integrations_of(read.sentences),
        not_judged=_not_judged(read, language, parsed),
    )


def slug_of(title: str, text: str) -> str:
    """A folder-safe ASCII name of at most 48 characters; a digest of `text` where the title has no ASCII letter."""
    folded = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded.lower()))
    if len(slug) > 48:
        slug = slug[:48].rsplit("-", 1)[0]
    return slug or f"idea-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _title(read: Prose) -> str:
    titles = [heading for heading in read.headings[:2] if not section_of(heading)]
    if titles:
        return _shortened(titles[0])
    called = next((match[1] for s in read.sentences[:20] if (match := _CALLED.search(s))), "")
    if called:
        return called
    first = _OPENING.sub("", _FILLERS.sub("", _first_said(read)))
    return _shortened(_capitalised(first)) or "Untitled idea"


def _capitalised(line: str) -> str:
    """With a capital at its start; iPhone keeps its own spelling."""
    return line if line[1:2].isupper() else line[:1].upper() + line[1:]


def _first_said(read: Prose) -> str:
    """What the first sentence names; the product's own name where that tells only of the pain."""
    first = read.sentences[0] if read.sentences else ""
    head, colon, _ = first.partition(":")
    if colon and 1 < len(head.split()) < 9:
        return head
    product = _PRODUCT.search(facets.summary_of(read.sentences, ""))
    return product[1] if product and not _PRODUCT.search(first) else first


def _shortened(line: str) -> str:
    """At most 60 characters, cut at a word, without the mark at its end."""
    line = " ".join(_ASIDE.sub(" ", line).split()) if len(line) > MAX_TITLE else line
    if len(line) <= MAX_TITLE:
        return line.strip().rstrip(".,;:!? ")
    words = line[: MAX_TITLE + 1].rsplit(" ", 1)[0].split()
    while len(words) > 3 and words[-1].lower().strip(",;:") in _HANGING:
        words.pop()
    return " ".join(words).rstrip(".,;:!? ")


def _entities(read: Prose, language: str, title: str, facts: list[Facts]) -> tuple[Entity, ...]:
    if language == "en":
        heads = [singular(word) for word in re.findall(r"[a-z]+", title.lower())]
        return choose_entities(facts, heads)
    return foreign_entities(read.sentences, language)


def _beside_money(fact: Facts, monetisation: tuple[str, ...]) -> Facts:
    """What the product costs is no thing that it keeps: prices and subscriptions of the pitch are not counted."""
    if fact.sentence not in monetisation or fact.objects or any(claim.firm for claim in fact.claims):
        return fact
    return Facts(fact.sentence)


def _actions(facts: list[Facts], entities: tuple[Entity, ...]) -> tuple[Action, ...]:
    """Each pair of verb and entity once; things that are no entity count as none."""
    by_head = {name.rsplit("_", 1)[-1]: name for name in reversed([entity.name for entity in entities])}
    found: dict[tuple[str, str | None], Action] = {}
    for fact in facts:
        for verb, head in fact.objects:
            entity = by_head.get(identifier(head)) if head else None
            found.setdefault((verb, entity), Action(verb, entity, fact.sentence))
    ranked = sorted(found.values(), key=lambda action: action.entity is None)
    return tuple(ranked[:MAX_ACTIONS])


def _not_judged(read: Prose, language: str, parsed: list[tuple[Piece, ...]]) -> tuple[str, ...]:
    notes = []
    if language == "und":
        notes.append("These rules know no word of the text, so nothing in it was read.")
    elif language != "en":
        name = NAMES.get(language, language)
        notes.append(
            f"The idea is written in {name}: what it says of its things, users, problem and money was not read; "
            "only English is read in full."
        )
    if read.cut:
        notes.append(f"Only the first {MAX_READ_CHARACTERS} characters of the idea were read.")
    if language == "en" and not parsed:
        notes.append("There is no sentence in the text.")
    return tuple(notes)
