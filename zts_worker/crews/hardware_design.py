"""Decides what a device's design is written down as: models of its parts, joints and power, and their documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zts_worker.crews.hardware_drawing import svg
from zts_worker.crews.hardware_parts import Bus, Part, Role
from zts_worker.crews.hardware_power import FORMULA
from zts_worker.crews.markdown import plain, table
from zts_worker.crews.output import Answer

Milliamperes = Annotated[float, Field(ge=0.0, le=100_000.0)]
Euros = Annotated[float, Field(ge=0.0, le=1_000_000.0)]
Hours = Annotated[float, Field(ge=0.0, le=1_000_000.0)]
FILES = (
    "design/block_diagram.mmd",
    "design/block_diagram.svg",
    "design/bill_of_materials.csv",
    "design/power_budget.md",
)
NOT_JUDGED = (
    "Currents were not measured: they come from data sheets of the example parts.",
    "Antenna, water-tightness, electrical safety and approval marks (CE, FCC).",
    "Whether the parts are in stock.",
)


class BomLine(Answer):
    """A line of the bill of materials, with the sentence that asks for the part ("" for what every board has)."""

    ref: str
    key: str
    part_class: str
    example: str
    role: Role
    quantity: Annotated[int, Field(ge=1, le=1000)]
    unit_cost_eur: Euros
    sentence: str


class Interface(Answer):
    """How a part is joined to the controller; `address` only on an I2C bus."""

    ref: str
    part_class: str
    bus: Bus
    signals: list[str]
    address: Annotated[int, Field(ge=0, le=127)] | None


class PowerLine(Answer):
    """What a part draws: mA awake and asleep, share of time awake, mA on average."""

    ref: str
    active_ma: Milliamperes
    sleep_ma: Milliamperes
    duty: Annotated[float, Field(ge=0.0, le=1.0)]
    average_ma: Milliamperes


class PowerBudget(Answer):
    """The sums; hours are None on a mains supply."""

    supply: str
    capacity_mah: Annotated[float, Field(ge=0.0)]
    supply_most_ma: Milliamperes
    wake_interval_s: Annotated[float, Field(gt=0.0)]
    parts: list[PowerLine]
    average_ma: Milliamperes
    peak_ma: Milliamperes
    battery_life_hours: Hours | None
    wished_life_hours: Hours | None
    formula: str
    closes: bool


def documents(
    name: str, reason: str, *, diagram: str, parts: list[Part], lines: list[BomLine], budget: PowerBudget
) -> dict[str, str]:
    """The design's files by path: diagram as Mermaid and SVG, bill of materials as CSV, power budget as Markdown."""
    drawing = svg(f"Block diagram of {name}", parts, budget.supply)
    return dict(zip(FILES, (diagram, drawing, _csv(lines), _power_text(name, reason, lines, budget)), strict=True))


def _csv(lines: list[BomLine]) -> str:
    rows = ["ref,part_class,example,quantity,unit_cost_eur"]
    rows += [f'{b.ref},"{b.part_class}","{b.example}",{b.quantity},{b.unit_cost_eur:.2f}' for b in lines]
    return "\n".join(rows) + "\n"


def _power_text(name: str, reason: str, lines: list[BomLine], budget: PowerBudget) -> str:
    names = {line.ref: line.example for line in lines}
    rows = [
        (names[p.ref], f"{p.active_ma:g}", f"{p.sleep_ma:g}", f"{p.duty:.5f}", f"{p.average_ma:.4f}")
        for p in budget.parts
    ]
    head = ("Part", "Active mA", "Asleep mA", "Share of time awake", "Average mA")
    return (
        f"# Power budget of {plain(name)}\n\n{plain(reason)}\n\n{table(head, rows)}\n\n"
        f"`{FORMULA}`\n\n" + "\n".join(f"- {line}" for line in NOT_JUDGED) + "\n"
    )
