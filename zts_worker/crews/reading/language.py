"""Decides which language an idea is written in, by its most common small words and its script."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.inflection import VERB_FORMS, singular
from zts_worker.crews.reading.nouns import EVENTS, MATTERS, PEOPLE, TALK

NAMES = {
    "en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "ru": "Russian", "uk": "Ukrainian", "el": "Greek", "zh": "Chinese", "ja": "Japanese",
    "ko": "Korean", "ar": "Arabic", "he": "Hebrew", "hi": "Hindi", "th": "Thai", "und": "undetermined",
}  # fmt: skip

_ALSO_ENGLISH = frozenset(("a", "as", "no", "me", "in", "on", "do", "so", "was", "war", "o", "e", "i", "d", "l"))
"""Words that tell nothing apart, or stand alone in any text; English has enough others."""
_SMALL_WORDS: dict[str, frozenset[str]] = {
    code: w.listed(small) - _ALSO_ENGLISH
    for code, small in {
        "en": """the and of to is are for with that it this they their we who which from when each every an be not
                 but you your can will have has i'm my our would what where about more than""",
        "de": """der die das und ist sind für mit dass ein eine einen einem einer den dem des von zu auf nicht wir
                 ich sie er es im auch bei nach wenn oder aber wird werden kann können jede jeder jedes soll haben
                 hat sich ihre ihr unser unsere""",
        "es": """el la los las y de que en un una por para con su sus es son se no cada pero como más cuando o al
                 del queremos quiero está puede pueden tiene""",
        "fr": """le la les des et de que un une pour avec dans est sont sur ne pas qui chaque mais nous je il ils
                 elle leur leurs ses du au aux ou quand peut peuvent cette ce l d""",
        "it": "il lo la gli le e di che un una per con sono è non ogni ma noi io loro del della dei delle nel quando",
        "pt": "o a os as e de que um uma para com são é não cada mas nós eu seus do da dos das em quando pode têm",
        "nl": "de het een en van voor met dat is zijn niet elke maar wij ik hun op te in als kan worden heeft naar",
    }.items()
}
_SCRIPTS = (
    ("HIRAGANA", "ja"), ("KATAKANA", "ja"), ("HANGUL", "ko"), ("CJK", "zh"), ("CYRILLIC", "ru"), ("GREEK", "el"),
    ("ARABIC", "ar"), ("HEBREW", "he"), ("DEVANAGARI", "hi"), ("THAI", "th"),
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """ISO 639-1 code of `text`, judged by its first 6,000 characters; "und" where nothing tells."""
    sample = text[:6000]
    script = _script(sample)
    if script:
        return script
    low = _WORD.findall(sample.lower())
    counts = {code: sum(word in small for word in low) for code, small in _SMALL_WORDS.items()}
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    if counts[best] >= max(1, len(low) // 40) and (counts[best] > 1 or best == "en"):
        return best
    return "en" if any(_is_known(word) for word in low) else "und"


def _script(sample: str) -> str:
    letters = [character for character in sample if character.isalpha()][:600]
    blocks = Counter(code for letter in letters if ord(letter) > 0x36F for code in [_block(letter)] if code)
    if not blocks or sum(blocks.values()) * 2 < len(letters):
        return ""
    if blocks["ja"]:
        return "ja"
    code = blocks.most_common(1)[0][0]
    return "uk" if code == "ru" and re.search("[іїєґ]", sample) else code


def _block(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((code for start, code in _SCRIPTS if name.startswith(start)), "")


def _is_known(word: str) -> bool:
    noun = singular(word)
    known = (TALK, PEOPLE, EVENTS, MATTERS, w.ADJECTIVES)
    return len(word) > 2 and (word in VERB_FORMS or any(noun in some for some in known))
