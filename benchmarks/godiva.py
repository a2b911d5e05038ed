"""Does a generated video show the digit and the motion that its caption names?

    python benchmarks/godiva.py --data data/mnist.tar [--model godiva] [--judges runs/judges] [--floor RUN] [--clip DIR]

The tables of `laban evaluate godiva` beside the goals: digit >= 90 %, motion >= 90 %, joint >= 85 % of 500 seen pairs;
reconstructions within one point of real videos. With --clip also CLIPSIM and RM by a real CLIP.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from report import goal, parser, run


def options() -> argparse.Namespace:
    made = parser("text to video: digits and motions")
    made.add_argument("--data", type=Path, default=Path("data/mnist.tar"), help="MNIST, a .tar or a folder")
    made.add_argument("--model", default="godiva", help="shipped weights by name, or a checkpoint folder")
    made.add_argument("--judges", type=Path, help="folder to keep the judges in, or to take them from")
    made.add_argument("--floor", help="a model that was trained without captions (--set text.dropout=1.0)")
    made.add_argument("--clip", type=Path, help="folder with a real CLIP, for CLIPSIM and RM")
    made.add_argument("--videos", type=int, default=500, help="generated videos of seen pairs; others take 2/5 of it")
    made.add_argument("--split", default="test", choices=("test", "val"), help="of the digits of real videos")
    made.add_argument("--quick", action="store_true", help="seen pairs only")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--top-k", type=int, help="codes that may be drawn; by default the model's")
    made.add_argument("--temperature", type=float, help="by default the model's")
    return made.parse_args()


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    given = options()
    import laban
    from laban.data.digits import MovingDigits
    from laban.metrics.video import clipsim, relative_matching
    from laban.systems.godiva import judging

    system: Any = laban.load(given.model)
    source = MovingDigits.open(given.data, system.config.digits)
    judges = judging.judges_of(source, given.judges)
    draw = {k: v for k, v in (("top_k", given.top_k), ("temperature", given.temperature)) if v is not None}
    print(f"{given.model}, weights {str(system.provenance.hash)[:16]}: draws {draw or system.config.sampling}")
    floor: Any = laban.load(given.floor) if given.floor else None
    kept: dict[str, Any] = {}
    start = time.process_time()
    facts = judging.judged(
        system, source, judges, videos=given.videos, seed=given.seed, split=given.split, floor=floor, draw=draw,
        quick=given.quick, keep=kept,
    )  # fmt: skip
    print("\n".join(judging.lines(facts)))
    print(f"{time.process_time() - start:.0f} s of CPU in all")
    if given.clip:
        from laban.condition.clip_towers import open_clip

        clip = open_clip(given.clip)
        sim, best = (clipsim(clip, kept["captions"], kept[name]) for name in ("made", "real"))
        print(f"CLIPSIM generated {100 * sim.mean():.2f}, real {100 * best.mean():.2f}; ", end="")
        print(f"RM {100 * relative_matching(sim, best):.2f} (mean of ratios)")
    checks = [goal(*found) for found in judging.goals(facts)]
    print("\n".join(line for line, _ in checks))
    return {"weights": system.provenance.hash, **facts}, all(ok for _, ok in checks), given


if __name__ == "__main__":
    run(main)
