"""Decides how a block diagram is drawn: as Mermaid text and as an SVG that needs no renderer."""

from __future__ import annotations

import html

from zts_worker.crews.hardware_parts import Part

BOX_WIDTH, BOX_HEIGHT, GAP = 230, 54, 18
_INKS = {"controller": "#1f4e79", "radio": "#6a3d7c", "sensor": "#1d6b45", "output": "#8a4b08", "power": "#7a1f2b"}


def mermaid(parts: list[Part], supply: str) -> str:
    """The parts that carry signals or power as a Mermaid flowchart."""
    controller = parts[0]
    lines = ["flowchart LR", f'  supply["{_label(supply)}"] --> regulator["voltage regulator"]']
    lines.append(
        f'  regulator --> {controller.key}["{_label(controller.part_class)}<br/>{_label(controller.example)}"]'
    )
    for part in parts[1:]:
        if part.role in ("sensor", "output", "radio"):
            arrow = f"-- {part.bus} -->"
            pair = (part.key, controller.key) if part.role == "sensor" else (controller.key, part.key)
            lines.append(f'  {part.key}["{_label(part.part_class)}<br/>{_label(part.example)}"]')
            lines.append(f"  {pair[0]} {arrow} {pair[1]}")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return "".join(character for character in text if character.isalnum() or character in " .,-+/()")


def svg(title: str, parts: list[Part], supply: str) -> str:
    """The same as an SVG document: sensors left, controller in the middle, radios and outputs right, power above."""
    sensors = [part for part in parts if part.role == "sensor"]
    others = [part for part in parts if part.role in ("output", "radio")]
    rows = max(len(sensors), len(others), 1)
    width, height = 3 * BOX_WIDTH + 6 * 40, 110 + rows * (BOX_HEIGHT + GAP) + 30
    middle = (width - BOX_WIDTH) / 2, 110 + (rows * (BOX_HEIGHT + GAP) - GAP - BOX_HEIGHT) / 2
    drawn = [_box(middle[0], 20, "power", supply, "voltage regulator")]
    drawn.append(_line(width / 2, 20 + BOX_HEIGHT, width / 2, middle[1], "3.3 V"))
    drawn += _column(sensors, 30, middle, inward=True)
    drawn += _column(others, width - 30 - BOX_WIDTH, middle, inward=False)
    drawn.append(_box(*middle, "controller", parts[0].part_class, parts[0].example))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t" '
        f'font-family="system-ui, sans-serif" font-size="14"><title id="t">{html.escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(drawn)}</svg>\n'
    )


def _column(parts: list[Part], x: float, middle: tuple[float, float], *, inward: bool) -> list[str]:
    drawn = []
    for at, part in enumerate(parts):
        y = 110 + at * (BOX_HEIGHT + GAP)
        ends = (x + BOX_WIDTH, middle[0]) if inward else (middle[0] + BOX_WIDTH, x)
        heights = (y + BOX_HEIGHT / 2, middle[1] + BOX_HEIGHT / 2)
        start, end = heights if inward else heights[::-1]
        drawn += [_line(ends[0], start, ends[1], end, part.bus), _box(x, y, part.role, part.part_class, part.example)]
    return drawn


def _box(x: float, y: float, role: str, name: str, detail: str) -> str:
    ink = _INKS[role]
    centre = x + BOX_WIDTH / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="#f6f8fa" stroke="{ink}" '
        f'stroke-width="2"/><text x="{centre:g}" y="{y + 23:g}" text-anchor="middle" fill="{ink}" font-weight="600">'
        f'{html.escape(name[:32])}</text><text x="{centre:g}" y="{y + 42:g}" text-anchor="middle" fill="#333333" '
        f'font-size="12">{html.escape(detail[:34])}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, label: str) -> str:
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#57606a" stroke-width="2"/>'
        f'<text x="{(x1 + x2) / 2:g}" y="{(y1 + y2) / 2 - 5:g}" text-anchor="middle" fill="#333333" font-size="12">'
        f"{html.escape(label)}</text>"
    )
