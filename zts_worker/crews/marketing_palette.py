"""Decides the look of a landing page: colours that everybody can read, a type face and a motif, from a digest."""

from __future__ import annotations

import colorsys
import hashlib
import math
from dataclasses import dataclass
from typing import Literal, get_args

LEAST_TEXT_CONTRAST = 7.0
"""WCAG 2.2, success criterion 1.4.6 (AAA), for body text."""
LEAST_ACCENT_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3 (AA), for links and buttons."""

_FACES = (
    'Georgia, "Times New Roman", serif',
    'ui-rounded, "Hiragino Maru Gothic ProN", Quicksand, Comfortaa, Manjari, "Arial Rounded MT Bold", sans-serif',
    'Optima, Candara, "Noto Sans", source-sans-pro, sans-serif',
    'Avenir, Montserrat, Corbel, "URW Gothic", source-sans-pro, sans-serif',
    '"Iowan Old Style", "Palatino Linotype", "URW Palladio L", P052, serif',
    'Rockwell, "Rockwell Nova", "Roboto Slab", "DejaVu Serif", "Sitka Small", serif',
)
_RADII = ("0", "0.35rem", "0.9rem", "1.6rem")
_LAYOUTS = ("beside", "stacked", "beside-turned")
Motif = Literal["rings", "cells", "waves", "rays", "blocks"]
MOTIFS: tuple[Motif, ...] = get_args(Motif)


@dataclass(frozen=True, slots=True)
class Colours:
    """CSS colours of one scheme. Text and muted text on ground, accent on ground and on tint, on_accent on accent."""

    ground: str
    tint: str
    text: str
    muted: str
    accent: str
    on_accent: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a page looks in light and dark. `drawing` is the inside of an SVG of 400 by 320 units."""

    light: Colours
    dark: Colours
    face: str
    radius: str
    layout: str
    motif: Motif
    drawing: str


def look_of(name: str) -> Look:
    """The look that belongs to `name`: the same name always looks the same."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    hue = digest[0] / 256
    second = (hue + (0.08, 0.17, 0.42, 0.5)[digest[1] % 4]) % 1.0
    motif = MOTIFS[digest[2] % len(MOTIFS)]
    return Look(
        light=_scheme(hue, ground=0.975, tint=0.93, darker=True),
        dark=_scheme(hue, ground=0.09, tint=0.15, darker=False),
        face=_FACES[digest[3] % len(_FACES)],
        radius=_RADII[digest[4] % len(_RADII)],
        layout=_LAYOUTS[digest[5] % len(_LAYOUTS)],
        motif=motif,
        drawing=_draw(motif, digest, hue, second),
    )


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1..21, by the WCAG 2.2 definition."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _scheme(hue: float, *, ground: float, tint: float, darker: bool) -> Colours:
    grounds = (_hex(hue, 0.35 if darker else 0.22, ground), _hex(hue, 0.4 if darker else 0.22, tint))
    accent = _readable(hue, 0.75, grounds, LEAST_ACCENT_CONTRAST, darker=darker)
    return Colours(
        ground=grounds[0],
        tint=grounds[1],
        text=_readable(hue, 0.25, grounds, LEAST_TEXT_CONTRAST * 1.5, darker=darker),
        muted=_readable(hue, 0.15, grounds, LEAST_TEXT_CONTRAST, darker=darker),
        accent=accent,
        on_accent=max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, accent)),
    )


def _readable(hue: float, saturation: float, grounds: tuple[str, ...], least: float, *, darker: bool) -> str:
    """The colour nearest to the ground that still has the contrast `least` on every ground."""
    for step in range(101):
        lightness = 0.62 - step * 0.0062 if darker else 0.45 + step * 0.0055
        colour = _hex(hue, saturation, min(1.0, max(0.0, lightness)))
        if all(contrast(colour, ground) >= least for ground in grounds):
            return colour
    return "#000000" if darker else "#ffffff"


def _hex(hue: float, saturation: float, lightness: float) -> str:
    channels = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def _draw(motif: Motif, digest: bytes, hue: float, second: float) -> str:
    inks = [_hex(hue, 0.6, 0.55), _hex(second, 0.65, 0.6), _hex(hue, 0.45, 0.75), _hex(second, 0.5, 0.42)]
    shapes = {"rings": _rings, "cells": _cells, "waves": _waves, "rays": _rays, "blocks": _blocks}[motif]
    return shapes(digest[6:], inks)


def _rings(seed: bytes, inks: list[str]) -> str:
    return "".join(
        f'<circle cx="{60 + seed[at] * 280 // 255}" cy="{50 + seed[at + 1] * 220 // 255}" '
        f'r="{24 + seed[at + 2] // 4}" fill="none" stroke="{inks[at % 4]}" stroke-width="{6 + seed[at] % 14}"/>'
        for at in range(0, 21, 3)
    )


def _cells(seed: bytes, inks: list[str]) -> str:
    """Hexagons of radius 40 in a honeycomb; a digit of the seed decides which are filled."""
    parts = []
    for at in range(20):
        column, row = at % 5, at // 5
        x, y = 60 + column * 70, 50 + row * 81 + (column % 2) * 40
        corners = " ".join(
            f"{x + 40 * math.cos(math.radians(60 * k)):.0f},{y + 40 * math.sin(math.radians(60 * k)):.0f}"
            for k in range(6)
        )
        filled = seed[at] % 3
        paint = f'fill="{inks[seed[at] % 4]}"' if filled else f'fill="none" stroke="{inks[2]}" stroke-width="3"'
        parts.append(f'<polygon points="{corners}" {paint}/>')
    return "".join(parts)


def _waves(seed: bytes, inks: list[str]) -> str:
    parts = []
    for at in range(6):
        y = 50 + at * 48
        high = 14 + seed[at] // 6
        parts.append(
            f'<path d="M-10 {y} C 90 {y - high}, 150 {y + high}, 200 {y} S 330 {y - high}, 410 {y}" fill="none" '
            f'stroke="{inks[at % 4]}" stroke-width="{8 + seed[at + 6] % 16}" stroke-linecap="round"/>'
        )
    return "".join(parts)


def _rays(seed: bytes, inks: list[str]) -> str:
    x, y = 120 + seed[0] * 160 // 255, 200 + seed[1] * 60 // 255
    parts = []
    for at in range(14):
        angle = math.radians(at * 360 / 14 + seed[2] % 25)
        reach = 90 + seed[at + 3] // 2
        parts.append(
            f'<line x1="{x}" y1="{y}" x2="{x + reach * math.cos(angle):.0f}" y2="{y + reach * math.sin(angle):.0f}" '
            f'stroke="{inks[at % 4]}" stroke-width="{7 + at % 3 * 4}" stroke-linecap="round"/>'
        )
    return "".join(parts) + f'<circle cx="{x}" cy="{y}" r="46" fill="{inks[1]}"/>'


def _blocks(seed: bytes, inks: list[str]) -> str:
    return "".join(
        f'<rect x="{20 + at % 6 * 60}" y="{300 - (40 + seed[at] * 120 // 255) - at // 6 * 90}" width="48" '
        f'height="{40 + seed[at] * 120 // 255}" rx="{seed[at + 6] % 18}" fill="{inks[(at + seed[at]) % 4]}"/>'
        for at in range(12)
    )
