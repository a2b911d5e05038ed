"""Our own small text-video score: two encoders trained to agree on pairs. It ranks samples; it is not CLIP."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.systems.godiva.config import GodivaConfig
from laban.systems.godiva.words import SPECIAL


class Score(nn.Module):
    """Cosine of a video's and a caption's embedding. Source: none, it is ours.

    The video encoder mixes neighbouring frames by convolutions over space and over time; the caption encoder is one
    layer of self-attention over words with positions, since "up then down" and "down then up" have the same words.
    """

    def __init__(self, config: GodivaConfig) -> None:
        super().__init__()
        c, e = config.score, config.score.embedding
        self.temperature = c.temperature
        w = c.width
        self.space = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1)
            for a, b in ((config.frames.channels, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 4 * w))
        )
        side = -(-config.frames.size // 16)
        self.frame = nn.Linear(4 * w * side * side, e)
        self.time = nn.Conv1d(e, 2 * e, 3, padding=1)
        self.video = nn.Linear(2 * e * config.frames.count, e)
        self.words = nn.Embedding(len(SPECIAL) + len(config.text.words), e)
        self.places = nn.Embedding(config.text.max_words + 1, e)
        self.mix = nn.MultiheadAttention(e, 4, batch_first=True)
        self.text = nn.Sequential(nn.Linear(2 * e, 2 * e), nn.GELU(), nn.Linear(2 * e, e))

    def embed_videos(self, videos: Tensor) -> Tensor:
        """(B, L, C, S, S) normalised -> (B, E) of length 1."""
        b, frames = videos.shape[:2]
        x = videos.flatten(0, 1)
        for layer in self.space:
            x = F.gelu(layer(x))
        x = F.gelu(self.frame(x.flatten(1))).reshape(b, frames, -1).transpose(1, 2)
        x = F.gelu(self.time(x)).flatten(1)
        return F.normalize(self.video(x).float(), dim=-1)

    def embed_texts(self, words: Tensor, valid: Tensor) -> Tensor:
        """(B, N) int64, (B, N) bool -> (B, E) of length 1."""
        x = self.words(words) + self.places.weight[: words.shape[1]]
        mixed, _ = self.mix(x, x, x, key_padding_mask=~valid, need_weights=False)
        keep = valid[..., None]
        total = keep.sum(1)
        both = torch.cat([(x * keep).sum(1) / total, (F.gelu(x + mixed) * keep).sum(1) / total], -1)
        return F.normalize(self.text(both).float(), dim=-1)

    def loss(self, videos: Tensor, words: Tensor, valid: Tensor) -> dict[str, Tensor]:
        """Cross entropy over the batch both ways; equal captions share the target."""
        scores = self.embed_videos(videos) @ self.embed_texts(words, valid).T / self.temperature
        same = (words[:, None] == words[None]).all(-1).float()
        target = same / same.sum(-1, keepdim=True)
        loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
        hit = same.gather(1, scores.detach().argmax(1, keepdim=True)).mean()
        return {"loss": loss, "hit": hit}
