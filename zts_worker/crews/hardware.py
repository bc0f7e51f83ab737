"""Decides a device's design: its parts, how they are joined, what they cost, and whether the power suffices."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews import hardware_choice as choice
from zts_worker.crews import hardware_power as power
from zts_worker.crews.hardware_design import (
    FILES,
    NOT_JUDGED,
    BomLine,
    Interface,
    PowerBudget,
    PowerLine,
    documents,
)
from zts_worker.crews.hardware_drawing import mermaid
from zts_worker.crews.hardware_parts import Bus, Part
from zts_worker.crews.marketing_copy import product_name
from zts_worker.crews.output import CrewOutput
from zts_worker.crews.reading import IdeaReading, read_idea

Euros = Annotated[float, Field(ge=0.0, le=1_000_000.0)]


class HardwareCrew:
    """Designs the device."""

    name: ClassVar[str] = "HardwareCrew"
    namespace: ClassVar[str] = "design"
    team: ClassVar[str] = "zts_worker.crews.hardware_team:TEAM"

    class Output(CrewOutput):
        """The design; `approved` only where it is a device, its power budget closes and its cost fits."""

        approved: bool
        reason: str
        is_device: bool
        block_diagram: str = Field(description="Mermaid text; empty where it is no device.")
        bill_of_materials: list[BomLine]
        unit_cost_eur: Euros
        cost_limit_eur: Euros | None = Field(description="What the idea allows; None where it does not say.")
        interfaces: list[Interface]
        power_budget: PowerBudget | None
        files: list[str]

    def run(self, context: StepContext) -> HardwareCrew.Output:
        """Choose the parts, join them and add them up."""
        reading = read_idea(context.idea)
        if reading.unlawful or not choice.is_device(reading):
            reason = "What is illegal is not designed." if reading.unlawful else "The idea is not about a device."
            return _no_device(reason, reading)
        chosen = choice.parts_of(reading)
        if context.models is not None:
            from zts_worker.crews.hardware_team import by_team

            chosen = by_team(context.models, context, chosen)
        parts = [part for part, _ in chosen]
        wake = power.wake_seconds(reading.sentences)
        budget = power.budget_of(parts, reading.sentences, wake)
        context.check()
        output = _design(reading, chosen, budget, wake)
        if context.models is not None:
            output = output.model_copy(update={"mode": "model"})
        files = documents(
            product_name(reading),
            output.reason,
            diagram=output.block_diagram,
            parts=parts,
            lines=output.bill_of_materials,
            budget=_power(budget, {line.key: line.ref for line in output.bill_of_materials}, wake),
        )
        for path, text in files.items():
            context.artifacts.write_text(path, text)
        context.say(output.reason)
        return output


def _design(
    reading: IdeaReading, chosen: list[tuple[Part, str]], budget: power.Budget, wake: float
) -> HardwareCrew.Output:
    lines = [_bom_line(at, part, said) for at, (part, said) in enumerate(chosen, start=1)]
    lines.append(_supply_line(len(lines) + 1, budget))
    cost = round(sum(line.unit_cost_eur * line.quantity for line in lines), 2)
    limit = choice.cost_limit_eur(reading)
    faults = [budget.shortfall, choice.address_clash([part for part, _ in chosen]), _too_dear(cost, limit)]
    reason = " ".join(fault for fault in faults if fault) or _summary(budget, cost)
    refs = {line.key: line.ref for line in lines}
    return HardwareCrew.Output(
        mode="offline",
        not_judged=[*reading.not_judged, *NOT_JUDGED],
        approved=not any(faults),
        reason=reason,
        is_device=True,
        block_diagram=mermaid([part for part, _ in chosen], budget.supply.name),
        bill_of_materials=lines,
        unit_cost_eur=cost,
        cost_limit_eur=limit,
        interfaces=[_interface(refs[part.key], part) for part, _ in chosen if part.bus not in ("none", "power")],
        power_budget=_power(budget, refs, wake),
        files=list(FILES),
    )


def _summary(budget: power.Budget, cost: float) -> str:
    if budget.life_hours is None:
        return f"The supply gives the peak of {budget.peak_ma:.0f} mA; parts cost {cost:.2f} euros."
    days, wished = budget.life_hours / 24, (budget.wished_hours or 0.0) / 24
    supply = budget.supply.name[:1].upper() + budget.supply.name[1:]
    return f"{supply}: {days:.0f} days, {wished:.0f} are wished; parts cost {cost:.2f} euros."


def _too_dear(cost: float, limit: float | None) -> str:
    return f"The parts cost {cost:.2f} euros, {limit:.2f} are allowed." if limit is not None and cost > limit else ""


def _bom_line(at: int, part: Part, said: str) -> BomLine:
    return BomLine(
        ref=f"P{at}",
        key=part.key,
        part_class=part.part_class,
        example=part.example,
        role=part.role,
        quantity=1,
        unit_cost_eur=part.cost_eur,
        sentence=said,
    )


def _supply_line(at: int, budget: power.Budget) -> BomLine:
    return BomLine(
        ref=f"P{at}",
        key="supply",
        part_class="power source",
        example=budget.supply.name,
        role="power",
        quantity=1,
        unit_cost_eur=budget.supply.cost_eur,
        sentence="",
    )


_SIGNALS: dict[Bus, list[str]] = {
    "I2C": ["SDA", "SCL", "3V3", "GND"],
    "SPI": ["SCK", "MOSI", "MISO", "CS", "3V3", "GND"],
    "UART": ["TX", "RX", "3V3", "GND"],
    "ADC": ["ANALOG", "3V3 (switched)", "GND"],
    "GPIO": ["SIGNAL", "3V3", "GND"],
    "PWM": ["PWM", "3V3", "GND"],
    "1-Wire": ["DATA", "3V3", "GND"],
}


def _interface(ref: str, part: Part) -> Interface:
    return Interface(
        ref=ref, part_class=part.part_class, bus=part.bus, signals=_SIGNALS[part.bus], address=part.address
    )


def _power(budget: power.Budget, refs: dict[str, str], wake: float) -> PowerBudget:
    return PowerBudget(
        supply=budget.supply.name,
        capacity_mah=budget.supply.capacity_mah,
        supply_most_ma=budget.supply.most_ma,
        wake_interval_s=wake,
        parts=[
            PowerLine(
                ref=refs[line.key],
                active_ma=line.active_ma,
                sleep_ma=line.sleep_ma,
                duty=round(line.duty, 6),
                average_ma=round(line.average_ma, 6),
            )
            for line in budget.lines
        ],
        average_ma=round(budget.average_ma, 6),
        peak_ma=budget.peak_ma,
        battery_life_hours=None if budget.life_hours is None else round(budget.life_hours, 1),
        wished_life_hours=budget.wished_hours,
        formula=power.FORMULA,
        closes=budget.closes,
    )


def _no_device(reason: str, reading: IdeaReading) -> HardwareCrew.Output:
    return HardwareCrew.Output(
        mode="offline",
        not_judged=list(reading.not_judged),
        approved=False,
        reason=reason,
        is_device=False,
        block_diagram="",
        bill_of_materials=[],
        unit_cost_eur=0.0,
        cost_limit_eur=None,
        interfaces=[],
        power_budget=None,
        files=[],
    )
