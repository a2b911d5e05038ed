"""What benchmarks/studies/kmm_experiment.py compares, and its tables with what they say in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from report import machine


@dataclass(frozen=True)
class Cell:
    """One combination of factors."""

    backbone: str = "ssd"
    mask: str = "keyframe"
    ratio: float | None = None
    weight: float = 0.5
    mirrored: bool = True

    @property
    def name(self) -> str:
        ratio = "cos" if self.ratio is None else f"{self.ratio:g}"
        return f"{self.backbone}-{self.mask}-{ratio}-{self.weight:g}-{'mirrored' if self.mirrored else 'plain'}"


BASE = Cell()
CELLS = [  # those of the contrasts first: --cells 8 is these
    BASE,
    *(replace(BASE, mask=m) for m in ("matched", "random")),
    replace(BASE, weight=0.0),
    *(replace(BASE, weight=w, mirrored=False) for w in (0.5, 0.0)),
    *(replace(BASE, backbone="transformer", mask=m) for m in ("keyframe", "random")),
    *(replace(BASE, backbone="causal", mask=m) for m in ("keyframe", "random")),
    *(replace(BASE, mask=m) for m in ("inverse", "speed")),
    replace(BASE, weight=0.1),
    replace(BASE, weight=0.1, mirrored=False),
    *(replace(BASE, mask=m, ratio=r) for m in ("keyframe", "matched") for r in (0.15, 0.3, 0.5)),
]
CONTRASTS = [
    ("H1 key frames against matched runs", BASE, replace(BASE, mask="matched")),
    ("H1 key frames against random", BASE, replace(BASE, mask="random")),
    ("H2 contrast 0.5 against 0, no mirror images", replace(BASE, mirrored=False),
     replace(BASE, mirrored=False, weight=0.0)),
    ("H2 contrast 0.5 against 0, mirror images", BASE, replace(BASE, weight=0.0)),
    ("H2 mirror images against none, no contrast", replace(BASE, weight=0.0),
     replace(BASE, mirrored=False, weight=0.0)),
    ("H3 state space against transformer", BASE, replace(BASE, backbone="transformer")),
    ("H3 key frames against random, transformer", replace(BASE, backbone="transformer"),
     replace(BASE, backbone="transformer", mask="random")),
]  # fmt: skip
COLUMNS = ("side", "lines", "slope", "FID a", "FID b", "R3 a", "R3 b", "PJ", "AUJ", "flip")


def report(results: dict[str, dict[int, dict[str, Any]]], encoders: list[Any], options: Any) -> str:
    """The tables as Markdown, with what they say in words."""
    from laban.evaluate.report import table
    from laban.metrics.frechet import frechet

    cells = CELLS[: options.cells]
    done = sum(len(seeds) for seeds in results.values())
    most = max(len(seeds) for seeds in results.values())
    rows = []
    for name, seeds in results.items():
        row = [name, str(len(seeds))]
        for column in COLUMNS:
            values = [s[column] for s in seeds.values() if column in s]
            row.append(f"{np.mean(values):.3f}" if values else "-")
        rows.append([*row, f"{next(iter(seeds.values()))['parameters'] / 1e6:.2f}"])
    halves = []
    for _, held in encoders:
        order = np.random.default_rng(0).permutation(len(held))
        halves.append(frechet(held[order[::2]], held[order[1::2]]))
    said = [
        "## KMM's claims, as a factorial of small models",
        "",
        machine(),
        "",
        f"- `python benchmarks/studies/kmm_experiment.py --seeds {options.seeds} --steps {options.steps} --scripts "
        f"{options.scripts} --lines {options.lines} --cells {len(cells)}`: {done} of {len(cells) * options.seeds} runs "
        f"are finished, {len(results)} of {len(cells)} cells have any; a row is the mean over its seeds.",
        f"- {most} seed{'s' * (most != 1)} at most: "
        + (
            "that only screens, and nothing is claimed from it. A difference that the seeds agree on is a reason to "
            "run more of them; one that they disagree on is a null."
            if most < 3
            else "a difference is claimed where its 95 % t interval over seeds leaves out zero."
        ),
        f"- Every model: {options.steps} steps of the base layer, equal parameters (M: of the whole base model; where "
        "the contrastive loss has weight 0 its motion tower is missing), one residual model for all.",
        f"- Judged on the same {options.scripts} scripts of {options.lines} lines. side: share of lines with a named "
        "side in which that side is at work; flip: of these, share in which the mirrored text moves the other side; "
        "lines: share that do what they say; slope: its change per line of the script; FID, R3: segments under two "
        f"encoders (real held-out clips, one half against the other: {halves[0]:.3f}, {halves[1]:.3f}); PJ, AUJ: at "
        "seams.",
        "",
        *table(["backbone-mask-ratio-contrast-data", "seeds", *COLUMNS, "M"], rows),
    ]  # fmt: skip
    lines, words = [], []
    for title, first, second in CONTRASTS:
        a, b = results.get(first.name, {}), results.get(second.name, {})
        both = sorted(a.keys() & b.keys())
        if not both:
            words.append(f"- {title}: not run yet.")
            continue
        differences = {c: np.array([a[s][c] - b[s][c] for s in both]) for c in ("side", "FID a", "FID b", "slope")}
        lines.append([title, str(len(both)), *(interval(d) for d in differences.values())])
        words.append(f"- {title}: {'; '.join(f'{c} {verdict(c, d)}' for c, d in differences.items())}.")
    head = ["difference of means over seeds", "seeds", "side", "FID a", "FID b", "slope"]
    said += ["### Contrasts", "", *table(head, lines), *words, ""]
    recalled = []
    for name, seeds in results.items():
        for how in ("carried", "reset"):
            keys = [k for k in next(iter(seeds.values())) if k.startswith(f"recall {how}")]
            if keys:
                cells_ = [np.mean([s[k] for s in seeds.values() if k in s]) for k in keys]
                recalled.append([f"{name}, {how}", str(len(seeds)), *(f"{v:.2f}" for v in cells_)])
    if recalled:
        said += [
            "### Recall probe", "",
            "Share of stretches whose label a linear probe reads from the scans' state at their end, and that of the "
            "stretch 1, 2, 3 before. \"reset\": the state of this stretch alone, the control: what it knows of earlier "
            "stretches is what labels tell of their neighbours.", "",
            *table(["", "seeds", "this", "1 back", "2 back", "3 back"], recalled),
        ]  # fmt: skip
    return "\n".join(said)


def interval(differences: np.ndarray) -> str:
    """Mean and 95 % t interval over seeds; for fewer than three, which only screen, every seed's."""
    mean = differences.mean()
    if len(differences) < 3:
        return f"{mean:+.3f} ({', '.join(f'{d:+.3f}' for d in differences)})"
    half = spread(differences)
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def spread(differences: np.ndarray) -> float:
    """Half of the 95 % t interval of a mean of at least three."""
    t = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}.get(len(differences), 2.262)
    return t * differences.std(ddof=1) / math.sqrt(len(differences))


def verdict(column: str, differences: np.ndarray) -> str:
    """In words whether the first of two cells is better (side and slope: more, FID: less)."""
    signs = np.sign(differences) * (-1 if column.startswith("FID") else 1)
    if len(differences) >= 3:
        if abs(differences.mean()) > spread(differences):
            return "better, claimed" if signs.sum() > 0 else "worse, claimed"
        return "null"
    if len(differences) == 1:
        return "one seed says nothing"
    if (signs == 0).all():
        return "equal in both seeds, null"
    if abs(signs.sum()) == len(signs):
        return f"{'better' if signs[0] > 0 else 'worse'} in both seeds, not claimed"
    return "the seeds disagree, null"
