"""Decides what an idea says beside its things: for whom, against which pain, instead of what, for which money."""

from __future__ import annotations

import re

from zts_worker.crews.reading import words as w
from zts_worker.crews.reading.inflection import plural
from zts_worker.crews.reading.nouns import ORGANISATIONS, is_person
from zts_worker.crews.reading.parse import Phrase, Piece, Token
from zts_worker.crews.reading.sections import Section
from zts_worker.crews.reading.signs import signs
from zts_worker.crews.reading.words import listed

_PAIN = signs(r"""problems?|pain\w*|struggl\w+|forg[eo]t\w*|los[et]s?|losing|
    miss(?:es|ed|ing)?|wast\w+|hard|difficult\w*|
    hate\w*|nobody|no one|cannot|can't|could not|couldn't|never|late|expensive|slow(?:er|ly)?(?! down)|
    manual\w*|annoy\w+|
    frustrat\w+|
    worr\w+|quarrel\w*|kill\w*|die[sd]?|corrod\w+|break\w*|broken?|cost us|error\w*|mistakes?|confus\w+|chaos|
    chaotic|
    lonely|danger\w*|too (?:much|little|many|few|late|long)|(?:for|many|lose|loses|losing|lost|spends?|takes?|
    wastes?) hours|
    twice|two times|fight\w*|argu\w+|things get|loose sheets|do not talk|stands? still|gets? moved|scatter\w*|
    overwhelm\w*|unfair\w*|fail\w*|
    skipp\w+|
    complain\w*|suffer\w*|afraid|stress\w*|drown\w*|guess\w*|by hand|scraps?|scroll away|thrown? away|spoil\w*""")
_WHAT_IT_IS = re.compile(
    r"\b(?:i|we) (?:want|would like|plan|am going|are going|are building|am building|build|'d like|propose|need)\b"
    r"|\bis an? (?:\S+ ){0,4}(?:app|application|site|website|marketplace|platform|tool|device|service|api|game|"
    r"dashboard|bot|sensor|system|library|extension)\b"
    r"|^(?:an?|the) (?:\S+ ){0,5}(?:app|application|site|website|marketplace|platform|tool|device|service|api|game|"
    r"dashboard|bot|sensor|system)\b",
    re.I,
)
_MONEY = signs(r"""(?:costs?|pays?|price[ds]?|pricing|
    charge[sd]?|fees?|subscription\w*|commission|freemium|premium|
    free (?:for|up to|tier|plan)|is free|earn\w*|revenue|sell\w*|sold|licen[sc]e fee|advertisers|ad-financed|
    donations?|
    sponsor\w*|pays for itself|one-off|lifetime|(?:euros?|dollars?|pounds?|cents?) (?:a|an|per) \w+|
    per (?:seat|user|call|request))""")
_INCOME = signs(r"""\d+ ?(?:%|percent) (?:commission|fee)|commission (?:on|of|per)|subscriptions? (?:at|of|for|
        from|costs?)|
    (?:takes?|keeps?|charges?|earns?) (?:\S+ ){0,4}\d+ ?(?:%|percent)|
    \d[\d.,]* (?:euros?|dollars?|cents?|pounds?) (?:each|(?:a|per) (?:month|year|user|seat|piece|book|call|
    request|copy|lesson))|
    requests? (?:a|per) (?:day|month) are free|
    freemium|[$€£] ?\d[\d.,]* ?(?:/|a|per) ?(?:month|year|user|seat|mo)""")
_OURS = signs(r"""we|it|is|our|i|users?|members?|customers?|app|version|plan|lending|per|year|month|free|earn|
    sell""")
_PAST_COST = signs(r"""cost us|parts should cost|lost|last year|last month|on average|charges \d+ euros a day|
    is too expensive""")
_SUBSTITUTES = signs(r"""(?:google |excel )?(?:spread)?sheets?|excel|paper (?:logs?|lists?|forms?|notebooks?|
    calendars?|
    diar(?:y|ies))|calculators?|shared calendars?|wall calendars?|loose sheets|over the phone|scraps of paper|
    pen and paper|(?<!toilet )paper|notebooks?|sticky notes|whatsapp(?: groups?)?|
    facebook groups?|
    telegram groups?|slack channels?|e-?mail(?:s| threads| chains)|phone calls|whiteboards?|notice boards?|
    word of mouth|memory|index cards|classified ads|craigslist|ebay(?: kleinanzeigen)?""")
_INSTEAD = signs(r"""alternativ\w+|compet\w+|competing|exist\w*|instead of|unlike|compared (?:to|with)|made for|
    such as|rivals?|today|currently|already|better than|others? like|similar|replaces?|
    uses?|using|rel(?:y|ies) on|kept in|
    there (?:is|are)|incumbents?|
    right now|at the moment|at present|(?:does|do) this|only does|keeps? \w+ (?:in|on)|on loose|ask \w+ \w+ \w+ in|
    write on|copies|happens in|hands out|built for|the market""")
_NO_ALTERNATIVE = re.compile(r"\b(?:no|nothing|not any) (?:\w+ )?(?:alternative|competitor|like it|comparable)", re.I)
_NUMBER = re.compile(r"\d|\b(?:percent|%|half of|two thirds|dozens|hundreds|thousands)\b", re.I)
_INTEGRATIONS = re.compile(
    r"\b(Stripe|PayPal|Twilio|SendGrid|Slack|Discord|Google (?:Calendar|Maps|Sheets|Drive)|Outlook|Microsoft Teams|"
    r"Salesforce|HubSpot|Xero|QuickBooks|DATEV|Zapier|Shopify|WooCommerce|WordPress|Jira|GitHub|GitLab|"
    r"Notion|Airtable|"
    r"OpenAI|OpenStreetMap|Strava|Garmin|Apple Health|Spotify|YouTube|Bluetooth(?: Low Energy)?|Wi-?Fi|"
    r"LoRa(?:WAN)?|"
    r"MQTT|Zigbee|Matter|Home Assistant|NFC|GPS|SMS|CSV|iCal|RSS|SAML|OAuth|LDAP|SEPA)\b"
)


def audience_of(
    parsed: list[tuple[Piece, ...]], recorded: frozenset[str], sections: tuple[Section, ...]
) -> tuple[str, ...]:
    """Up to 4 groups of people the idea serves, lower case plural, those named `for` or first foremost.

    People of whom records are kept (`recorded`, singular nouns) stand behind those who keep them.
    """
    scores: dict[str, float] = {}
    wording: dict[str, str] = {}
    named_for: set[str] = set()
    for at, pieces in enumerate(parsed):
        for group, head, said in _groups(pieces):
            worth = said + (2.0 if at < len(sections) and sections[at] == "audience" else 0.0)
            scores[head] = scores.get(head, 0.0) + worth + (1.0 if at < 3 else 0.0)
            served = worth > 1.0 and head not in named_for
            if served or (head not in named_for and len(group) > len(wording.get(head, ""))):
                wording[head] = group
            named_for |= {head} if served else set()
    for head in recorded & scores.keys():
        scores[head] *= 0.3
    ranked = sorted(scores, key=lambda head: -scores[head])
    return tuple(wording[head] for head in ranked[:4] if scores[head] >= 0.35 * scores[ranked[0]])


def _groups(pieces: tuple[Piece, ...]) -> list[tuple[str, str, float]]:
    found = []
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Phrase) or piece.is_name or piece.det == "no" or _is_a_part(piece):
            continue
        before = pieces[at - 1] if at else None
        is_served = isinstance(before, Token) and before.low in ("for", "help", "helps", "lets", "let", "connects")
        if not (
            _are_people(pieces, at)
            or (piece.head in ORGANISATIONS and piece.is_plural and (is_served or at == 0 or _is_connected(pieces, at)))
        ):
            continue
        # `export it for the caterer` is a purpose of somebody else.
        is_foremost = is_served and (piece.is_plural or piece.det != "the")
        if piece.is_plural or is_foremost:
            text = _plural_group(piece) + (_clause(pieces, at + 1) if piece.is_plural else "")
            found.append((text, piece.head, 3.0 if is_foremost else 0.7))
    return found


def _is_a_part(phrase: Phrase) -> bool:
    """A fan that is switched on is none that cheers."""
    return phrase.head == "fan" and not phrase.is_plural


def _are_people(pieces: tuple[Piece, ...], at: int) -> bool:
    """People by their noun; `people` itself only where it is said which people."""
    piece = pieces[at]
    if not isinstance(piece, Phrase) or piece.head != "person":
        return isinstance(piece, Phrase) and is_person(piece.head)
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    return len(piece.words) > 1 or (isinstance(after, Token) and after.low in ("who", "with"))


def _plural_group(phrase: Phrase) -> str:
    front = [word for word in phrase.words[:-1] if word not in w.NUMERALS | {"whole"}]
    return " ".join([*front[-2:], phrase.words[-1] if phrase.is_plural else plural(phrase.head)])


def _clause(pieces: tuple[Piece, ...], at: int) -> str:
    """`who own many house plants` behind the people, up to the next mark; empty where there is none."""
    first = pieces[at] if at < len(pieces) else None
    if not isinstance(first, Token) or first.low not in ("who", "with", "of") or _is_connected(pieces, at):
        return ""
    said: list[str] = []
    stop = ""
    for piece in pieces[at : at + 8]:
        if isinstance(piece, Token) and said and _ends_clause(piece, first.low, len(said)):
            stop = piece.low
            break
        said.append(piece.text if isinstance(piece, Token) else f"{_spoken_det(piece)}{piece.text}")
    while said and said[-1].lower() in w.PREPOSITIONS | w.ADVERBS | {"who", "and", "yesterday"}:
        said.pop()
    is_list_of_features = first.low == "with" and stop == ","
    words = " ".join(said).replace(" 's", "'s")
    return f" {words}" if len(said) > 1 and not is_list_of_features else ""


def _is_connected(pieces: tuple[Piece, ...], at: int) -> bool:
    """`connects designers with businesses` names two groups, not designers who have businesses."""
    return any(isinstance(p, Token) and p.base in ("connect", "match", "link") for p in pieces[max(0, at - 4) : at])


def _ends_clause(token: Token, opened_by: str, length: int) -> bool:
    if token.tag in ("mark", "conj", "sub", "aux") or token.low in ("between", "in"):
        return token.tag != "aux" or opened_by != "who" or length > 1
    return token.form in ("base", "s") and (opened_by != "who" or length > 2)


def _spoken_det(phrase: Phrase) -> str:
    return f"{phrase.det} " if phrase.det else ""


def problem_of(sentences: tuple[str, ...], sections: tuple[Section, ...]) -> str:
    """The first sentence of a section on the problem; else the one that tells most of a pain; else nothing.

    Of two sentences that tell as much, the earlier one.
    """
    told = next((s for s, section in zip(sentences, sections, strict=True) if section == "problem"), "")
    ranked = [(_pain(sentence) - 0.08 * at, -at, sentence) for at, sentence in enumerate(sentences[:40])]
    best = max((entry for entry in ranked if _pain(entry[2])), default=None)
    return told or (best[2] if best else "")


def _pain(sentence: str) -> float:
    found = len({match.lower() for match in _PAIN.findall(sentence)})
    return 0.0 if not found or _WHAT_IT_IS.search(sentence) else min(found, 4)


def summary_of(sentences: tuple[str, ...], title: str) -> str:
    """The first sentence that says what the product is; else the first sentence; else the title."""
    said = next((sentence for sentence in sentences if _WHAT_IT_IS.search(sentence)), "")
    return said or (sentences[0] if sentences else title)


def monetisation_of(sentences: tuple[str, ...], sections: tuple[Section, ...]) -> tuple[str, ...]:
    """Sentences that say where the money comes from, or that it saves more than it costs."""
    pairs = zip(sentences, sections, strict=True)
    return tuple([s for s, section in pairs if section == "money" or _is_on_money(s)][:6])


def _is_on_money(sentence: str) -> bool:
    if _PAST_COST.search(sentence):
        return False
    return bool(_INCOME.search(sentence) or (_MONEY.search(sentence) and _OURS.search(sentence)))


def alternatives_of(sentences: tuple[str, ...], sections: tuple[Section, ...], title: str) -> tuple[str, ...]:
    """What people use instead: substitutes such as spreadsheets, and products named in a comparing sentence."""
    found: dict[str, str] = {}
    for sentence, section in zip(sentences, sections, strict=True):
        is_told = section == "alternatives" or _INSTEAD.search(sentence)
        if not is_told or _NO_ALTERNATIVE.search(sentence):
            continue
        names = [name for name in _names(sentence) if name.lower() not in title.lower()]
        for name in (*names, *_SUBSTITUTES.findall(sentence)):
            found.setdefault(name.lower(), name)
    kept = [name for low, name in found.items() if not any(low != other and low in other for other in found)]
    return tuple(kept[:8])


def is_substitute(name: str) -> bool:
    """Whether this is a thing such as paper or a spreadsheet, and no product by its name."""
    found = _SUBSTITUTES.search(name)
    return found is not None and found[0] == name


_NAME = re.compile(r"(?<![.!?] )(?<!^)\b([A-Z][\w&-]+(?: [A-Z][\w&-]+){0,2})")
_FIRST_NAME = re.compile(
    r"(?:^|[.!?] )([A-Z][\w&-]{2,})(?= (?:is|are|was|has|have|exists?|costs?|does|and|only|needs)\b|,|'s)"
)
_NO_NAMES = listed("""
    i euro euros csv pdf led usb api gdpr monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december english german french spanish europe germany
    aa mvp faq ai sms gps it he she they we this that there everybody nobody nothing it's i'm i've""")


def _names(sentence: str) -> list[str]:
    found = [*_FIRST_NAME.findall(sentence), *_NAME.findall(sentence)]
    return [name for name in found if _is_name(name)]


def _is_name(name: str) -> bool:
    low = name.lower()
    known = low in w.PRONOUNS or low in w.DETERMINERS or low in w.SUBORDINATORS or low in w.ADVERBS
    return not (known or low in _NO_NAMES or low in w.PREPOSITIONS or is_person(low.rstrip("s")))


FORMATS = ("CSV", "iCal", "RSS")
"""What a product writes and reads by itself, unlike the services it depends on."""


def numbers_of(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences with quantities, at most 12."""
    return tuple([sentence for sentence in sentences if _NUMBER.search(sentence)][:12])


def integrations_of(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Services, formats and radios the idea names, in their order, at most 10."""
    found = dict.fromkeys(name for sentence in sentences for name in _INTEGRATIONS.findall(sentence))
    return tuple(list(found)[:10])
