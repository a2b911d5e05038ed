"""Two text-motion encoders that share nothing with the generator, and what they say of generated stretches.

Trained on real train clips alone, by the symmetric contrastive loss, with different seeds: a gain that only one of them
sees is none. Beside every score stand real held-out stretches, a split-half of real against real, and shuffled texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MotionEncoder(nn.Module):
    """Normalised features (B, T, W), T a multiple of 4 -> (B, 128) unit vectors; a projection for texts beside it."""

    def __init__(self, width: int, text: int, hidden: int = 128, out: int = 64) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, hidden, 4, stride=2, padding=1)
        self.second = nn.Conv1d(hidden, hidden, 4, stride=2, padding=1)
        self.over = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.motion, self.text = nn.Linear(4 * hidden, out), nn.Linear(text, out)

    def forward(self, features: Tensor) -> Tensor:
        x = F.gelu(self.second(F.gelu(self.first(features.transpose(1, 2))))).transpose(1, 2)
        states, _ = self.over(x)
        return F.normalize(self.motion(torch.cat([states.mean(1), states.amax(1)], -1)), dim=-1)

    def texts(self, pooled: Tensor) -> Tensor:
        return F.normalize(self.text(pooled), dim=-1)


class Encoder:
    """A trained encoder with the statistics of its input."""

    def __init__(self, network: MotionEncoder, mean: np.ndarray, std: np.ndarray, text_encoder: Any) -> None:
        self.network, self.mean, self.std, self.text_encoder = network.eval(), mean, std, text_encoder

    @classmethod
    def trained(cls, corpus: Any, text_encoder: Any, path: Path, seed: int, steps: int, batch: int = 48) -> Encoder:
        """Read from `path`, or trained and written there."""
        from safetensors.torch import load_file, save_file

        network = MotionEncoder(len(corpus.mean), text_encoder.width)
        if path.exists():
            network.load_state_dict(load_file(path))
            return cls(network, corpus.mean, corpus.std, text_encoder)
        torch.manual_seed(seed)
        network = MotionEncoder(len(corpus.mean), text_encoder.width)
        records = [r for r in corpus.select("train") if r.captions and r.length >= 24]
        rng = np.random.default_rng(seed)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            picks = [records[i] for i in rng.integers(len(records), size=batch)]
            length = int(rng.choice([24, 40, 64, 96]))
            rows, texts = [], []
            for record in picks:
                features = (np.asarray(corpus.features(record)) - corpus.mean) / corpus.std
                at = int(rng.integers(max(1, len(features) - length + 1)))
                part = features[at : at + length]
                rows.append(np.pad(part, ((0, length - len(part)), (0, 0)), mode="edge"))
                texts.append(record.captions[int(rng.integers(len(record.captions)))])
            motion = network(torch.from_numpy(np.stack(rows)).float())
            logits = network.texts(text_encoder.encode(texts).pooled) @ motion.T / 0.07
            groups = np.array([hash(r.captions) for r in picks])
            same = torch.from_numpy((groups[:, None] == groups[None]) & ~np.eye(batch, dtype=bool))
            logits = logits.masked_fill(same, float("-inf"))
            target = torch.arange(batch)
            loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(network.state_dict(), path)
        return cls(network, corpus.mean, corpus.std, text_encoder)

    @torch.no_grad()
    def motions(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Features (T, W) each, in their own units -> (N, 64)."""
        rows = []
        for f in features:
            normal = (f[: len(f) // 4 * 4] - self.mean) / self.std
            rows.append(self.network(torch.from_numpy(normal).float()[None])[0].numpy())
        return np.stack(rows)

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 64)."""
        return self.network.texts(self.text_encoder.encode(list(texts)).pooled).numpy()


def scores(
    encoder: Encoder, features: Sequence[np.ndarray], texts: Sequence[str], real: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """R-precision (top 3 of 32, duplicates removed), the same with shuffled texts, distance of pairs, FID, diversity.

    Args: features, texts: of the stretches. real: (N, 64) embeddings of real held-out stretches.
    """
    from laban.metrics.embedding import diversity, multimodal_distance, r_precision
    from laban.metrics.frechet import frechet

    motion, text = encoder.motions(features), encoder.texts(texts)
    order = np.random.default_rng(seed).permutation(len(texts))
    pool = min(32, len(texts))
    found = {
        "R3": float(r_precision(text, motion, list(texts), pool=pool)[-1]),
        "R3 shuffled": float(r_precision(text[order], motion, [texts[i] for i in order], pool=pool)[-1]),
        "MM": float(multimodal_distance(text, motion)),
        "FID": float(frechet(real, motion)),
    }
    if len(motion) > 20:
        found["diversity"] = float(diversity(motion, min(300, len(motion) // 2), seed))
    return found
