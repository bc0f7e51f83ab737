"""Decides which pin of the controller each wire of each part goes to.

Pin names are those of the controllers' data sheets (ESP32-C3, nRF52832, RP2040, Raspberry Pi header, ATmega328P).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wire:
    """One wire: from a part's signal to a pin of the board, with a note where something has to be minded."""

    part: str
    signal: str
    pin: str
    note: str = ""


@dataclass(frozen=True)
class _Board:
    shared: dict[str, str]
    analog: tuple[str, ...]
    digital: tuple[str, ...]


def _board(shared: str, analog: str, digital: str) -> _Board:
    names = ("SDA", "SCL", "SCK", "MOSI", "MISO", "TX", "RX")
    return _Board(dict(zip(names, shared.split(), strict=True)), tuple(analog.split()), tuple(digital.split()))


_BOARDS = {
    "esp32": _board(
        "GPIO6 GPIO7 GPIO4 GPIO5 GPIO10 GPIO21 GPIO20",
        "GPIO0 GPIO1 GPIO3",
        "GPIO18 GPIO19 GPIO2 GPIO8 GPIO9 GPIO3 GPIO1 GPIO0",
    ),
    "nrf52": _board(
        "P0.26 P0.27 P0.12 P0.13 P0.14 P0.06 P0.08",
        "P0.02 P0.03 P0.04 P0.05 P0.28 P0.29 P0.30 P0.31",
        "P0.15 P0.16 P0.17 P0.18 P0.19 P0.20 P0.22 P0.23 P0.24 P0.25 P0.11",
    ),
    "rp2040": _board(
        "GP4 GP5 GP18 GP19 GP16 GP0 GP1",
        "GP26 GP27 GP28",
        "GP2 GP3 GP6 GP7 GP8 GP9 GP10 GP11 GP12 GP13 GP14 GP15 GP20 GP21 GP22",
    ),
    "pi": _board(
        "GPIO2 GPIO3 GPIO11 GPIO10 GPIO9 GPIO14 GPIO15",
        "ADS1115.A0 ADS1115.A1 ADS1115.A2 ADS1115.A3",
        "GPIO17 GPIO27 GPIO22 GPIO5 GPIO6 GPIO13 GPIO19 GPIO26 GPIO23 GPIO24 GPIO25 GPIO16",
    ),
    "atmega": _board("PC4 PC5 PB5 PB3 PB4 PD1 PD0", "PC0 PC1 PC2 PC3", "PD2 PD3 PD4 PD5 PD6 PD7 PB0 PB1 PB2"),
}
_CROSSED = {"TX": "RX", "RX": "TX"}
_NO_PIN = "none left"


@dataclass
class _Pins:
    board: _Board
    used: set[str] = field(default_factory=set)
    serial_taken: bool = False

    def take(self, pool: Sequence[str]) -> str:
        free = next((pin for pin in pool if pin not in self.used), _NO_PIN)
        self.used.add(free)
        return free


def wire(controller: str, parts: Sequence[tuple[str, Sequence[str]]]) -> tuple[Wire, ...]:
    """The wires of all `parts`, each a label and its signals; an unknown controller is wired as an RP2040."""
    pins = _Pins(_BOARDS.get(controller, _BOARDS["rp2040"]))
    # Analogue first: those pins are few, and digital signals can use others.
    order = sorted(range(len(parts)), key=lambda at: "ANALOG" not in parts[at][1])
    wires: dict[int, list[Wire]] = {}
    for at in order:
        label, signals = parts[at]
        wires[at] = [_wire(pins, label, signal) for signal in signals]
        pins.serial_taken |= "TX" in signals
    return tuple(item for at in sorted(wires) for item in wires[at])


def _wire(pins: _Pins, label: str, signal: str) -> Wire:
    if signal in ("3V3", "GND"):
        return Wire(label, signal, signal)
    if signal in ("TX", "RX"):
        if pins.serial_taken:
            return _noted(Wire(label, signal, pins.take(pins.board.digital), "serial port in software"))
        return Wire(label, signal, pins.board.shared[_CROSSED[signal]], "crossed")
    if signal in pins.board.shared:
        return Wire(label, signal, pins.board.shared[signal], "shared bus")
    if signal == "ANALOG":
        return _noted(Wire(label, signal, pins.take(pins.board.analog)))
    note = "through a transistor, off while asleep" if "switched" in signal else ""
    return _noted(Wire(label, signal, pins.take(pins.board.digital), note))


def _noted(made: Wire) -> Wire:
    return Wire(made.part, made.signal, made.pin, "needs a port expander") if made.pin == _NO_PIN else made


def lacks_pins(wires: Sequence[Wire]) -> bool:
    """Whether some signal found no pin."""
    return any(item.pin == _NO_PIN for item in wires)
