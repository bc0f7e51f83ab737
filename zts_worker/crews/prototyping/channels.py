"""Decides what each class of sensor measures and what each class of output does to the world.

Ranges are the measuring ranges of the example parts' data sheets; `normal` is an everyday indoor value.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A measured quantity: its name, unit, least and greatest reading, and an everyday value."""

    name: str
    unit: str
    low: float
    high: float
    normal: float


@dataclass(frozen=True)
class Effect:
    """What an output does: it moves a quantity (`acts`), or only shows something; longest time on and rest after.

    `watches` are the quantities it answers to, the best first; `when_below` is its usual sense.
    """

    acts: bool
    watches: tuple[str, ...]
    when_below: bool
    most_on_s: int
    rest_s: int


QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "acceleration": (Quantity("acceleration", "g", 0.0, 16.0, 1.0),),
    "button": (Quantity("button", "pressed", 0.0, 1.0, 0.0),),
    "camera": (Quantity("brightness", "%", 0.0, 100.0, 50.0),),
    "carbon_dioxide": (Quantity("carbon_dioxide", "ppm", 400.0, 5000.0, 700.0),),
    "climate": (Quantity("temperature", "°C", -40.0, 125.0, 21.0), Quantity("humidity", "%", 0.0, 100.0, 45.0)),
    "contact": (Quantity("contact", "open", 0.0, 1.0, 0.0),),
    "current": (Quantity("current", "A", 0.0, 100.0, 2.0),),
    "distance": (Quantity("distance", "mm", 40.0, 4000.0, 500.0),),
    "light": (Quantity("light", "lx", 0.0, 65535.0, 400.0),),
    "motion": (Quantity("motion", "seen", 0.0, 1.0, 0.0),),
    "nfc": (Quantity("card", "seen", 0.0, 1.0, 0.0),),
    "particles": (Quantity("particles", "µg/m³", 0.0, 1000.0, 8.0),),
    "position": (Quantity("speed", "km/h", 0.0, 500.0, 0.0),),
    "pressure": (Quantity("pressure", "hPa", 300.0, 1250.0, 1013.0),),
    "pulse": (Quantity("pulse", "1/min", 30.0, 220.0, 70.0),),
    "soil_moisture": (Quantity("soil_moisture", "%", 0.0, 100.0, 55.0),),
    "sound": (Quantity("sound", "dB", 30.0, 120.0, 42.0),),
    "temperature": (Quantity("temperature", "°C", -55.0, 125.0, 21.0),),
    "weight": (Quantity("weight", "g", 0.0, 5000.0, 800.0),),
}
UNKNOWN = Quantity("value", "%", 0.0, 100.0, 50.0)

EFFECTS: dict[str, Effect] = {
    "buzzer": Effect(acts=False, watches=(), when_below=False, most_on_s=30, rest_s=60),
    "led": Effect(acts=False, watches=(), when_below=False, most_on_s=3600, rest_s=0),
    "motor": Effect(acts=True, watches=("distance", "weight"), when_below=True, most_on_s=60, rest_s=60),
    "pump": Effect(
        acts=True, watches=("soil_moisture", "humidity", "distance"), when_below=True, most_on_s=30, rest_s=120
    ),
    "relay": Effect(
        acts=True, watches=("temperature", "humidity", "light"), when_below=True, most_on_s=1800, rest_s=60
    ),
    "servo": Effect(
        acts=True, watches=("weight", "temperature", "humidity"), when_below=True, most_on_s=20, rest_s=120
    ),
    "speaker": Effect(acts=False, watches=(), when_below=False, most_on_s=60, rest_s=60),
    "vibration": Effect(acts=False, watches=(), when_below=False, most_on_s=10, rest_s=30),
}
PLAIN = Effect(acts=False, watches=(), when_below=False, most_on_s=60, rest_s=60)

SHOWS = frozenset({"display", "paper_display"})
"""Outputs that show every look instead of answering to one quantity."""

SAID_AS: dict[str, str] = {
    "air quality": "particles",
    "bright": "light",
    "co2": "carbon_dioxide",
    "cold": "temperature",
    "dark": "light",
    "door": "contact",
    "dry": "soil_moisture",
    "dust": "particles",
    "heart": "pulse",
    "heat": "temperature",
    "hot": "temperature",
    "humid": "humidity",
    "loud": "sound",
    "moisture": "soil_moisture",
    "movement": "motion",
    "noise": "sound",
    "tank": "distance",
    "vibrat": "acceleration",
    "warm": "temperature",
    "weigh": "weight",
    "window": "contact",
}
"""Words of ideas -> the quantity they speak of."""
