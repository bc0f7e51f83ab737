"""Decides what happens in the four weeks around a launch: days, checks, ways back and what counts as success."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zts_worker.crews.marketing_copy import audience_phrase, benefit_phrase, product_name
from zts_worker.crews.reading import IdeaReading
from zts_worker.crews.safeguards import Care
from zts_worker.crews.validator_rubric import reach, success

_TARGET = re.compile(
    r"(?:\d[\d.,]*\s?(?:%|percent|[a-z]+)|half of (?:\w+ ){1,2}\w+|(?:two|three|five|eight|ten|sixty) [a-z]+)", re.I
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline (`day` relative to the launch), or of the checklist (`day` is its latest day)."""

    day: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted, how, and from which value on it is a success."""

    name: str
    definition: str
    target: str
    sentence: str


def timeline(reading: IdeaReading, care: Care) -> list[Row]:
    """What happens on which day, T-14 to T+14."""
    people, name = audience_phrase(reading), product_name(reading)
    channel = reach(reading, care).sentence
    rows = [
        Row(-14, "Freeze what the first version does", "What comes later goes on the list of things left out."),
        Row(-12, f"Give {name} to five {people}", "Whoever stumbles here would leave on the day."),
        Row(-10, "Put the landing page online", "Search engines and readers need days to find it."),
        Row(-7, "Fix what stopped the five", "Only what stopped them; wishes go on the list."),
        Row(-5, "Go back to the version before, once, for practice", "A way back that was never walked is none."),
        Row(
            -3,
            "Write the posts and ask two people to read them",
            "The draft is in launch/posts.md where marketing ran.",
        ),
        Row(-1, "Measure everything once before anybody comes", "Without a value from before there is no after."),
        Row(0, f"Open {name} and tell the first users", channel or "Go where they already are."),
        Row(1, "Answer every message yourself", "The first ten answers decide the next ten users."),
        Row(3, "Look at the numbers; decide on going back", "See the rollback plan for the values that decide."),
        Row(7, "Ask those who stopped why", "They are easier to find in the first week."),
        Row(10, "Ship the most wanted fix", "It shows that somebody listens."),
        Row(14, "Compare with the targets and decide: go on, change, stop", _first_target(reading, care)),
    ]
    return sorted([*rows, *_kind_rows(reading)], key=lambda row: row.day)


def _first_target(reading: IdeaReading, care: Care) -> str:
    return success(reading, care).sentence or "Targets are in metrics.md."


def _kind_rows(reading: IdeaReading) -> list[Row]:
    return {
        "mobile": [Row(-9, "Hand the app in for review", "Stores take days and ask back.")],
        "hardware": [
            Row(-13, "Check that parts and boards have arrived", "Parts decide the date, not plans."),
            Row(-6, "Run three devices for 48 hours", "Early failures show in the first two days."),
        ],
        "marketplace": [Row(-8, "Fill one side by hand", "Nobody stays in an empty market.")],
        "internal_tool": [Row(-4, "Import the real data and compare the sums", "Doubles show before work begins.")],
        "api": [Row(-8, "Publish the documentation with a test key", "Developers try before they ask.")],
        "data": [Row(-4, "Let somebody check ten results by hand", "One wrong figure costs all trust.")],
        "game": [Row(-8, "Let ten strangers play without help", "Watch where they stop.")],
        "web": [],
    }[reading.kind]  # fmt: skip


def checklist(reading: IdeaReading, care: Care, build: Mapping[str, Any] | None) -> list[tuple[str, str, bool]]:
    """(what, why, already done as far as can be seen) in the order of doing."""
    built = build is not None and build.get("status") == "completed"
    entries = [
        ("The product is built", "Nothing else matters before.", built),
        (
            "Its tests pass and it starts on a fresh machine, by the README alone",
            "It is the first thing that breaks.",
            False,
        ),
        ("Errors reach somebody within the hour", "Users do not report, they leave.", False),
        ("A backup was taken and restored", "A backup that was never restored is a hope.", False),
        ("The landing page names price and contact", "Both are asked first.", False),
    ]
    entries += [(f"{entity.title}: added, changed and deleted once", "The shortest way through the product.", False)
                for entity in reading.entities[:4]]  # fmt: skip
    if care.has_personal_data:
        entries.append(("A privacy notice is linked", "Personal data is kept; GDPR article 13.", False))
        entries.append(("A person's data was exported and deleted once", "It is promised or required.", False))
    entries += [(f"{name} was tried with a real account", "Simulations agree with themselves.", False)
                for name in reading.integrations[:4]]  # fmt: skip
    return entries


def rollback(build: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """(step, detail) of the way back, the trigger first."""
    start = _command(build, "start")
    return [
        ("Decide", "Go back if one user in twenty meets an error within an hour, or if data is lost."),
        ("Say so", "Put a line on the page: back at the version before, nothing is lost."),
        ("Stop writing", "Stop the running version; requests get a friendly 503."),
        ("Keep the data", "Copy the database as it is, with the time in its name; nothing is deleted."),
        ("Start the version before", f"Check out the tag before this release and start it{start}."),
        ("Check", "Add, change and delete one record; look at the newest ten by eye."),
        ("Write it down", "What happened, when it was seen, what would have shown it earlier."),
    ]  # fmt: skip


def _command(build: Mapping[str, Any] | None, name: str) -> str:
    commands = (build or {}).get("commands")
    said = commands.get(name) if isinstance(commands, Mapping) else None
    return f": `{said}`" if isinstance(said, str) and "`" not in said and "\n" not in said else ""


def measures(reading: IdeaReading, care: Care) -> list[Measure]:
    """Own targets of the idea first, then one per main thing and the usual three."""
    own = success(reading, care).sentence
    found: list[Measure] = []
    if own:
        target = _TARGET.search(own)
        found.append(Measure("the idea's own target", own, target[0] if target else "as the sentence says", own))
    found += [
        Measure(f"{entity.plural.replace('_', ' ')} per active user and week",
                "New ones in seven days, by users who came in these days",
                "rising from week to week", entity.sentence)
        for entity in reading.entities[:2]
    ]  # fmt: skip
    return [
        *found,
        Measure(
            "activation", "Users who do the first useful thing on their first day, by all who came", "40 percent", ""
        ),
        Measure("retention", "Users of the first week who come back in the second", "30 percent", ""),
        Measure("errors", "Requests that end in an error, by all requests", "below 0.5 percent", ""),
    ]


def release_notes(reading: IdeaReading, build: Mapping[str, Any] | None) -> list[str]:
    """What is new, line by line, for users."""
    lines = [f"First release: {benefit_phrase(reading)}."]
    lines += [f"Add, list, change and delete {plural}." for plural in _built_plurals(reading, build)]
    lines += [f"Not yet: {name} is not connected." for name in reading.integrations[:3]]
    return lines


def _built_plurals(reading: IdeaReading, build: Mapping[str, Any] | None) -> list[str]:
    """What the build really has, where there is one; otherwise what the idea names."""
    model = (build or {}).get("data_model")
    entities = model.get("entities") if isinstance(model, Mapping) else None
    if isinstance(entities, list | tuple) and entities:
        return [str(entity.get("plural", "")) for entity in entities if isinstance(entity, Mapping)]
    return [entity.plural.replace("_", " ") for entity in reading.entities]
