"""What the motion tokenizer keeps: MPJPE on held-out clips for 1, 2, ... all quantizer layers.

    python benchmarks/tokenizer.py [--model momask] [--data data/prepared] [--split test]

MPJPE is root-aligned: the mean distance over joints and frames after subtracting the pelvis of each frame (the
heading is not aligned), in mm, against the clip's own features decoded in the same way. `world` is the same
without the alignment, so drift of the integrated root counts. Goal: at most 30 mm with all layers.
Control rows: a standing still person (the mean of all features), and the clip's first frame held.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from report import data_option, goal, model_option, parser, run, table


def open_tokenizer(model: str) -> Any:
    """The system of a checkpoint with its tokenizer loaded, whether or not its later stages are trained.

    Raises: WeightsError if the tokenizer has no weights.
    """
    from laban import checkpoint
    from laban.errors import WeightsError
    from laban.systems.registry import locate, resolve

    folder = locate(model)
    found = checkpoint.load(folder)
    system = resolve(found.config["system"]).restore(found, str(folder))
    if "tokenizer" not in found.stages:
        raise WeightsError(f"{folder}: stage 'tokenizer' has no weights. Train it first.")
    checkpoint.load_into(system.module("tokenizer"), found.stages["tokenizer"], f"{folder}/tokenizer")
    return system.eval()


def reconstructed(system: Any, features: np.ndarray, layers: int | None = None) -> np.ndarray:
    """(T, W) features, T a multiple of the stride -> (T, W) through the first `layers` quantizer layers."""
    import torch

    with torch.no_grad():
        motion = (torch.from_numpy(np.array(features, np.float32)) - system.mean) / system.std
        codes = system.tokenizer.encode(motion[None])[..., :layers]
        return (system.tokenizer.decode(codes)[0] * system.std + system.mean).numpy()


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("reconstruction by the motion tokenizer")
    data_option(made)
    model_option(made)
    made.add_argument("--split", default="test")
    options = made.parse_args()

    from tqdm import tqdm

    from laban.data.corpus import Corpus
    from laban.motion import humanml

    system = open_tokenizer(options.model)
    corpus = Corpus.open(options.data)
    config = system.tokenizer.config
    records = [r for r in corpus.select(options.split, mirrored=False) if r.length >= config.stride]

    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "control: mean of all features": lambda f: np.repeat(corpus.mean[None], len(f), axis=0),
        "control: first frame held": lambda f: np.repeat(f[:1], len(f), axis=0),
    }
    for layers in range(1, config.quantizers + 1):
        ways[f"{layers} of {config.quantizers} layers"] = lambda f, n=layers: reconstructed(system, f, n)  # type: ignore[misc]

    aligned: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    world: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for record in tqdm(records, unit="clip", disable=None):
        frames = record.length // config.stride * config.stride
        features = np.array(corpus.features(record)[:frames])
        real = humanml.decode(features.astype(np.float64))
        for name, way in ways.items():
            made_joints = humanml.decode(way(features).astype(np.float64))
            difference = made_joints - real
            world[name].append(np.linalg.norm(difference, axis=-1).mean(-1))
            aligned[name].append(np.linalg.norm(difference - difference[:, :1], axis=-1).mean(-1))
    unit = 1e3 * corpus.layout.unit
    rows, figures = [], {}
    for name in ways:
        values = unit * np.concatenate(aligned[name])
        clips = unit * np.array([v.mean() for v in aligned[name]])
        drift = unit * float(np.concatenate(world[name]).mean())
        figures[name] = {"mpjpe_mm": float(values.mean()), "world_mm": drift}
        rows.append([name, f"{values.mean():.1f}", f"{np.median(clips):.1f}", f"{np.percentile(clips, 95):.1f}",
                     f"{drift:.1f}"])  # fmt: skip
    print(f"{len(records)} clips of the {options.split} split, {len(values)} frames, from {', '.join(corpus.names)}")
    print(table(["mm", "MPJPE", "clip median", "clip 95 %", "world"], rows))
    line, ok = goal("MPJPE, all layers", figures[list(ways)[-1]]["mpjpe_mm"], 30, " mm")
    print(line)
    return {"split": options.split, "clips": len(records), "rows": figures}, ok, options


if __name__ == "__main__":
    run(main)
