"""Does a masked model read what stands beside a hidden token? Cross entropy by how much is hidden, by class.

    python benchmarks/context.py [--models kmm momask] [--data data/prepared] [--split test]

Nats per hidden token, mean over the clips of the split and class (ln 512 = 6.24 is guessing): one token hidden, a run
of four, a random half, and all. A model that reads its neighbours gets better from right to left in every class; the
weights shipped until 2026-11 did not on walks (docs/method/momask.md).
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from report import data_option, parser, run, table

CLASSES: dict[str, set[str]] = {
    "walk": {"walk", "walk-left", "walk-right", "carry"}, "turn": {"walk-turn-left", "walk-turn-right"},
    "backward": {"walk-back"}, "run": {"run", "dash"},
    "hands": {
        "raise-up-both-hands", "raise-up-left-hand", "raise-up-right-hand", "wave-both-hands", "wave-left-hand",
        "wave-right-hand", "bye", "byebye", "wave",
    },
    "stand": {"stand", "idle"}, "fight": {"kick", "punch", "back-fist", "elbow-strike", "slash", "stab"},
}  # fmt: skip
HIDDEN = ("one", "four", "half", "all")


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("cross entropy by how much is hidden")
    data_option(made)
    made.add_argument("--models", nargs="*", default=["kmm", "momask"], help="weights by name or folder")
    made.add_argument("--split", default="test")
    made.add_argument("--clips", type=int, default=40, help="clips per class")
    options = made.parse_args()

    import laban
    from laban.data.corpus import Corpus

    corpus = Corpus.open(options.data)
    records = [r for r in corpus.select(options.split, mirrored=False) if 24 <= r.length <= 196]
    groups = {
        name: [r for r in records if r.labels.get("action") in of][: options.clips] for name, of in CLASSES.items()
    }
    known = set().union(*CLASSES.values())
    groups["others"] = [r for r in records if r.labels.get("action") not in known][: options.clips]
    result: dict[str, Any] = {}
    passed = True
    for name in options.models:
        system = laban.load(name)
        rows = []
        for kind, members in groups.items():
            if not members:
                continue
            values = {h: float(np.mean([entropy(system, corpus, r, h) for r in members])) for h in HIDDEN}
            falls = all(values[a] < values[b] for a, b in zip(HIDDEN, HIDDEN[1:], strict=False))
            passed &= falls
            rows.append([kind, str(len(members)), *(f"{values[h]:.2f}" for h in HIDDEN), "yes" if falls else "NO"])
            result[f"{name}, {kind}"] = values
        print(f"\n{name}, {options.split} split: nats per hidden token")
        print(table(["", "clips", *HIDDEN, "falls with context"], rows))
    return result, passed, options


def entropy(system: Any, corpus: Any, record: Any, hidden: str) -> float:
    """Mean cross entropy of a clip's hidden base tokens, its first caption given."""
    import torch
    import torch.nn.functional as F

    from laban.nn.masking import probe_masks

    codes = base_tokens(system, np.array(corpus.features(record), np.float32))
    valid = torch.ones(1, len(codes), dtype=torch.bool)
    mask = probe_masks(valid, torch.Generator().manual_seed(record.start))[hidden]
    pooled = system.text_encoder.encode([record.captions[0]]).pooled
    ids = torch.where(mask, system.masked.mask_id, codes[None])
    with torch.no_grad():
        logits = predicted(system, ids, pooled)
    return float(F.cross_entropy(logits[mask], codes[None][mask]))


def base_tokens(system: Any, features: np.ndarray) -> Any:
    """(N,) tokens of layer 0, by the tokenizer that the system uses."""
    import torch

    values = torch.from_numpy(features)[None]
    if system.name == "kmm":
        return system.frozen.encode(values[:, : values.shape[1] // 4 * 4])[0][0, :, 0]
    stride = system.config.tokenizer.stride
    values = values[:, : values.shape[1] // stride * stride]
    return system.tokenizer.encode((values - system.mean) / system.std)[0, :, 0]


def predicted(system: Any, ids: Any, pooled: Any) -> Any:
    """(1, N, K) logits of the masked model, the whole clip being one line or one motion."""
    import torch

    if system.name == "momask":
        from laban.systems.momask.condition import Condition

        return system.masked(ids, Condition(pooled))
    from laban.systems.kmm.networks import Conditions

    count = ids.shape[1]
    since = torch.arange(count)[None]
    latent = system.masked.text(pooled)[:, None].expand(1, count, -1)
    return system.masked(ids, Conditions(latent, since, count - since), None, count)[0]


if __name__ == "__main__":
    run(main)
