"""Decides which part of a pitch a heading or a label such as `Problem:` opens."""

from __future__ import annotations

import re
from typing import Literal

from zts_worker.crews.reading.signs import Signs, signs

Section = Literal["problem", "audience", "features", "money", "alternatives", "other", ""]

_SECTIONS: tuple[tuple[Section, Signs], ...] = (
    ("problem", signs(r"problems?|pain points?|pain|challenge we solve|why|motivation|the need")),
    ("audience", signs(r"""audience|target (?:users?|customers?|group|market)|users?|customers?|personas?|for whom|
        who is it for""")),
    ("features", signs(r"""features?|functionality|functions|what it does|requirements|user stories|scope|mvp|
        must[- ]haves?""")),
    ("money", signs(r"business models?|pricing|prices?|revenue(?: model)?|moneti[sz]ation|money|cost to users")),
    ("alternatives", signs(r"competit(?:ion|ors?|ive \w+)|alternatives?|existing solutions|today")),
    ("other", signs(r"""title|name|product|idea|solution|summary|overview|description|how it works|
        tech(?:nical|nology)? ?(?:stack|details|notes)?|architecture|data(?: model)?|goals?|metrics|launch|privacy|
        security|timeline""")),
)  # fmt: skip
_LABEL = re.compile(r"^([A-Za-z][A-Za-z /&-]{2,28}?)\s?(?::|\s[–—-])\s+(\S.*)$")
_MOST_WORDS = 4


def section_of(heading: str) -> Section:
    """The part that a short heading opens; "" where it is none of the usual ones."""
    if len(heading.split()) > _MOST_WORDS:
        return ""
    return next((section for section, sign in _SECTIONS if sign.search(heading)), "")


def labelled(line: str) -> tuple[Section, str]:
    """(section, rest) of a line such as `Target users: home cooks`; ("", line) where it bears no usual label."""
    match = _LABEL.match(line)
    section = section_of(match[1]) if match and _is_label(match[1]) else ""
    return (section, match[2]) if match and section else ("", line)


def _is_label(words: str) -> bool:
    """Labels are short and hold no article, so that `An idea: ...` and `Each user: name` are prose."""
    return len(words.split()) <= 3 and words.split()[0].lower() not in ("a", "an", "the", "each", "every", "my", "our")
