"""Bars with intervals and curves, as SVG, without a plotting library."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape

COLOURS = ("#2a6f97", "#c1666b", "#4d9078", "#8e6c8a")
_FONT = "font-family='sans-serif' font-size='12'"


def file_name(title: str) -> str:
    """A title as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def bars(title: str, rows: Sequence[tuple[str, float, float, float]]) -> str:
    """One bar per (name, value, low, high), longest axis from 0."""
    left, width, step, top = 170, 420, 22, 40
    ticks = _ticks(0.0, max(max(high, value) for _, value, _, high in rows))
    scale = width / ticks[-1]
    height = top + step * len(rows) + 34
    parts = [_open(left + width + 90, height, title)]
    for tick in ticks:
        x = left + tick * scale
        parts.append(_line(x, top, x, height - 28, "#ddd"))
        parts.append(_text(x, height - 12, f"{tick:g}", "middle"))
    for i, (name, value, low, high) in enumerate(rows):
        y = top + step * i
        size = f"width='{max(0.0, value * scale):.1f}' height='{step - 8}'"
        parts.append(f"<rect x='{left}' y='{y + 3}' {size} fill='{COLOURS[0]}'/>")
        middle = y + step / 2 - 1
        parts.append(_line(left + low * scale, middle, left + high * scale, middle, "#111", 2))
        parts.append(_text(left - 8, middle + 4, name, "end"))
        parts.append(_text(left + max(value, high) * scale + 8, middle + 4, f"{round(value, 4):.3g}", "start"))
    return "\n".join([*parts, "</svg>\n"])


def curves(title: str, axis: str, lines: dict[str, list[tuple[float, ...]]]) -> str:
    """One line per name through its points (x, value, low, high), the interval behind it."""
    left, width, top, height = 70, 440, 40, 240
    points = [p for line in lines.values() for p in line]
    xs = [p[0] for p in points]
    ticks = _ticks(min(p[2] for p in points), max(p[3] for p in points))
    low, high = ticks[0], ticks[-1]
    span = (max(xs) - min(xs)) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (x - min(xs)) / span * width, top + (high - y) / (high - low) * height

    parts = [_open(left + width + 140, top + height + 50, title)]
    for tick in ticks:
        _, y = place(xs[0], tick)
        parts += [_line(left, y, left + width, y, "#ddd"), _text(left - 8, y + 4, f"{tick:g}", "end")]
    for x in sorted(set(xs)):
        parts.append(_text(place(x, low)[0], top + height + 18, f"{x:g}", "middle"))
    parts.append(_text(left + width / 2, top + height + 38, axis, "middle"))
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        around = [place(p[0], p[3]) for p in line] + [place(p[0], p[2]) for p in reversed(line)]
        parts.append(f"<polygon points='{_points(around)}' fill='{colour}' opacity='0.15'/>")
        middle = [place(p[0], p[1]) for p in line]
        parts.append(f"<polyline points='{_points(middle)}' fill='none' stroke='{colour}' stroke-width='2'/>")
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in middle]
        parts.append(_text(left + width + 12, top + 16 + 18 * i, name, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers that enclose the range."""
    span = max(high - low, 1e-9)
    unit = 10.0 ** math.floor(math.log10(span / 4))
    step = next(unit * m for m in (1, 2, 5, 10) if span / (unit * m) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * i, 12) for i in range(first, max(last, first + 1) + 1)]


def _open(width: float, height: float, title: str) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}'>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n" + _text(12, 22, title, "start", "#111", 15)
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333", size: int = 12) -> str:
    font = _FONT.replace("'12'", f"'{size}'")
    return f"<text x='{x:.1f}' y='{y:.1f}' {font} text-anchor='{anchor}' fill='{colour}'>{escape(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    where = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {where} stroke='{colour}' stroke-width='{width}'/>"


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
