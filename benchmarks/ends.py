"""Do gestures begin and end with a pop? Acceleration at either end over that inside, beside captured gestures.

    python benchmarks/ends.py [--model kmm] [--data data/prepared] [--seeds 5]

Single draws of twelve gestures of 4 s, uncleaned, and cleaned as `laban generate` writes them; definition in
`laban.metrics.transitions.ends`.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from report import data_option, parser, run, table

GESTURES = (
    "a person waves the right hand", "a person raises both hands", "a person bows", "a person claps", "a person nods",
    "a person points forward with the right hand", "a person raises the left hand", "a person waves both hands",
    "a person drinks a soda", "a person stretches both arms", "a person stands idle",
    "a person makes a guiding gesture with the right arm",
)  # fmt: skip
ACTIONS = {"wave-right-hand", "wave-both-hands", "raise-up-left-hand", "raise-up-both-hands", "bow", "guide", "bye"}
GOAL = 1.6  # half as much again as inside


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("acceleration at the ends of gestures")
    data_option(made)
    made.add_argument("--model", default="kmm", help="weights by name or folder")
    made.add_argument("--seeds", type=int, default=5)
    options = made.parse_args()

    import laban
    from laban.data.corpus import Corpus
    from laban.metrics.transitions import ends
    from laban.motion import cleanup
    from laban.systems.requests import TextRequest

    corpus = Corpus.open(options.data)
    records = [r for r in corpus.select("test", mirrored=False) if r.labels.get("action") in ACTIONS and r.length > 40]
    system = laban.load(options.model)

    def draws() -> list[Any]:
        requests = [TextRequest(text, 4.0) for text in GESTURES]
        return [m for seed in range(1, options.seeds + 1) for m in system.generate(requests, seed=seed)]

    drawn = draws()
    rows = {
        "captured, held out": [corpus.joints(r) for r in records[:60]],
        options.model: [m.joints() for m in drawn],
        f"{options.model}, cleaned": [cleanup.clean(m).joints() for m in drawn],
    }
    if hasattr(system, "frozen"):
        system.frozen.continued = lambda codes: codes[:0]
        rows["control: the decoder sees zeros beyond the ends"] = [m.joints() for m in draws()]
    result, cells = {}, []
    for name, clips in rows.items():
        values = np.array([ends(np.asarray(j, np.float64)) for j in clips])
        result[name] = {"begin": float(np.median(values[:, 0])), "end": float(np.median(values[:, 1]))}
        ninth = np.quantile(values, 0.9, axis=0)
        cells.append([name, str(len(clips)), *(f"{np.median(values[:, k]):.2f}, {ninth[k]:.2f}" for k in (0, 1))])
    print("acceleration at the ends over that inside: median, and 9 of 10 are below")
    print(table(["", "clips", "begin", "end"], cells))
    return result, result[f"{options.model}, cleaned"]["end"] <= GOAL, options


if __name__ == "__main__":
    run(main)
