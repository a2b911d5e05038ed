"""The report as Markdown and plots, and which figure tells which control row from real motion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from laban.evaluate import plots
from laban.evaluate.findings import findings
from laban.io.atomic import replacing

Figures = dict[str, Any]
SPOILT = ("features round trip", "tokenizer round trip", "jitter 2 cm", "frozen", "noise 10 cm", "shuffled captions")
ORDER = ("real", "tokenizer round trip", "jitter 2 cm", "frozen", "noise 10 cm")
"""From best to worst, for a figure that is meant to see all of it."""

# name, where it stands (of one evaluator, or of the row), and what is better: 1 more, -1 less, 0 as real motion.
FIGURES: tuple[tuple[str, Callable[[Figures, str], Any], int], ...] = (
    ("R-precision top-1", lambda r, e: entry_of(r["evaluators"][e]["r_precision"], 0), 1),
    ("R-precision top-3", lambda r, e: entry_of(r["evaluators"][e]["r_precision"], 2), 1),
    ("MM-Dist", lambda r, e: r["evaluators"][e]["mm_dist"], -1),
    ("FID", lambda r, e: r["evaluators"][e]["fid"], -1),
    ("Diversity", lambda r, e: r["evaluators"][e]["diversity"], 0),
    ("foot skate", lambda r, _: r["physics"]["skate"], -1),
    ("jerk", lambda r, _: r["physics"]["jerk"], 0),
    ("penetration", lambda r, _: r["physics"]["penetration"], -1),
    ("floating", lambda r, _: r["physics"]["floating"], 0),
    ("control checks", lambda r, _: r["control"]["all"], 1),
)
PER_EVALUATOR = 5  # how many of FIGURES are of one evaluator


def entry_of(values: list[Figures] | None, index: int) -> Figures | None:
    """An entry of a list that may be absent."""
    return None if values is None else values[index]


def distinguishing_metrics(rows: Sequence[Figures]) -> list[Figures]:
    """For each figure, which control rows it tells from real motion, and whether it ranks them.

    "yes" if the row's interval does not overlap real motion's and the row is on the worse side;
    "better" if it is on the side that counts as better. The Fréchet distance of the real clips to themselves is 0 by
    construction, so the mirrored clips stand for real motion there, if there are any.
    Returns: per figure {"figure", "evaluator", "told": {row: "yes"|"no"|"better"|"-"}, "ranks": bool | None, "why"}.
    """
    named = {row["name"]: row for row in rows}
    out = []
    for evaluator in named["real"]["evaluators"]:
        for place, (name, read, better) in enumerate(FIGURES):
            if place >= PER_EVALUATOR and evaluator != next(iter(named["real"]["evaluators"])):
                continue
            base = read(named["real"], evaluator)
            if name == "FID" and "real, mirrored" in named:
                base = read(named["real, mirrored"], evaluator)
            distinguished = {
                row: _distinguishes(base, read(named[row], evaluator), better) for row in SPOILT if row in named
            }
            ranks, why = _ranks(named, lambda row, read=read, e=evaluator: read(row, e), better)  # type: ignore[misc]
            out.append({
                "figure": name, "evaluator": evaluator if place < PER_EVALUATOR else "", "told": distinguished,
                "ranks": ranks, "why": why,
            })  # fmt: skip
    return out


def _distinguishes(base: Figures | None, other: Figures | None, better: int) -> str:
    if base is None or other is None:
        return "-"
    if other["low"] <= base["high"] and base["low"] <= other["high"]:
        return "no"
    return "better" if better * (other["value"] - base["value"]) > 0 else "yes"


def _ranks(
    named: dict[str, Figures], read: Callable[[Figures], Figures | None], better: int
) -> tuple[bool | None, str]:
    """Whether the rows of ORDER stand in that order, and which neighbours do not, or overlap.

    Two rows are in the wrong order only if their intervals have nothing in common; else they are a tie.
    """
    present = [(name, read(named[name])) for name in ORDER if name in named]
    held = [(name, value) for name, value in present if value is not None]
    if len(held) < 2:
        return None, ""
    origin = held[0][1]["value"]
    wrong, ties = [], []
    for (first, a), (second, b) in zip(held[:-1], held[1:], strict=True):
        if a["low"] <= b["high"] and b["low"] <= a["high"]:
            ties.append(f"{first} ~ {second}")
        elif better * (b["value"] - a["value"]) > 0 or (
            better == 0 and abs(b["value"] - origin) < abs(a["value"] - origin)
        ):
            wrong.append(f"{second} before {first}")
    return not wrong, "; ".join(wrong or ties)


def markdown(facts: Figures) -> str:
    """The whole report."""
    data, rows = facts["data"], facts["rows"]
    setting = facts["settings"]
    lines = ["# Evaluation", "", f"laban {facts['laban']} | {facts['machine']}", ""]
    lines += [
        f"- Data: {', '.join(data['corpora'])}, split {data['split']}, {data['clips']} clips at {data['fps']:g} fps "
        f"(fingerprint {data['fingerprint']}; {data['licence']}).",
        f"- Repeats: {setting['repeats']} draws of pools of 32; bootstrap of {setting['draws']} draws of clips (100 "
        f"for FID); seed {setting['seed']}, case i has the seed ({setting['seed']}, i).",
    ]
    if facts["system"]:
        s = facts["system"]
        lines.append(f"- System: {s['name']}, weights {s['weights'][:16]}, sampling {s['sampling']}, {s['device']}.")
    for name, e in facts["evaluators"].items():
        few = f"; {data['clips']} clips are too few for them, so FID is biased" * (data["clips"] <= e["dimensions"])
        lines.append(f"- {name}: weights {e['weights'][:16]}, {e['dimensions']} dimensions{few}.")
    lines += [f"- Leakage, {who}: {said}." for who, said in facts["leakage"].items()]
    peak = facts["peak_megabytes"]
    lines += [f"- Peak memory of the whole run: {peak:.0f} MB." if peak else "- Peak memory: unknown.", ""]
    lines += ["Intervals are of 95 %. FID is against the real clips, so their own is 0 by construction.", ""]
    found = findings(facts)
    if found:
        lines += ["## Findings", "", "Two rows differ here if their intervals have nothing in common.", ""]
        lines += [*(f"- {line}" for line in found), ""]
    for evaluator in facts["evaluators"]:
        lines += [f"## Text and motion, {evaluator}", ""]
        chance = rows[0]["evaluators"][evaluator]["chance"]
        if chance:
            lines += [
                "Chance under the same rule for equal captions: "
                + ", ".join(f"top-{k + 1} {value:.3f}" for k, value in enumerate(chance)) + ".", "",
            ]  # fmt: skip
        lines += table(
            ["", "R@1", "R@2", "R@3", "R@3, old rule", "MM-Dist", "FID", "Diversity", "MultiModality"],
            [_matched(row, evaluator) for row in rows],
        )
    lines += facts.get("own_tables", ())  # a report of an earlier version has none
    lines += ["## Physics", "", "Ratio to real motion in brackets.", ""]
    lines += table(
        ["", "skate m/s", "jerk m/s3", "penetration mm", "floating mm", "joint error mm", "CPU s per clip"],
        [_physics(row) for row in rows],
    )
    lines += [
        "What writing and reading a file adds, mean over joints: "
        + ", ".join(f"{suffix} {1e3 * error:.2g} mm" for suffix, error in facts["export_error"].items()) + ".", "",
    ]  # fmt: skip
    chance = facts["control_chance"]
    lines += ["## Control, from joints by geometry", ""]
    if chance is not None:
        lines += [f"Chance, captions dealt to the real clips at random: {chance:.3f}.", ""]
    lines += table(["", "side", "turn", "speed", "all"], [_control(row) for row in rows])
    lines += ["## What each figure sees", ""]
    lines += ['"yes": it tells that row from real motion; "better": it takes it for better than real.', ""]
    names = [n for n in SPOILT if any(n in s["told"] for s in facts["sees"])]
    lines += table(
        ["", *names, "ranks the rows"],
        [
            [f"{s['figure']} {s['evaluator']}".strip(), *(s["told"].get(n, "-") for n in names),
             "-" if s["ranks"] is None else f"{'yes' if s['ranks'] else 'NO'}: {s['why']}".rstrip(": ")]
            for s in facts["sees"]
        ],
    )  # fmt: skip
    return "\n".join(lines)


def write(facts: Figures, folder: Path) -> None:
    """report.md and the plots."""
    with replacing(folder / "report.md") as temporary:
        temporary.write_text(markdown(facts), encoding="utf-8")
    first = next(iter(facts["evaluators"]))
    for name, read, _ in FIGURES:
        if name in ("R-precision top-3", "FID", "foot skate", "control checks"):
            found = [(row["name"], read(row, first)) for row in facts["rows"] if not row["axis"]]
            bars = [(label, v["value"], v["low"], v["high"]) for label, v in found if v is not None]
            if bars:
                title = f"{name}, {first}" if name in ("R-precision top-3", "FID") else name
                _save(folder / f"{plots.file_name(name)}.svg", plots.bars(title, bars))
    for axis in ("steps", "guidance"):
        for name, read, _ in FIGURES[1:4]:
            curves = {e: curve(facts, axis, lambda row, read=read, e=e: read(row, e)) for e in facts["evaluators"]}  # type: ignore[misc]
            if all(len(points) > 1 for points in curves.values()):
                _save(folder / f"{axis}-{plots.file_name(name)}.svg", plots.curves(f"{name} by {axis}", axis, curves))


def curve(facts: Figures, axis: str, read: Callable[[Figures], Figures | None]) -> list[tuple[float, ...]]:
    """Points (at, value, low, high) of an axis in order; the plain row stands where the system's own setting is."""
    points = []
    for row in facts["rows"]:
        at = row["at"] if row["axis"] == axis else None
        if facts["system"] and row["name"] == facts["system"]["name"]:
            at = (facts["system"]["sampling"] or {}).get(axis)
        value = read(row)
        if at is not None and value is not None:
            points.append((float(at), value["value"], value["low"], value["high"]))
    return sorted(points)


def _save(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _matched(row: Figures, evaluator: str) -> list[str]:
    e = row["evaluators"][evaluator]
    return [
        row["name"], *(_cell(entry_of(e["r_precision"], k)) for k in range(3)),
        "-" if e["old_rule"] is None else f"{e['old_rule'][2]['value']:.3f}",
        _cell(e["mm_dist"]), _cell(e["fid"], 4), _cell(e["diversity"]), _cell(e["multimodality"]),
    ]  # fmt: skip


def _physics(row: Figures) -> list[str]:
    p = row["physics"]
    cells = [row["name"]]
    for name, scale, digits in (("skate", 1, 3), ("jerk", 1, 1), ("penetration", 1e3, 2), ("floating", 1e3, 1)):
        ratio = p[name]["of_real"]
        cells.append(_cell(p[name], digits, scale) + ("" if ratio is None else f" ({ratio:.2f}x)"))
    cells.append(_cell(p.get("joint_error"), 1, 1e3))
    cells.append("-" if row["seconds_per_clip"] is None else f"{row['seconds_per_clip']:.3f}")
    return cells


def _control(row: Figures) -> list[str]:
    c = row["control"]
    return [row["name"], *(
        "-" if c[g] is None else f"{c[g]['hits']}/{c[g]['trials']} {_cell(c[g], 2)}"
        for g in ("side", "turn", "speed", "all")
    )]  # fmt: skip


def _cell(value: Figures | None, digits: int = 3, scale: float = 1.0) -> str:
    if value is None:
        return "-"
    v, low, high = (scale * value[key] for key in ("value", "low", "high"))
    return f"{v:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |", "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows), "",
    ]  # fmt: skip
