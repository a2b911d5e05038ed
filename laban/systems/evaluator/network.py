"""The two encoders, and the loss that brings texts and motions together."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.transformer import Transformer, initialise
from laban.systems.evaluator.config import EvaluatorConfig

PARTS = 4  # groups of a batch, by length, that are encoded without each other's padding


class Pool(nn.Module):
    """(B, N, D), (B, N) bool -> (B, D): a weighted mean, the weights learned from the values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        weight = self.score(x).squeeze(-1).float().masked_fill(~valid, -torch.inf).softmax(-1)
        return (weight[..., None].to(x.dtype) * x).sum(1)


class CoEmbedding(nn.Module):
    """Motions and captions to unit vectors; a motion lies near its captions.

    After TMR (Petrovich et al. 2023): a transformer per side and a contrastive loss in which alike captions are no
    negatives. Deviations: alike means that the caption is also one of the other clip's own, which needs no language
    model; no decoder and no variational part, since nothing is generated from it.
    """

    places: Tensor

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.motion.width
        self.patch = nn.Linear(config.patch * config.features, width)
        self.motion = Transformer(config.motion)
        self.motion_pool = Pool(width)
        self.motion_out = nn.Linear(width, config.embedding)
        self.words = nn.Embedding(config.buckets, config.text.width, padding_idx=0)
        self.text = Transformer(config.text)
        self.text_pool = Pool(config.text.width)
        self.text_out = nn.Linear(config.text.width, config.embedding)
        self.scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))
        initialise(self)
        nn.init.normal_(self.words.weight, std=0.2)
        with torch.no_grad():
            self.words.weight[0].zero_()
        longest = max(config.words, config.longest // config.patch + 1)
        self.register_buffer("places", sinusoids(longest, max(width, config.text.width)), persistent=False)

    def embed_motions(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Args: features (B, T, W) normalised; lengths (B,) frames, `patch` to T. Returns: (B, E) of length 1.

        A remainder of less than a patch is not seen, nor is what follows a clip's end.
        """
        c = self.config
        count = features.shape[1] // c.patch
        patches = features[:, : count * c.patch].reshape(len(features), count, -1)
        valid = torch.arange(count, device=features.device) < (lengths // c.patch)[:, None]
        x = self.patch(patches) + self.places[:count, : c.motion.width]
        x = self.motion(F.dropout(x, c.motion.dropout, self.training), valid)
        return F.normalize(self.motion_out(self.motion_pool(x, valid)).float(), dim=-1)

    def embed_texts(self, rows: Tensor) -> Tensor:
        """Args: rows (B, N, groups) int64 as `text.table` makes them. Returns: (B, E) of length 1."""
        c = self.config
        valid = rows[..., 0] > 0
        count = (rows > 0).sum(-1, keepdim=True).clamp_min(1)
        x = self.words(rows).sum(-2) / count.sqrt() + 0.3 * self.places[: rows.shape[1], : c.text.width]
        x = self.text(F.dropout(x, c.text.dropout, self.training), valid)
        return F.normalize(self.text_out(self.text_pool(x, valid)).float(), dim=-1)

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Symmetric cross entropy over a batch, sorted by length; `alike` pairs other than a row's own are left out."""
        lengths, step = batch["lengths"], -(-len(batch["lengths"]) // PARTS)
        motions = torch.cat(
            [
                self.embed_motions(batch["motion"][at : at + step, : int(lengths[at : at + step].max())], part)
                for at in range(0, len(lengths), step)
                for part in [lengths[at : at + step]]
            ]
        )
        texts = self.embed_texts(batch["rows"])
        own = torch.eye(len(texts), dtype=torch.bool, device=texts.device)
        logits = texts @ motions.T * self.scale.exp().clamp(max=100.0)
        logits = logits.masked_fill(batch["alike"] & ~own, -torch.inf)
        target = torch.arange(len(texts), device=texts.device)
        loss = 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
        with torch.no_grad():
            hit = (logits.argmax(-1) == target).float().mean()
        return {"loss": loss, "top1": hit, "temperature": (-self.scale.detach()).exp()}
