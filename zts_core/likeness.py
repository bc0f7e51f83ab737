"""Decides how alike two ideas are: by the content words of their texts, whatever their order, case and endings."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MOST_WORDS = 300
ALIKE = 0.6
"""From this share of common words on, an idea is pointed to as one that was seen before."""

BANDS, ROWS = 8, 4
"""MinHash with banding (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4): of two texts that share 0.8 of
their words 98 % meet in a band, of two that share 0.2 of them 1 %."""
_PRIME = (1 << 61) - 1
_LONG_WORD = re.compile(r"\w{4,}")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
"""Scripts that set no spaces between words: there, each two letters that stand together count as a word."""
_FUNCTION_WORDS = """
    about after also and been before being both could does done during each even every from have having here into
    just like made make makes many more most much must only other over same should some such than that their them
    then there these they this those through under until upon very want wants well were what when where which while
    will with within without would your
"""
_LEFT_OUT = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """A run whose idea is like a new one: the share of common words, and how that run stood when it was found."""

    run_id: str
    likeness: float
    state: str
    title: str

    def __str__(self) -> str:
        return f"run {self.run_id} ({self.state}, {self.likeness:.0%} alike): {self.title}"


def words(idea: str) -> list[str]:
    """The idea's content words, once each in the order of the text, by which it is compared."""
    return list(dict.fromkeys(_all_words(unicodedata.normalize("NFKC", idea).casefold())))[:MOST_WORDS]


def likeness(mine: Collection[str], other: Collection[str]) -> float:
    """Words in common as a share of all words of both (Jaccard's index), 0..1; 0 where neither has any."""
    both = set(mine) | set(other)
    return len(set(mine) & set(other)) / len(both) if both else 0.0


def bands(idea_words: Collection[str]) -> tuple[str, ...]:
    """Short names that ideas with many common words share at least one of: one per band, and one for the very same."""
    if not idea_words:
        return ()
    hashes = [int.from_bytes(_digest(word)) for word in idea_words]
    lowest = [min((a * each + b) % _PRIME for each in hashes) for a, b in _PERMUTATIONS]
    rows = [lowest[band * ROWS : (band + 1) * ROWS] for band in range(BANDS)]
    same = _digest(" ".join(sorted(idea_words))).hex()
    return (f"same:{same}", *(f"{band}:{_digest(repr(row)).hex()}" for band, row in enumerate(rows)))


def _all_words(text: str) -> Iterator[str]:
    for run in _UNSPACED.findall(text):
        yield from (run[at : at + 2] for at in range(len(run) - 1))
    for word in _LONG_WORD.findall(_UNSPACED.sub(" ", text)):
        if word not in _LEFT_OUT:
            yield word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 4 else word


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest()


_PERMUTATIONS = [
    (int.from_bytes(_digest(f"a{row}")) | 1, int.from_bytes(_digest(f"b{row}"))) for row in range(BANDS * ROWS)
]
