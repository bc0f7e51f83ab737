"""Decides what looks like a secret that somebody left in a file.

Patterns follow the formats the issuers publish: AWS access keys, GitHub tokens, Slack tokens, Stripe live keys, Google
API keys, private keys in PEM (RFC 7468), and names such as `password` that are given a literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FORMATS = {
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "Stripe live key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:[\s\S]{0,10000}?-----END (?:[A-Z]+ )*PRIVATE KEY-----)?",
    "password in an address": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,100}:(?P<secret>[^\s:/@'\"{}$<]{3,200})@",
    "secret in the code": (
        r"(?i)\b[a-z0-9_]{0,40}(?:password|passwd|secret|api_?key|access_?key|auth_?token)[a-z0-9_]{0,40}"
        r"['\"]?\s{0,20}[:=]\s{0,20}"
        r"['\"](?P<secret_value>[^'\"\s{}$<>]{8,500})['\"]"
    ),
}
# Every repetition is bounded: the text is not ours, and must not be able to hold the search up.
_PATTERNS = {name: re.compile(pattern) for name, pattern in _FORMATS.items()}
_INVENTED = re.compile(r"(?i)example|change|placeholder|dummy|your[-_]|xxx|sesame|\*\*\*")
_ISSUED = frozenset(list(_FORMATS)[:6])


@dataclass(frozen=True)
class Leak:
    """A secret at a line (from 1); `hint` shows its first characters only."""

    what: str
    line: int
    hint: str


def leaks(text: str) -> Iterator[Leak]:
    """Every secret found in `text`."""
    seen: set[int] = set()
    for what, match in _found(text):
        line = text.count("\n", 0, match.start()) + 1
        if line not in seen:
            seen.add(line)
            yield Leak(what, line, _value(match)[:4] + "…")


def redacted(text: str) -> str:
    """`text` with every secret replaced by a note."""
    for what, match in sorted(_found(text), key=lambda found: -found[1].start()):
        start, end = _span(match)
        text = f"{text[:start]}taken out: {what}{text[end:]}"
    return text


def _found(text: str) -> list[tuple[str, re.Match[str]]]:
    found: list[tuple[str, re.Match[str]]] = []
    for what, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            overlaps = any(match.start() < other.end() and other.start() < match.end() for _, other in found)
            # A documented format is a leak even if it says "example": it was issued by a machine.
            if not overlaps and (what in _ISSUED or not _INVENTED.search(_value(match))):
                found.append((what, match))
    return found


def _span(match: re.Match[str]) -> tuple[int, int]:
    for name in match.groupdict():
        return match.span(name)
    return match.span()


def _value(match: re.Match[str]) -> str:
    start, end = _span(match)
    return match.string[start:end]
