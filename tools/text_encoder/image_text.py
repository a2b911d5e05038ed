"""Train a small image-text model on renders of the mannequin and keep every clip's picture vectors.

    python tools/text_encoder/image_text.py PREPARED pictures.npz [--clips 600] [--steps 400]

The vectors are what `image_features` of MotionCLIP's configuration takes. One moment of each clip is seen from three
sides; the pictures are kept beside the output, so a second run does not draw them again. Scores are on held-out clips,
beside a control whose captions were shuffled before training.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

import laban
from laban.condition.text import SmallTextEncoder
from laban.data.corpus import Corpus
from laban.metrics.retrieval import chance_at, recall_at
from laban.systems.motionclip import evaluation
from laban.systems.motionclip.pictures import ImageEncoder, render, train, write_features

SIZE = 64


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("data", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--clips", type=int, default=600)
    made.add_argument("--steps", type=int, default=400)
    options = made.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus.open(options.data)
    records = {split: spread(evaluation.held_out(corpus, split), count) for split, count in
               (("train", options.clips), ("test", options.clips // 3))}  # fmt: skip
    pictures = {
        split: drawn(corpus, rs, options.out.with_suffix(f".{split}.pictures.npy")) for split, rs in records.items()
    }
    encoder = SmallTextEncoder.load()
    captions = sorted({r.captions[0] for rs in records.values() for r in rs})
    pooled = encoder.encode(captions).pooled
    texts = torch.nn.functional.normalize(pooled - pooled.mean(0), dim=-1)
    owners = torch.tensor(
        [captions.index(r.captions[0]) for r in records["train"] for _ in range(pictures["train"].shape[1])]
    )
    flat = pictures["train"].flatten(0, 1)
    said = [r.captions for r in records["test"]]
    matches = np.array([[a[0] in b for b in said] for a in said])
    queries = texts[[captions.index(c[0]) for c in said]]
    print("| pictures to captions of held-out clips | R@1 | R@5 | R@10 |\n|---|---:|---:|---:|")
    for name, own in (("trained", owners), ("control: captions shuffled", owners[torch.randperm(len(owners))])):
        begun = time.process_time()
        model = train(flat, texts, own, options.steps)
        vectors = embedded(model, pictures["test"]).mean(1)
        row = recall_at((queries @ vectors.T).numpy(), matches, (1, 5, 10))
        print(
            f"| {name} ({time.process_time() - begun:.0f} s of CPU) | "
            + " | ".join(f"{row[k]:.3f}" for k in row)
            + " |"
        )
        if name == "trained":
            kept = embedded(model, pictures["train"])
            write_features(options.out, {r.id: v for r, v in zip(records["train"], kept, strict=True)})
    row = chance_at(matches, (1, 5, 10))
    print("| chance | " + " | ".join(f"{row[k]:.3f}" for k in row) + " |")
    print(f"{len(records['train'])} clips to train on, {len(records['test'])} to test; {options.out}")


def spread(records: list, count: int) -> list:
    """`count` of them, evenly."""
    return [records[i] for i in np.unique(np.linspace(0, len(records) - 1, count).astype(int))]


def drawn(corpus: Corpus, records: list, place: Path) -> torch.Tensor:
    """(N, V, 64, 64) in [0, 1]: the middle of each clip."""
    if place.exists():
        kept = np.load(place)
        if len(kept) == len(records):
            return torch.from_numpy(kept).float() / 255
    begun, rows = time.process_time(), []
    for r in records:
        pose = np.asarray(corpus.joints(r)[r.length // 2 : r.length // 2 + 1], np.float64)
        rows.append(render(laban.Motion.from_joints(pose, corpus.fps), 0, SIZE).mean(-1).astype(np.uint8))
    np.save(place, np.stack(rows))
    views = rows[0].shape[0]
    spent = 1000 * (time.process_time() - begun) / (len(rows) * views)
    print(f"{len(rows)} x {views} pictures, {spent:.1f} ms of CPU each")
    return torch.from_numpy(np.stack(rows)).float() / 255


@torch.no_grad()
def embedded(model: ImageEncoder, pictures: torch.Tensor) -> torch.Tensor:
    """(N, V, 64, 64) -> (N, V, W)."""
    return model(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])


if __name__ == "__main__":
    main()
