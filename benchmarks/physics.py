"""Foot skate, jerk and floor penetration of generated motions against real held-out clips.

    python benchmarks/physics.py [--model momask] [--data data/prepared] [--clips 100] [--seed 0]

Definitions in laban/metrics/physics.py; all rows at 20 fps. Generated motions are asked for with the first caption
and the length of the same held-out clips, so that rows differ in nothing else. Goals, for what `laban generate`
writes (cleaned): skate at most 1.5 times the real one, jerk between 0.5 and 1.7 times, penetration at most 1 cm.
Control rows: the real clips passed through `Motion` (bone lengths and IK), a statue that slides along the real
paths, and real clips with 5 mm of noise.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from report import data_option, model_option, parser, run, table


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("physics of generated motions")
    data_option(made)
    model_option(made)
    made.add_argument("--clips", type=int, default=100, help="held-out clips, chosen evenly")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--real-only", action="store_true", help="leave the model out")
    options = made.parse_args()

    from tqdm import tqdm

    from laban.data.corpus import Corpus
    from laban.metrics import physics
    from laban.motion.motion import Motion

    corpus = Corpus.open(options.data)
    everything = [r for r in corpus.select("test", mirrored=False) if 20 <= r.length <= 196]
    chosen = np.unique(np.linspace(0, len(everything) - 1, min(options.clips, len(everything))).astype(int))
    records = [everything[i] for i in chosen]
    fps = corpus.fps
    real = [np.array(corpus.joints(r)) for r in records]
    noise = np.random.default_rng(options.seed)
    rows = {
        "real held-out": real,
        "control: real through Motion": [Motion.from_joints(j, fps).joints() for j in real],
        "control: sliding statue": [j[:1] + (j[:, :1] - j[:1, :1]) * [1, 0, 1] for j in real],
        "control: real + 5 mm noise": [j + noise.normal(scale=0.005, size=j.shape) for j in real],
    }
    if not options.real_only:
        from tokenizer import reconstructed

        import laban
        from laban.motion import humanml
        from laban.systems.requests import TextRequest

        system: Any = laban.load(options.model)
        stride = system.tokenizer.config.stride
        rows["tokenizer round trip"] = [
            humanml.decode(reconstructed(system, np.array(corpus.features(r)[: r.length // stride * stride])))
            for r in records
        ]
        for name, clean in (("generated, raw", False), ("generated, cleaned", True)):
            rows[name] = []
            for at in tqdm(range(0, len(records), 20), desc=name, unit="batch", disable=None):
                requests = [TextRequest(r.captions[0], r.length / fps) for r in records[at : at + 20]]
                motions = system.generate(requests, seed=options.seed, first_index=at, clean=clean)
                rows[name] += [m.resample(fps).joints() for m in motions]

    found = {name: physics.summary(clips, fps) for name, clips in rows.items()}
    base = found["real held-out"]
    cells = [
        [name, str(p.clips), f"{p.skate:.3f}", f"{p.skate / base.skate:.2f}x", f"{p.jerk:.1f}",
         f"{p.jerk / base.jerk:.2f}x", f"{1e3 * p.penetration:.2f}"]
        for name, p in found.items()
    ]  # fmt: skip
    print(f"captions and lengths of {len(records)} test clips from {', '.join(corpus.names)}, {fps:g} fps")
    print(table(["", "clips", "skate m/s", "of real", "jerk m/s3", "of real", "penetration mm"], cells))
    figures = {name: vars(p) for name, p in found.items()}
    if options.real_only:
        return figures, True, options
    ok = True
    for name in ("generated, raw", "generated, cleaned"):
        p = found[name]
        checks = {
            "skate <= 1.5x": p.skate <= 1.5 * base.skate,
            "jerk 0.5x to 1.7x": 0.5 * base.jerk <= p.jerk <= 1.7 * base.jerk,
            "penetration <= 10 mm": p.penetration <= 0.01,
        }
        print(f"{name}: " + ", ".join(f"{what} {'ok' if good else 'MISSED'}" for what, good in checks.items()))
        ok = all(checks.values())  # the last row, what users get, decides
    return figures, ok, options


if __name__ == "__main__":
    run(main)
