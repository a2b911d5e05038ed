"""FACT's protocol as Markdown: what `laban evaluate fact` and `benchmarks/fact.py` print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from laban.data.corpus import Corpus
    from laban.systems.fact.system import Fact
    from laban.systems.requests import Trial

DANCES, FRAMES = 40, 1200
"""The paper's protocol: forty dances of twenty seconds."""


def cell(value: float | None, digits: int = 3) -> str:
    """A number, or '-' where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], body: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table and an empty line."""
    rows = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(str(c) for c in row) + " |" for row in rows] + [""]


def lines(facts: dict[str, Any]) -> list[str]:
    """The figures of `evaluation.evaluate`, and of `endurance` and `variety` where they are in (`long`, `variety`)."""
    rows = facts["rows"]
    out = [
        f"{facts['dances']} dances of {facts['frames']} frames at 60 fps, k = {facts['block']}. {facts['songs']}.",
        "",
    ]
    out += ["## Beat alignment", ""]
    out += ["FACT's is over kinematic beats, Bailando's over music beats; sigma is 50 ms.", ""]
    out += table(
        ["", "n", "FACT", "Bailando", "kinematic beats/s"],
        [[r["name"], r["n"], cell(r["fact"]), cell(r["bailando"]), cell(r["per_second"], 2)] for r in rows.values()],
    )
    out += ["Differences, mean over dances and 95 % interval (bootstrap of dances):", ""]
    out += [
        f"- {name}: {d['mean']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}]" for name, d in facts["differences"].items()
    ]
    out += ["", "Generated, by what training lacks: "
             + ", ".join(f"{k} {v:.3f}" for k, v in facts["kinds"].items()) + ".", ""]  # fmt: skip
    genres = list(rows["made"]["genres"])
    out += table(
        ["FACT's, per genre", *genres],
        [[rows[k]["name"], *(cell(rows[k]["genres"].get(g)) for g in genres)]
         for k in ("real", "made", "shifted", "locked") if k in rows],
    )  # fmt: skip
    out += ["## Bodies", ""]
    keys = ("speed", "frozen", "skate", "jerk", "pfc_compat", "pfc_fixed")
    out += table(
        ["", "speed m/s", "frozen", "skate m/s", "jerk m/s3", "PFC compat", "PFC fixed"],
        [[r["name"], *(cell(r[k]) for k in keys)] for r in rows.values() if "speed" in r],
    )
    names = [f"{what}_{part}_{mode}" for mode in ("compat", "fixed") for what in ("fid", "dist") for part in ("k", "g")]
    body = [[r["name"], r["n"], *(cell(r[k], 2) for k in names)] for r in rows.values() if names[0] in r]
    if body:
        body[0][0] += " (half against half)"
        out += ["## Kinetic and geometric features", ""] + table(["", "n", *names], body)
    if "long" in facts:
        out += ["## Sixty seconds", "", "Mean joint speed of five-second windows over the training dances' mean.", ""]
        out += table(
            ["", "slowest", "fastest", "farthest m", "at the end m"],
            [[f"{r['bpm']:.0f} bpm", *(cell(r[k], 2) for k in ("slowest", "fastest", "farthest", "end"))]
             for r in facts["long"]],
        )  # fmt: skip
    if "variety" in facts:
        v = facts["variety"]
        out += [
            "## One seed motion, four songs",
            "",
            f"{', '.join(v['songs'])}: joints are {v['between songs']:.3f} m apart; on one song, four random seeds: "
            f"{v['between seeds']:.3f} m.",
            "",
        ]
    return out


def protocol(
    system: Fact, corpus: Corpus, out: Path, trial: Trial, *, aist: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`laban evaluate fact`: 40 dances of 1,200 frames, ten of 60 s, and one seed motion with four songs.

    Args:
        system: the model.
        corpus: of real dances.
        out: the four dances are drawn there (four-songs.png).
        trial: so many dances instead of 40; quick: these alone.
        aist: the test and validation songs of an AIST++ copy instead of synthesised ones.
        progress: called with (done, total).
    Returns: the facts, with their Markdown in `tables`.
    """
    from laban.data.corpora.aist import Aist
    from laban.drawing import picture
    from laban.systems.fact import evaluation

    programme = evaluation.Programme(trial.cases or DANCES, FRAMES, trial.seed)
    given = evaluation.of_aist(Aist(aist), FRAMES, programme.count) if aist else None
    total = len(given) if given else programme.count
    facts = evaluation.evaluate(
        system, corpus, programme, given=given, progress=lambda done: progress(done, total) if progress else None
    )
    if not trial.quick:
        facts["long"] = evaluation.endurance(system, corpus)
        facts["variety"] = evaluation.variety(system, corpus)
        motions = facts["variety"].pop("motions")
        picture.contact_sheet(motions, facts["variety"]["songs"], out / "four-songs.png")
    return {**facts, "tables": lines(facts)}
