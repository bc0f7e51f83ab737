"""Decides which parts a device needs, from the words of its idea, and what they cost together."""

from __future__ import annotations

import re

from zts_worker.crews.hardware_parts import (
    BOARD,
    CELLULAR,
    CONTROLLERS,
    ENCLOSURE,
    LORA,
    OUTPUTS,
    PASSIVES,
    REGULATOR,
    SENSORS,
    Part,
)
from zts_worker.crews.reading import IdeaReading
from zts_worker.crews.safeguards import first_sentence

_COST_LIMIT = re.compile(
    r"\b(?:parts?|components?|materials?|bom|unit|build)\b[^.]{0,40}?"
    r"\b(?:less than|under|below|at most|no more than|up to|within) (?:[€$£] ?)?(\d{1,5}(?:\.\d{1,2})?)",
    re.I,
)
_SHADOWED = {"temperature": "climate", "display": "paper_display"}
"""A part that another one on the board already does."""


def is_device(reading: IdeaReading) -> bool:
    """True where the idea speaks of a device more than of anything else and asks for a sensor or an output."""
    return reading.kind == "hardware" and bool(_wanted(SENSORS, reading) or _wanted(OUTPUTS, reading))


def parts_of(reading: IdeaReading) -> list[tuple[Part, str]]:
    """The parts with the sentence that asks for each ("" for what every board has), the controller first."""
    controller = _controller(reading)
    functional = [*_wanted((LORA, CELLULAR), reading), *_wanted(SENSORS, reading), *_wanted(OUTPUTS, reading)]
    present = {part.key for part, _ in functional}
    kept = [(part, said) for part, said in functional if _SHADOWED.get(part.key) not in present]
    return [controller, *kept, (REGULATOR, ""), (BOARD, ""), (PASSIVES, ""), (ENCLOSURE, "")]


def _wanted(parts: tuple[Part, ...], reading: IdeaReading) -> list[tuple[Part, str]]:
    found = [(part, first_sentence(part.sign, reading.sentences, affirmed=True)) for part in parts if part.sign]
    return [(part, said) for part, said in found if said]


def _controller(reading: IdeaReading) -> tuple[Part, str]:
    for part, said in _wanted(CONTROLLERS, reading):
        return part, said
    return CONTROLLERS[-1], ""


def cost_limit_eur(reading: IdeaReading) -> float | None:
    """What the parts may cost together, where the text says so."""
    match = next((m for sentence in reading.sentences if (m := _COST_LIMIT.search(sentence))), None)
    return float(match[1]) if match else None


def address_clash(parts: list[Part]) -> str:
    """Two parts at the same address of the shared bus, as a sentence; empty where there are none."""
    seen: dict[int, Part] = {}
    for part in parts:
        if part.address is not None and part.address in seen:
            return f"{part.part_class} and {seen[part.address].part_class} share the bus address {part.address:#04x}."
        if part.address is not None:
            seen[part.address] = part
    return ""
