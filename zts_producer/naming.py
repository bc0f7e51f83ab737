"""Decides what a run is called: its id, its title and the name of its folder."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no i, l, o, u, and in ASCII order, so that ids sort by time."""

EPOCH = 1_735_689_600
"""Seconds from 1970 to 2025-01-01T00:00:00Z; six digits of seconds from here last until 2059."""

TIME_DIGITS = 6
RANDOM_DIGITS = 6
RUN_ID = re.compile(f"[{ALPHABET}]{{{TIME_DIGITS + RANDOM_DIGITS}}}")
LONGEST_TITLE = 80
LONGEST_SLUG = 40


def new_run_id(now: float | None = None) -> str:
    """Twelve characters: the second it was made, then 30 random bits. Sorts by time, fits a URL and a file name."""
    seconds = int(time.time() if now is None else now) - EPOCH
    stamp = "".join(ALPHABET[seconds >> shift & 31] for shift in range(5 * (TIME_DIGITS - 1), -1, -5))
    return stamp + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_DIGITS))


def title_of(idea: str) -> str:
    """The first line that says something, without Markdown's marks and a leading `Idea:`, cut at a word."""
    for line in "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in idea).split("\n"):
        words = re.sub(r"^[\s#>*_=~`-]+|[\s#*_=~`]+$", "", line)
        words = re.sub(r"^(?:idea|title|name)\s*:\s*", "", words, flags=re.IGNORECASE)
        if re.search(r"\w", words):
            return _cut(" ".join(words.split()), LONGEST_TITLE)
    return "untitled"


def slug_of(title: str) -> str:
    """The title as part of a file name: ASCII letters and digits joined by `-`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in words:
        if slug and len(slug) + len(word) >= LONGEST_SLUG:
            break
        slug = f"{slug}-{word}" if slug else word[:LONGEST_SLUG]
    return slug or "idea"


def folder_name(title: str, run_id: str) -> str:
    """`<slug>-<id>`."""
    return f"{slug_of(title)}-{run_id}"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"
