"""Decides what is on the bench: the channels that are measured, the outputs, and the rule that drives each output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zts_worker.crews.building.naming import identifier, one_line, unique
from zts_worker.crews.prototyping.channels import EFFECTS, PLAIN, QUANTITIES, SAID_AS, SHOWS, UNKNOWN, Quantity
from zts_worker.crews.prototyping.wiring import Wire, wire

_LIMIT = re.compile(r"\b(above|over|more than|exceeds?|below|under|less than)\s+(-?\d+(?:[.,]\d+)?)", re.I)
_BELOW = re.compile(r"\b(dry|low|empty|below|under \d|less than|cold|dark|runs? out|falls?|drops?|too little)\b", re.I)
_ABOVE = re.compile(r"\b(above|over \d|more than|exceed\w*|hot|high|wet|bright|loud|full|too much|rises?)\b", re.I)
DEFAULT_WAKE_S = 60.0


@dataclass(frozen=True)
class Channel:
    """A measured quantity of a part; `drift` is how far it moves in a simulated hour by itself."""

    name: str
    part: str
    unit: str
    low: float
    high: float
    normal: float
    drift: float

    @property
    def span(self) -> float:
        """From the least to the greatest reading."""
        return self.high - self.low


@dataclass(frozen=True)
class Rule:
    """Drives an output: on beyond the threshold, off past the hysteresis, never longer than `most_on_s` at a time."""

    output: str
    part: str
    channel: int
    below: bool
    threshold: float
    hysteresis: float
    most_on_s: int
    rest_s: int
    acts: bool
    sentence: str


@dataclass(frozen=True)
class Bench:
    """All of the prototype; equal benches give equal files."""

    title: str
    name: str
    controller: str
    board: str
    wake_s: float
    channels: tuple[Channel, ...]
    rules: tuple[Rule, ...]
    tells: tuple[str, ...]
    wires: tuple[Wire, ...]
    supply: str
    capacity_mah: float
    average_ma: float


def set_up(title: str, slug: str, design: Mapping[str, Any]) -> Bench:
    """The bench for a design; parts it does not know are measured in percent or switched by the first channel."""
    lines = [line for line in _rows(design, "bill_of_materials") if line.get("ref")]
    sensors = [line for line in lines if line.get("role") == "sensor"]
    outputs = [line for line in lines if line.get("role") == "output" and line.get("key") not in SHOWS]
    controller = next((line for line in lines if line.get("role") == "controller"), {})
    budget = design.get("power_budget")
    power: Mapping[str, Any] = budget if isinstance(budget, Mapping) else {}
    rules_for = tuple(_channels(sensors))
    rules = tuple(_rules(outputs, rules_for))
    return Bench(
        title=one_line(title, at_most=70) or "A device",
        name=identifier(slug, otherwise="device").rstrip("_"),
        controller=str(controller.get("key", "rp2040")),
        board=one_line(str(controller.get("example", "RP2040 board"))),
        wake_s=_number(power.get("wake_interval_s"), DEFAULT_WAKE_S),
        channels=tuple(_drifting(rules_for, rules)),
        rules=rules,
        tells=tuple(_label(line) for line in lines if line.get("role") == "radio" or line.get("key") in SHOWS),
        wires=wire(str(controller.get("key", "")), _joined(design, lines)),
        supply=one_line(str(power.get("supply") or "not said")),
        capacity_mah=_number(power.get("capacity_mah"), 0.0),
        average_ma=_number(power.get("average_ma"), 0.0),
    )


def _rows(design: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = design.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, Sequence) else []


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise


def _label(line: Mapping[str, Any]) -> str:
    example, what = str(line.get("example") or ""), str(line.get("part_class") or line.get("key") or "part")
    return one_line(f"{line.get('ref')} {example or what}", at_most=60)


def _joined(design: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    labels = {str(line["ref"]): _label(line) for line in lines}
    return [
        (labels.get(str(row.get("ref")), str(row.get("ref"))), [str(signal) for signal in row.get("signals") or ()])
        for row in _rows(design, "interfaces")
    ]


def _channels(sensors: Sequence[Mapping[str, Any]]) -> Iterator[Channel]:
    used: list[str] = []
    for line in sensors:
        key = str(line.get("key", ""))
        for quantity in QUANTITIES.get(key, (_unknown(key),)):
            name = unique(quantity.name, used)
            used.append(name)
            yield Channel(name, _label(line), quantity.unit, quantity.low, quantity.high, quantity.normal, drift=0.0)


def _unknown(key: str) -> Quantity:
    name = identifier(key, otherwise=UNKNOWN.name).rstrip("_")
    return Quantity(name, UNKNOWN.unit, UNKNOWN.low, UNKNOWN.high, UNKNOWN.normal)


def _rules(outputs: Sequence[Mapping[str, Any]], channels: Sequence[Channel]) -> Iterator[Rule]:
    used: list[str] = []
    for line in outputs if channels else ():
        key = str(line.get("key", ""))
        effect = EFFECTS.get(key, PLAIN)
        sentence = _clause(one_line(str(line.get("sentence") or "")), key, str(line.get("part_class") or ""))
        at = _watched(effect.watches, channels, sentence)
        below = _sense(sentence, otherwise=effect.when_below)
        threshold = _threshold(sentence, channels[at], below=below)
        name = unique(identifier(key, otherwise="output").rstrip("_"), used)
        used.append(name)
        yield Rule(
            output=name,
            part=_label(line),
            channel=at,
            below=below,
            threshold=threshold,
            hysteresis=round(_room(channels[at]) * 0.1, 4),
            most_on_s=effect.most_on_s,
            rest_s=effect.rest_s,
            acts=effect.acts,
            sentence=sentence,
        )


def _clause(sentence: str, key: str, part_class: str) -> str:
    """The part of a sentence that speaks of an output; all of it where none names it."""
    head = part_class.lower().partition(" with ")[0].split()[-1:]
    named = re.compile(r"\b(?:" + "|".join(re.escape(word) for word in [key.replace("_", " "), *head]) + r")s?\b", re.I)
    return next((part.strip() for part in re.split(r"[,;:]", sentence) if named.search(part)), sentence)


def _watched(watches: Sequence[str], channels: Sequence[Channel], sentence: str) -> int:
    names = [channel.name for channel in channels]
    lower = sentence.lower()
    said = [name for name in names if name.replace("_", " ") in lower]
    said += [name for word, name in SAID_AS.items() if word in lower and name in names]
    able = [name for name in watches if name in names]
    wanted = [*(name for name in said if name in able), *able, *said, names[0]]
    return names.index(wanted[0])


def _sense(sentence: str, *, otherwise: bool) -> bool:
    below, above = _BELOW.search(sentence), _ABOVE.search(sentence)
    if below and not above:
        return True
    return otherwise if not above or below else False


def _room(channel: Channel) -> float:
    """How far an everyday value is from the nearer end of what can be measured, or half the span at an end."""
    nearer = min(channel.normal - channel.low, channel.high - channel.normal)
    return nearer if nearer > 0 else channel.span / 2


def _threshold(sentence: str, channel: Channel, *, below: bool) -> float:
    said = _LIMIT.search(sentence)
    if said:
        value = float(said[2].replace(",", "."))
        if channel.low < value < channel.high:
            return value
    if below:
        return round(max(channel.low + 0.1 * _room(channel), channel.normal - 0.4 * _room(channel)), 4)
    return round(min(channel.high - 0.1 * _room(channel), channel.normal + 0.4 * _room(channel)), 4)


def _drifting(channels: Sequence[Channel], rules: Sequence[Rule]) -> Iterator[Channel]:
    """Each watched channel drifts towards the side its rule is there for, so that a simulated day shows it work."""
    for at, channel in enumerate(channels):
        rule = next((rule for rule in rules if rule.channel == at), None)
        distance = abs(channel.normal - rule.threshold) + rule.hysteresis if rule else 0.02 * channel.span
        drift = distance / 3 * (-1 if rule and rule.below else 1)
        yield Channel(
            channel.name,
            channel.part,
            channel.unit,
            channel.low,
            channel.high,
            channel.normal,
            drift=round(drift, 5),
        )
