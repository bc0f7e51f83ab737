"""Decides whether a device's power budget closes: average and peak current against a supply and a wished life."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zts_worker.crews.hardware_parts import SUPPLIES, Part, Supply
from zts_worker.crews.safeguards import first_sentence

FORMULA = (
    "I_avg = sum(I_active * t_active / t_wake + I_sleep * (1 - t_active / t_wake)); "
    "life = min(shelf life, capacity * 0.8 * 0.85 / I_avg)"
)
USABLE_SHARE = 0.8
"""Share of a cell's nominal capacity that can be used down to the cut-off voltage; common design practice."""
CONVERTER_EFFICIENCY = 0.85
"""Of a small boost converter at light load, from data sheets such as the TPS61099's."""
DEFAULT_WAKE_SECONDS = 900.0
DEFAULT_LIFE_HOURS = 30 * 24.0
"""Without a wish in the text a battery should last a month."""

_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "ten": 10,
    "twelve": 12,
    "half": 0.5,
}
_UNITS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.0, "year": 8760.0}
_NUMBER = rf"(\d{{1,4}}(?:\.\d{{1,2}})?|{'|'.join(_NUMBERS)})"
_UNIT = rf"({'|'.join(_UNITS)})s?"
_EVERY = re.compile(rf"\bevery (?:{_NUMBER} )?{_UNIT}\b", re.I)
_ONCE = re.compile(rf"\bonce (?:an?|per|every) {_UNIT}\b", re.I)
_TIMES = re.compile(rf"\b{_NUMBER} times (?:an?|per) {_UNIT}\b", re.I)
_LASTS = re.compile(
    r"\b(?:runs?|lasts?|works?|li(?:fe|ves?)|survives?)\b[^.]{0,40}?"
    rf"\b(?:for|of|at least|lasts?|over|up to|than)? ?{_NUMBER} "
    rf"(?:full )?{_UNIT}\b",
    re.I,
)  # fmt: skip
_ABOUT_WAKING = re.compile(
    r"\b(?:wakes?|measures?|sends?|samples?|reads?|reports?|checks?|transmits?|updates?|logs?)\b", re.I
)
_ABOUT_POWER = re.compile(r"\b(?:batter\w+|cells?|charge\w*|power\w*|aa|aaa|cr2032)\b", re.I)


@dataclass(frozen=True, slots=True)
class Line:
    """What one part draws: mA when active and asleep, share of time active (0..1), mA on average."""

    key: str
    active_ma: float
    sleep_ma: float
    duty: float
    average_ma: float


@dataclass(frozen=True, slots=True)
class Budget:
    """The sums. Hours are None for a mains supply; `shortfall` says why it does not close, empty where it does."""

    supply: Supply
    lines: tuple[Line, ...]
    average_ma: float
    peak_ma: float
    life_hours: float | None
    wished_hours: float | None
    shortfall: str

    @property
    def closes(self) -> bool:
        """True where the supply gives the peak and lasts as long as wished."""
        return not self.shortfall


def wake_seconds(sentences: tuple[str, ...]) -> float:
    """Seconds between two wake-ups: the shortest the text names for measuring or sending, else 15 minutes."""
    found: list[float] = []
    for sentence in sentences:
        if not _ABOUT_WAKING.search(sentence):
            continue
        found += [_number(m[1]) * _UNITS[m[2].lower()] for m in _EVERY.finditer(sentence)]
        found += [_UNITS[m[1].lower()] for m in _ONCE.finditer(sentence)]
        found += [_UNITS[m[2].lower()] / max(0.5, _number(m[1])) for m in _TIMES.finditer(sentence)]
    return max(1.0, min(found) * 3600) if found else DEFAULT_WAKE_SECONDS


def wished_life_hours(sentences: tuple[str, ...]) -> float | None:
    """Hours the battery should last, where a sentence about power says so."""
    for sentence in sentences:
        match = _LASTS.search(sentence) if _ABOUT_POWER.search(sentence) else None
        if match:
            return _number(match[1]) * _UNITS[match[2].lower()]
    return None


def _number(word: str | None) -> float:
    if word is None:
        return 1.0
    return float(_NUMBERS.get(word.lower(), 0) or (word if word[0].isdigit() else 1.0))


def budget_of(parts: list[Part], sentences: tuple[str, ...], wake: float) -> Budget:
    """The budget on the supply the text names; where it names none, on the smallest that closes."""
    wished = wished_life_hours(sentences)
    named = next((s for s in reversed(SUPPLIES) if first_sentence(s.sign, sentences, affirmed=True)), None)
    budgets = [_on(supply, parts, wake, wished) for supply in ([named] if named else SUPPLIES)]
    return next((budget for budget in budgets if budget.closes), budgets[-1])


def _on(supply: Supply, parts: list[Part], wake: float, wished: float | None) -> Budget:
    lines = tuple(_line(part, wake) for part in parts if part.active_ma or part.sleep_ma)
    average = sum(line.average_ma for line in lines)
    peak = _peak(parts)
    if not supply.capacity_mah:
        shortfall = _too_much(peak, supply)
        return Budget(supply, lines, average, peak, None, None, shortfall)
    goal = wished or DEFAULT_LIFE_HOURS
    life = min(supply.shelf_hours, supply.capacity_mah * USABLE_SHARE * CONVERTER_EFFICIENCY / max(average, 1e-6))
    shortfall = _too_much(peak, supply) or ("" if life >= goal else _too_short(life, goal, average, supply))
    return Budget(supply, lines, average, peak, life, goal, shortfall)


def _line(part: Part, wake: float) -> Line:
    duty = min(1.0, part.active_seconds / wake)
    return Line(part.key, part.active_ma, part.sleep_ma, duty, part.active_ma * duty + part.sleep_ma * (1 - duty))


def _peak(parts: list[Part]) -> float:
    """Controller, radio and sensors at once, and of the outputs the hungriest: firmware can take these in turn."""
    outputs = [part.active_ma for part in parts if part.role == "output"]
    return sum(part.active_ma for part in parts if part.role != "output") + max(outputs, default=0.0)


def _too_much(peak: float, supply: Supply) -> str:
    return (
        ""
        if peak <= supply.most_ma
        else f"The peak of {peak:.0f} mA is more than {supply.name} gives ({supply.most_ma:.0f} mA)."
    )


def _too_short(life: float, goal: float, average: float, supply: Supply) -> str:
    allowed = supply.capacity_mah * USABLE_SHARE * CONVERTER_EFFICIENCY / goal
    return (
        f"{supply.name} last {life / 24:.0f} days, {goal / 24:.0f} are wished: the average of {average:.3f} mA must "
        f"come down to {allowed:.3f} mA: wake less often or take a larger cell."
    )
