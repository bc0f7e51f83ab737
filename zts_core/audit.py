"""Decides whether a run's history is as it was written: by a chain made with every line, and by a seal kept elsewhere.

Each link of the chain is SHA-1 over the link before it and one line, joined by line feeds: the one digest that Redis
can compute in the step that writes the line (SHA-256 in a script holds Redis up for milliseconds a line). A line that
was changed, removed, added or moved breaks every link after it. Somebody who can write in Redis can make a whole new
chain; that is what the seal is for, SHA-256 (FIPS 180-4) over all lines, which an exported `run.json` carries out of
reach. What each step gave is in its line, as SHA-256 of the committed effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1, sha256


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of a ledger: `detail` is its JSON, byte for byte; `effect` the digest it names, or "".

    `kept` is the detail as it stands in the store, where it is encrypted there: the chain is over that, for Redis makes
    it, and the seal over what it says, so that a seal lasts when the key is changed.
    """

    id: str
    kind: str
    seq: int
    detail: str
    effect: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """A run's lines, the chain that was made with them, and the digests of the effects that are kept now."""

    lines: tuple[AuditLine, ...] = ()
    chain: tuple[str, ...] = ()
    effects: Mapping[int, str] = field(default_factory=dict)

    def seal(self, lines: int) -> str:
        """SHA-256 over the first `lines` lines, in hexadecimal."""
        return digest("\n".join(_text(line, line.detail) for line in self.lines[:lines]))


def link(before: str, line: AuditLine) -> str:
    """The link of a line, in hexadecimal; `before` is the link before it, "" for the first."""
    text = f"{before}\n{_text(line, line.kept or line.detail)}"
    return sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _text(line: AuditLine, detail: str) -> str:
    return "\n".join((line.id, line.kind, str(line.seq), detail))


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8 as it reaches the store, in hexadecimal."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def faults(trail: AuditTrail) -> list[str]:
    """What is not as it was written, in the ledger's order; empty where all is."""
    found = []
    before = ""
    for number, (line, written) in enumerate(zip(trail.lines, trail.chain, strict=False), start=1):
        if link(before, line) != written:
            found.append(f"line {number} ({line.kind}, step {line.seq}) or its place is not what was written")
            break
        before = written
    missing = len(trail.chain) - len(trail.lines)
    if missing > 0:
        found.append(f"{missing} of {len(trail.chain)} lines are gone")
    elif missing < 0:
        found.append(f"{-missing} of {len(trail.lines)} lines were added from outside")
    return found + _changed_effects(trail)


def _changed_effects(trail: AuditTrail) -> list[str]:
    newest = {line.seq: line.effect for line in trail.lines if line.effect}
    return [
        f"the output of step {seq} is {'gone' if seq not in trail.effects else 'not the one that was committed'}"
        for seq, effect in newest.items()
        if trail.effects.get(seq) != effect
    ]
