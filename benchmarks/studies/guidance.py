"""How strong guidance may be before the gait comes apart: `python benchmarks/studies/guidance.py [--model momask]`.

Single draws (not the best of four), cleaned, of benchmarks/gait.py's sentences for walks and runs, four seeds each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from gait import SECONDS, SENTENCES
from report import parser, run, table

MEASURES = ("no_standing_foot", "stride_cv", "knee_range", "slide")


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("strength of guidance against gait")
    made.add_argument("--model", default="momask")
    made.add_argument("--guidance", type=float, nargs="+", default=[2.5, 2.0, 1.6, 1.4, 1.2, 1.0])
    made.add_argument("--seeds", type=int, default=4)
    options = made.parse_args()

    import laban
    from laban.metrics.gait import gait
    from laban.systems.requests import TextRequest

    system: Any = laban.load(options.model)
    result: dict[str, Any] = {}
    for kind in ("walk", "run"):
        requests = [TextRequest(text, SECONDS[kind]) for text in SENTENCES[kind] for _ in range(options.seeds)]
        rows = []
        for strength in options.guidance:
            figures = [
                gait(motion.joints(), motion.fps)
                for at in range(0, len(requests), 8)
                for motion in system.generate(requests[at : at + 8], 3, first_index=at, clean=True, guidance=strength)
            ]
            means = {m: float(np.nanmean([getattr(g, m) for g in figures])) for m in MEASURES}
            result[f"{kind}, guidance {strength:g}"] = means
            rows.append([f"{strength:g}", str(len(figures)), *(f"{means[m]:.2f}" for m in MEASURES)])
        print(f"\n{kind}")
        print(table(["guidance", "clips", *MEASURES], rows))
    return result, True, options


if __name__ == "__main__":
    run(main)
