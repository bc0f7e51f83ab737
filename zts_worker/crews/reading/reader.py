"""Decides the order in which an idea is read: prose first, then its nouns, then what is said about them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from zts_worker.crews.reading.model import Attribute, Entity, IdeaReading
from zts_worker.crews.reading.text import Prose, prose

_NAMES = re.compile(r"\b(?:each|every|a|an|their|the|their) ([a-z]{3,24})s?\b", re.I)


def read_idea(text: str) -> IdeaReading:
    """Read `text` (plain or markdown, any language, any length) by rules; never raises, same text same reading."""
    read = prose(text)
    title = (read.headings[0] if read.headings else read.first_line)[:80] or "Untitled idea"
    return IdeaReading(
        title=title,
        slug=slug_of(title, text),
        summary=read.sentences[0] if read.sentences else title,
        problem=read.sentences[0] if read.sentences else "",
        audience=(),
        entities=_entities(read),
        actions=(),
        kind="web",
        sentences=read.sentences,
        language="en",
        monetisation=(),
        alternatives=(),
        numbers=(),
        unlawful=(),
        integrations=(),
        not_judged=(),
    )


def slug_of(title: str, text: str) -> str:
    """A folder-safe ASCII name of at most 48 characters; a digest of `text` where the title has no ASCII letter."""
    slug = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:48].strip("-")
    return slug or f"idea-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _entities(read: Prose) -> tuple[Entity, ...]:
    counts = Counter(word.lower() for sentence in read.sentences for word in _NAMES.findall(sentence))
    attributes = (Attribute("name", "text", False), Attribute("notes", "long_text", False))
    return tuple(
        Entity(
            name,
            f"{name}s",
            name.title(),
            attributes,
            (),
            next(s for s in read.sentences if name in s.lower()),
        )
        for name, _ in counts.most_common(3)
    )
