"""What the rows of a report say about MoMask's claims, in sentences made from their figures and intervals alone.

Two rows differ if their intervals have nothing in common. They are of the same clips, so that is a cautious rule: what
it calls a difference is one; what it does not may still be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]
Read = Callable[[Figures], Figures | None]
PAPER = {"steps": 10, "guidance": 4}
"""The best settings on HumanML3D, read off the curves of Guo et al., "MoMask", CVPR 2024."""


def matched(evaluator: str) -> dict[str, tuple[Read, int]]:
    """The figures of one evaluator that rank settings: how to read them; 1 if more is better, -1 if less is."""
    return {
        "R@3": (lambda row: None if row["evaluators"][evaluator]["r_precision"] is None
                else row["evaluators"][evaluator]["r_precision"][2], 1),
        "MM-Dist": (lambda row: row["evaluators"][evaluator]["mm_dist"], -1),
        "FID": (lambda row: row["evaluators"][evaluator]["fid"], -1),
    }  # fmt: skip


def findings(facts: Figures) -> list[str]:
    """One line per question that the rows can answer; none for motions from files."""
    system = facts["system"]
    named = {row["name"]: row for row in facts["rows"]}
    if not system or system["name"] not in named:
        return []
    own = named[system["name"]]
    lines = []
    for axis in ("steps", "guidance"):
        at = (system["sampling"] or {}).get(axis)
        settings = {row["at"]: row for row in facts["rows"] if row["axis"] == axis}
        if at is not None and settings:
            lines.append(_axis(axis, {**settings, at: own}, list(facts["evaluators"])))
    for name, question in (
        ("base layer only", "Do the residual layers matter? Without them"),
        ("bf16", "Does bf16 cost anything? With it"),
        ("cleaned", "What does the clean-up change? With it"),
    ):
        if name in named:
            lines.append(f"{question}: {_compare(own, named[name], list(facts['evaluators']))}.")
    for name in ("tokenizer round trip", "real"):
        if name in named:
            lines.append(f"Against {name}, the model has {_compare(named[name], own, list(facts['evaluators']))}.")
    return lines


def _axis(axis: str, settings: dict[float, Figures], evaluators: list[str]) -> str:
    """Which settings are best, and which cannot be told from the best in any figure of any evaluator."""
    good = set(settings)
    said = []
    for evaluator in evaluators:
        best_of = []
        for name, (read, better) in matched(evaluator).items():
            values = {at: value for at, row in settings.items() if (value := read(row)) is not None}
            if not values:
                continue
            best = max(values, key=lambda at: better * values[at]["value"])
            good &= {at for at, value in values.items() if not _apart(value, values[best])}
            best_of.append(f"{name} {best:g}")
        said.append(f"{evaluator}: {', '.join(best_of)}")
    listed = ", ".join(f"{at:g}" for at in sorted(good)) or "none"
    verdict = "is among them" if PAPER[axis] in good else "is not among them, or was not tried"
    flat = " These clips tell no setting from another." if good == set(settings) else ""
    return (
        f"Best {axis} by {'; '.join(said)}. Not to be told from the best in any figure: {listed}.{flat} "
        f"The paper's best, {PAPER[axis]}, {verdict}."
    )


def _compare(base: Figures, other: Figures, evaluators: list[str]) -> str:
    """Every figure of `other` with that of `base`, and whether they differ."""
    parts = []
    for evaluator in evaluators:
        for name, (read, _) in matched(evaluator).items():
            parts.append(_pair(f"{name} ({evaluator})", read(base), read(other), 3, 1.0))
    for name, key, digits, scale in (("skate", "skate", 3, 1.0), ("jerk", "jerk", 1, 1.0)):
        parts.append(_pair(name, base["physics"][key], other["physics"][key], digits, scale))
    parts.append(_pair("control checks", base["control"]["all"], other["control"]["all"], 3, 1.0))
    return ", ".join(part for part in parts if part)


def _pair(name: str, a: Figures | None, b: Figures | None, digits: int, scale: float) -> str:
    if a is None or b is None:
        return ""
    mark = "" if _apart(a, b) else " (no difference)"
    return f"{name} {scale * b['value']:.{digits}f} for {scale * a['value']:.{digits}f}{mark}"


def _apart(a: Figures, b: Figures) -> bool:
    return a["high"] < b["low"] or b["high"] < a["low"]
