"""Decides which parts of the catalogue an engineer adds to a device or leaves out; sums and power are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews.hardware_parts import CELLULAR, LORA, OUTPUTS, SENSORS, Part
from zts_worker.crews.team import Filled, ask, readable, role

CATALOGUE = {part.key: part for part in (LORA, CELLULAR, *SENSORS, *OUTPUTS)}
if TYPE_CHECKING:
    Key = str
else:
    Key = Literal[tuple(CATALOGUE)]


class Wanted(Filled):
    """A part, and what it is for."""

    key: Key
    purpose: Annotated[str, Field(min_length=1, max_length=80)]


class Selection(Filled):
    """What the engineer says."""

    parts: Annotated[list[Wanted], Field(min_length=1, max_length=6)]


ENGINEER = role("hardware/engineer", "chooses parts of the catalogue", Selection, reads=("validation",))
TEAM = (ENGINEER,)


def by_team(models: Models, context: StepContext, rules: list[tuple[Part, str]]) -> list[tuple[Part, str]]:
    """The engineer's sensors, actuators and radios between the controller and what every board has."""
    found = {"parts": [part.key for part, _ in rules if part.key in CATALOGUE]}
    offered = {key: f"{part.part_class}, {part.cost_eur:g} euros" for key, part in CATALOGUE.items()}
    given = {**readable(context, ENGINEER, rules=found), "Catalogue": offered}
    selection = ask(models, ENGINEER, given)
    chosen = {wanted.key: (CATALOGUE[wanted.key], f"Engineer: {wanted.purpose}") for wanted in selection.parts}
    said = {part.key: sentence for part, sentence in rules}
    functional = [(part, said.get(key) or purpose) for key, (part, purpose) in chosen.items()]
    board = [(part, sentence) for part, sentence in rules if part.key not in CATALOGUE]
    return [board[0], *functional, *board[1:]]
