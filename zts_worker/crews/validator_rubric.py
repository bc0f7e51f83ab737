"""Decides how many points an idea's text earns, and why: one function per point of the rubric."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from zts_worker.crews.reading import IdeaReading
from zts_worker.crews.reading.signs import Signs, signs
from zts_worker.crews.safeguards import Care, missing_for_compliance


@dataclass(frozen=True, slots=True)
class Point:
    """What one point earned: 0..1, the reason, and the sentence it rests on ("" where none does)."""

    score: float
    reason: str
    sentence: str = ""


Judge = Callable[[IdeaReading, Care], Point]


_NUMBER = re.compile(
    r"\d|\b(?:percent|half|third|twice|two|three|four|five|six|seven|eight|nine|ten|twenty|dozens?)\b", re.I
)
_FIRST_HAND = signs(r"""i|we|my|our""")
_AUTHOR = re.compile(r"\b(?:I|I'm|I've|my)\b")
_OBSERVED = signs(r"""asked|interview\w*|survey\w*|told me|told us|said|of (?:the |our )?\d+|spoke (?:to|with)|
    observed|counted|
    tested|poll\w*|signed up|waiting list|wait ?list|agreed to|pre-?order\w*|last (?:year|month|winter|season)""")
_CONTRAST = signs(r"""but|only|too|instead|whereas|while|unlike|without|thin|nobody opens|same|slow|expensive|
    costs?|charges?|
    within months|need their|made for|wants?|scroll away|forgets?""")
_FIRST_VERSION = signs(r"""first (?:version|release|prototype|step|iteration)|mvp|version one|v1|pilot|
    to begin with|
    (?:start|begin|launch) with (?:one|a single|just|only)|minimum viable|smallest version""")
_EXCLUSION = signs(r"no|not|without|only|nothing else|just|later|leave out|except")
_CHANNEL = signs(r"""forums?|flyers?|clubs?|newsletters?|app store|play store|markets?|online shop|associations?|
    invite|schools?|
    librar(?:y|ies)|community|communities|reddit|hacker news|linkedin|instagram|tiktok|youtube|podcasts?|
    conferences?|
    word of mouth|mailing list|post it|meetups?|fairs?|direct sales|our own (?:staff|employees)|
    our office managers|internal|advertis\w+|influencers?|seo|search engines?|steam|itch\.io|package index|
    universities""")
_SUCCESS = signs(r"""works if|works when|success(?:ful)?|goal is|we measure|measured by|is passed when|we will know|
    target is|
    aim is|kpi|retention of|if at least|when at least|by (?:summer|winter|spring|autumn|the end of)|metric""")
_EVERYBODY = signs(r"""everyone|everybody|anyone|all people|the whole world|every person|all businesses""")
_IMPOSSIBLE = signs(r"""perpetual motion|free energy|time (?:travel|machine)\w*|teleport\w*|faster than light|
    anti-?gravity|
    (?:read|reads|reading) (?:people's |your |the )?(?:minds|mind|thoughts)|telepath\w*|lottery numbers?|
    (?:always|certainly|guaranteed) (?:wins?|profit|predicts?)|predicts? (?:\w+ ){0,6}with (?:certainty|100 ?%|
    100 percent)|
    100 ?(?:%|percent) (?:accura\w+|certain\w*|secure|safe)|guaranteed (?:profits?|returns?)|immortal\w*|
    cures? (?:all|every|cancer)|never needs? (?:any )?(?:power|energy|charging)|runs? forever without (?:power|
    energy|batteries)""")
MANY_AREAS = 8
"""Commas in a sentence on the whole product, from which on it lists areas and no features."""
_WHOLE = signs(r"""platform|system|one app|super ?app|suite|everything|all in one|os""")
_ENORMOUS = signs(r"""rockets?|satellites?|nuclear|fusion reactor|self-driving cars?|autonomous cars?|
    general intelligence|agi|
    replace (?:google|facebook|amazon|windows|the internet)|new (?:operating system|search engine|currency)|
    flying cars?|space elevator|brain implants?|supersonic""")


def _sentence(reading: IdeaReading, sign: Signs | re.Pattern[str]) -> str:
    return next((sentence for sentence in reading.sentences if sign.search(sentence)), "")


def problem(reading: IdeaReading, _care: Care) -> Point:
    """A pain is named, with a number, first hand."""
    if not reading.problem:
        return Point(0.0, "No sentence says what goes wrong today.")
    score = 0.75 + 0.15 * any(_NUMBER.search(s) for s in (reading.problem, *reading.sentences[:6]))
    score += 0.1 * any(_FIRST_HAND.search(s) for s in reading.sentences[:6])
    reason = "The pain is named, measured and known first hand." if score > 0.95 else "The pain is named."
    return Point(score, reason, reading.problem)


def audience(reading: IdeaReading, _care: Care) -> Point:
    """Somebody is named who has the problem, and narrowly."""
    if not reading.audience:
        everybody = _sentence(reading, _EVERYBODY)
        author = _sentence(reading, _AUTHOR)
        if author:
            return Point(0.4, "Only the author is named as a user.", author)
        return Point(0.2 if everybody else 0.0, "Nobody in particular is named as a user.", everybody)
    first = reading.audience[0]
    is_narrow = " " in first or len(reading.audience) > 1
    sentence = next((s for s in reading.sentences if first.split()[-1].rstrip("s") in s.lower()), "")
    if is_narrow:
        return Point(1.0, f"The users are named: {', '.join(reading.audience)}.", sentence)
    return Point(0.75, f"The users are named in one word: {first}.", sentence)


def things(reading: IdeaReading, _care: Care) -> Point:
    """There are things to keep track of, and the text says what each has."""
    count = len(reading.entities)
    if not count:
        return Point(0.0, "The text names no thing that the product would keep track of.")
    stated = sum(attribute.name not in ("name", "notes") for e in reading.entities for attribute in e.attributes)
    score = (0.0, 0.4, 0.65, 0.8)[min(count, 3)] + (0.2 if stated >= 3 else 0.1 if stated else 0.0)
    names = ", ".join(entity.title.lower() for entity in reading.entities)
    return Point(
        min(1.0, score), f"Things named: {names}; {stated} details of them are said.", reading.entities[0].sentence
    )


def actions(reading: IdeaReading, _care: Care) -> Point:
    """The text says what is done with these things."""
    on_things = [action for action in reading.actions if action.entity]
    count = len(on_things) + 0.5 * (len(reading.actions) - len(on_things))
    if not reading.actions:
        return Point(0.0, "No sentence says what anybody does with the product.")
    said = ", ".join(
        f"{action.verb} {action.entity or ''}".strip() for action in (on_things or list(reading.actions))[:4]
    )
    return Point(
        min(1.0, 0.3 + 0.25 * count), f"Actions named: {said}.", (on_things or list(reading.actions))[0].sentence
    )


def feasibility(reading: IdeaReading, _care: Care) -> Point:
    """Nothing asked for is beyond physics, certainty or a small team."""
    impossible = _sentence(reading, _IMPOSSIBLE)
    if impossible:
        return Point(0.0, "This asks for what cannot be built.", impossible)
    enormous = _sentence(reading, _ENORMOUS)
    if enormous:
        return Point(0.4, "This is beyond a small team and a first version.", enormous)
    wide = next((s for s in reading.sentences if s.count(",") >= MANY_AREAS and _WHOLE.search(s)), "")
    if wide:
        return Point(0.4, f"This names {wide.count(',') + 1} areas at once; a first version is one of them.", wide)
    if not reading.entities or not reading.actions:
        return Point(0.2, "Too little is said to tell whether it can be built.")
    return Point(1.0, "Keeping, changing and showing these things is ordinary engineering.", reading.summary)


def care(reading: IdeaReading, found: Care) -> Point:
    """Personal data is absent, or its handling is promised."""
    if not reading.entities:
        return Point(0.0, "There is nothing whose handling could be judged.")
    missing = missing_for_compliance(found)
    sentence = next(iter(found.promises.values()), "")
    if not missing:
        return Point(1.0, "Handling of personal data is promised, or there is none.", sentence)
    return Point(max(0.2, 0.8 - 0.2 * len(missing)), f"Not promised: {'; '.join(missing)}.", sentence)


def alternatives(reading: IdeaReading, _care: Care) -> Point:
    """What people use instead is named, and why it falls short."""
    if not reading.alternatives:
        return Point(0.0, "No alternative that people use today is named.")
    told = [s for s in reading.sentences if any(name in s for name in reading.alternatives)]
    contrasted = next((s for s in told if _CONTRAST.search(s)), "")
    names = ", ".join(reading.alternatives)
    if contrasted:
        return Point(1.0, f"Compared with: {names}.", contrasted)
    return Point(0.7, f"Named, but not compared: {names}.", told[0] if told else "")


def evidence(reading: IdeaReading, _care: Care) -> Point:
    """Somebody asked, counted or tried, with a number."""
    observed = [s for s in reading.numbers if _OBSERVED.search(s)]
    if observed:
        return Point(1.0 if len(observed) > 1 else 0.85, "Demand was asked for or counted.", observed[0])
    said = _sentence(reading, _OBSERVED)
    figures = [sentence for sentence in reading.numbers if sentence not in reading.monetisation]
    if said or figures:
        return Point(0.5, "There are figures or reports, but not both together.", said or figures[0])
    return Point(0.0, "Nothing shows that anybody was asked.")


def money(reading: IdeaReading, _care: Care) -> Point:
    """It is said what it costs and who pays."""
    if not reading.monetisation:
        return Point(0.0, "It is not said how it pays for itself.")
    priced = next((s for s in reading.monetisation if _NUMBER.search(s)), "")
    return Point(1.0, "There is a price.", priced) if priced else Point(0.7, "Money is named.", reading.monetisation[0])


def scope(reading: IdeaReading, _care: Care) -> Point:
    """A first version is bounded."""
    first = _sentence(reading, _FIRST_VERSION)
    if first:
        at = reading.sentences.index(first)
        bounded = any(_EXCLUSION.search(s) for s in reading.sentences[at : at + 2])
        reason = "A first version is named" + (" and bounded." if bounded else ", without its bounds.")
        return Point(1.0 if bounded else 0.7, reason, first)
    return Point(0.0, "It is not said what the first version leaves out.")


def reach(reading: IdeaReading, _care: Care) -> Point:
    """It is said how users hear of it."""
    # The pain comes first in a pitch and often names the same places; the plan to go there comes last.
    channel = next((sentence for sentence in reversed(reading.sentences) if _CHANNEL.search(sentence)), "")
    return (
        Point(1.0, "A way to the first users is named.", channel)
        if channel
        else Point(0.0, "No way to users is named.")
    )


def success(reading: IdeaReading, _care: Care) -> Point:
    """It is said when it worked."""
    sentence = _sentence(reading, _SUCCESS)
    if not sentence:
        return Point(0.0, "It is not said when the idea has worked.")
    return Point(1.0 if _NUMBER.search(sentence) else 0.6, "A measure of success is named.", sentence)


RUBRIC: tuple[tuple[str, float, Judge], ...] = (
    ("problem", 0.17, problem),
    ("things", 0.17, things),
    ("audience", 0.13, audience),
    ("actions", 0.13, actions),
    ("feasibility", 0.10, feasibility),
    ("care", 0.06, care),
    ("alternatives", 0.06, alternatives),
    ("evidence", 0.05, evidence),
    ("money", 0.05, money),
    ("scope", 0.03, scope),
    ("success", 0.03, success),
    ("reach", 0.02, reach),
)
"""Name, weight and judge of each point; the weights add up to 1.

Own weighting: about two thirds for what a builder needs to know (problem, things, users, actions), the rest for what
an investor would ask.
"""
