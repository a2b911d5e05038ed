"""Which frames are key frames? The paper's formula and the mended one on real clips, with a plot.

    python benchmarks/studies/kmm_keyframes.py --data PREPARED [--plot docs/kmm-keyframes.png] [--clips 100] [--top 6]

For real held-out clips: how many of the top tokens of each score lie in the faster half of the clip's tokens (chance:
one half), how many of them repeat the code of another chosen token, and for how many tokens the score is infinite, that
is, decided by nothing. Rows: the paper's formula on quantized latents, the same on latents before quantization, the
mended one, and a random choice.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks, whose helpers these studies share

from report import data_option, model_option, parser, run, table


def plot(path: Path, title: str, speed: np.ndarray, chosen: dict[str, np.ndarray]) -> None:
    """Speed over tokens as a line, and a row of marks per choice."""
    from PIL import Image, ImageDraw

    left, top, wide, high, row = 190, 34, 900, 220, 26
    image = Image.new("RGB", (left + wide + 20, top + high + row * len(chosen) + 44), "white")
    draw = ImageDraw.Draw(image)
    n = len(speed)
    x = left + (np.arange(n) + 0.5) * wide / n
    y = top + high - speed / speed.max() * (high - 8)
    draw.text((10, 10), title, fill="black")
    draw.text((10, top), f"speed of the joints, to {speed.max():.2f} m/s", fill="black")
    for i in range(0, n, 5):
        draw.line([(x[i], top), (x[i], top + high + row * len(chosen))], fill=(232, 232, 232))
        draw.text((x[i] - 8, top + high + row * len(chosen) + 6), f"{i / 5:g} s", fill=(90, 90, 90))
    draw.line(list(zip(x, y, strict=True)), fill=(60, 90, 160), width=3)
    for number, (name, mask) in enumerate(chosen.items()):
        at = top + high + row * number + row // 2
        draw.text((10, at - 6), name, fill="black")
        draw.line([(left, at), (left + wide, at)], fill=(210, 210, 210))
        for i in np.flatnonzero(mask):
            draw.ellipse([x[i] - 6, at - 6, x[i] + 6, at + 6], fill=(200, 60, 40))
            draw.line([(x[i], y[i]), (x[i], at)], fill=(240, 200, 190))
    image.save(path)


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("key frames by density")
    data_option(made)
    model_option(made)
    made.set_defaults(model="momask")
    made.add_argument("--clips", type=int, default=100)
    made.add_argument("--top", type=int, default=6)
    made.add_argument("--plot", type=Path)
    made.add_argument("--clip", help="id of the clip to plot; the first of a walk with a turn if not given")
    options = made.parse_args()

    import torch

    from laban.data.corpus import Corpus
    from laban.nn.frozen import FrozenTokenizer
    from laban.systems.kmm.keyframes import choose, density_peaks
    from laban.systems.registry import locate

    corpus = Corpus.open(options.data)
    frozen = FrozenTokenizer.load(locate(options.model))
    layout, stride = corpus.layout, frozen.config.stride
    generator = torch.Generator().manual_seed(0)
    records = [r for r in corpus.select("test", mirrored=False) if r.length >= 60]
    pick = np.random.default_rng(0).permutation(len(records))[: options.clips]
    names = ("paper, quantized", "paper, before", "mended, before", "random")
    fast: dict[str, list[float]] = {n: [] for n in names}
    twins: dict[str, list[float]] = {n: [] for n in names}
    endless: dict[str, list[float]] = {n: [] for n in names}

    def choices(record: Any) -> tuple[np.ndarray, dict[str, torch.Tensor], dict[str, float], torch.Tensor]:
        count = record.length // stride
        features = torch.from_numpy(np.array(corpus.features(record)[: count * stride]))
        codes, latents = frozen.encode(features[None])
        moves = features[:, layout.velocities].reshape(count, stride, -1, 3)
        speed = moves.norm(dim=-1).mean((1, 2)).numpy() * layout.fps * layout.unit
        scores = {
            names[0]: density_peaks(frozen.rows(codes)[0].double(), "compat").score,
            names[1]: density_peaks(latents[0].double(), "compat").score,
            names[2]: density_peaks(latents[0].double(), "mended").score,
            names[3]: torch.rand(count, generator=generator),
        }
        infinite = {k: float(v.isinf().float().mean()) for k, v in scores.items()}
        return speed, {k: choose(v, options.top) for k, v in scores.items()}, infinite, codes[0, :, 0]

    for i in pick:
        speed, chosen, infinite, codes = choices(records[i])
        median = np.median(speed)
        for name, mask in chosen.items():
            fast[name].append(float((speed[mask.numpy()] > median).mean()))
            taken = codes[mask].tolist()
            twins[name].append(1 - len(set(taken)) / len(taken))
            endless[name].append(infinite[name])
    print(f"{len(pick)} held-out clips, top {options.top} tokens")
    rows = [
        [n, f"{100 * np.mean(fast[n]):.0f}%", f"{100 * np.mean(twins[n]):.0f}%", f"{100 * np.mean(endless[n]):.1f}%"]
        for n in names
    ]
    print(table(["", "in the faster half", "same code as another", "infinite score"], rows))
    if options.plot:
        wanted = [r for r in records if r.id == options.clip] or [
            r for r in records if r.labels.get("content") == "wave-both-hands"
        ] or records  # fmt: skip
        speed, chosen, _, _ = choices(wanted[0])
        plot(options.plot, f"{wanted[0].id}: {wanted[0].captions[0]}", speed, {k: v.numpy() for k, v in chosen.items()})
        print(options.plot)
    return {"rows": rows}, True, options


if __name__ == "__main__":
    run(main)
