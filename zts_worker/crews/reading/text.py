"""Decides what counts as a sentence of an idea: markdown and markup are taken off, long texts are bounded."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from zts_worker.crews.reading.sections import Section, labelled, section_of

MAX_READ_CHARACTERS = 60_000
"""How much of an idea is read; an idea that needs more than some twenty pages is read by its beginning."""
MAX_SENTENCE = 400
MAX_TITLE = 80
MAX_SENTENCES = 600

_CODE = re.compile(r"^(```|~~~).*?(^\1[^\n]*$|\Z)", re.S | re.M)
_HIDDEN = re.compile(r"<(script|style)\b", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>|<!--.{0,2000}?-->|<!doctype[^<>\n]{0,200}>", re.S | re.I)
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}\)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`|~~)(?=\S)(.{1,300}?)(?<=\S)\1")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_LABEL_ALONE = re.compile(r"^([A-Za-z][A-Za-z ]{2,28}):$")
_BULLET = re.compile(r"^(?:[-*+•]|\d{1,3}[.)])\s+(.*)$")
_RULE = re.compile(r"^[-=_*~\s]{3,}$")
_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(¿¡]*[^\W_a-z]|[\"'“(¿¡]*[0-9])|(?<=[。！？])")
_ANY_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")
LONG_FOR_ONE = 160
"""Characters from which on a block without a capital behind a full stop is hardly one sentence."""
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|approx|vs|z\.B|d\.h|bzw|Dr|Mr|Mrs|Ms|St|No|ca|p\.ej)\.$", re.I)


@dataclass(frozen=True, slots=True)
class Prose:
    """The text of an idea without its markup. `headings` are kept apart; `cut` tells that the text was longer.

    `sections` has one entry per sentence: the part of the pitch it stands in.
    """

    headings: tuple[str, ...]
    sentences: tuple[str, ...]
    sections: tuple[Section, ...]
    cut: bool


@dataclass(slots=True)
class _Page:
    """What was taken from the lines so far: headings, and blocks with the section they stand in."""

    headings: list[str] = field(default_factory=list)
    blocks: list[tuple[Section, str]] = field(default_factory=list)
    section: Section = ""
    is_open: bool = False


def prose(text: str) -> Prose:
    """Take `text` apart into headings and sentences, in their order."""
    cut = len(text) > MAX_READ_CHARACTERS
    page = _Page()
    lines = _lines(_without_markup(text[:MAX_READ_CHARACTERS]))
    for line in _with_title_marked(lines):
        _take(line, page)
    found = [(section, sentence) for section, block in page.blocks for sentence in _sentences(block)]
    return Prose(
        headings=tuple(page.headings[:40]),
        sentences=tuple(sentence for _, sentence in found[:MAX_SENTENCES]),
        sections=tuple(section for section, _ in found[:MAX_SENTENCES]),
        cut=cut or len(found) > MAX_SENTENCES,
    )


def _without_markup(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    text = _CODE.sub("\n", text)
    text = _TAG.sub(" ", _without_hidden(text))
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))


def _without_hidden(text: str) -> str:
    """`text` without scripts and style sheets, in one pass: an opening tag that is never closed hides nothing."""
    kept: list[str] = []
    low, at = text.lower(), 0
    while opening := _HIDDEN.search(text, at):
        closing = low.find(f"</{opening[1].lower()}", opening.end())
        if closing < 0:
            break
        kept.append(text[at : opening.start()])
        at = closing
    return " ".join([*kept, text[at:]])


def _lines(text: str) -> list[str]:
    return [" ".join(line.lstrip("> \t").split()) for line in text.split("\n")]


def _with_title_marked(lines: list[str]) -> list[str]:
    """A short first line without a full stop, above longer text, is a title: mark it as a heading."""
    start = next((at for at, line in enumerate(lines) if line), len(lines))
    if start + 1 >= len(lines) or not _could_be_title(lines[start]):
        return lines
    below = lines[start + 1]
    more = any(lines[start + 1 :])
    if labelled(lines[start])[0] or section_of(lines[start]) == "problem":
        return lines
    if more and (not below or (below[0].isupper() and len(below) > len(lines[start]) + 20)):
        return [*lines[:start], f"# {lines[start]}", *lines[start + 1 :]]
    return lines


def _could_be_title(line: str) -> bool:
    return len(line) <= MAX_TITLE and line[-1] not in ".!?,;" and not _BULLET.match(line) and line[0] != "#"


def _take(line: str, page: _Page) -> None:
    """Add one line: a heading, the start of a block (bullet, label, after a blank line) or more of the last block."""
    if not line or _RULE.match(line):
        page.is_open = False
    elif heading := _HEADING.match(line) or _LABEL_ALONE.match(line):
        page.headings.append(heading[1][:200])
        page.section, page.is_open = section_of(heading[1]), False
    elif bullet := _BULLET.match(line):
        _open(bullet[1], page)
    elif page.is_open and labelled(line)[0] == "":
        section, block = page.blocks[-1]
        page.blocks[-1] = (section, f"{block} {line}")
    else:
        _open(line, page)


def _open(line: str, page: _Page) -> None:
    section, rest = labelled(line)
    if section == "other" and not page.headings and line.lower().startswith(("title", "name")):
        page.headings.append(rest[:200])
        return
    page.blocks.append((section or page.section, rest))
    page.is_open = True


def _sentences(block: str) -> list[str]:
    found: list[str] = []
    # Who writes without capitals still ends sentences with a mark and a space.
    end = _END if len(block) < LONG_FOR_ONE or _END.search(block) else _ANY_END
    for piece in end.split(block):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + piece
        elif piece.strip():
            found.append(piece.strip())
    return [part for sentence in found for part in _bounded(sentence)]


def _bounded(sentence: str) -> list[str]:
    parts = []
    while len(sentence) > MAX_SENTENCE:
        at = sentence.rfind(" ", 0, MAX_SENTENCE)
        at = at if at > MAX_SENTENCE // 2 else MAX_SENTENCE
        parts.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*parts, sentence] if sentence else parts
