"""The masked transformer: predicts hidden tokens of the base layer from the others and the text.

Released key layout -> ours: token_emb -> embedding, input_process.poseEmbedding -> enter,
position_enc.pe -> (computed), seqTransEncoder -> trunk (see nn/transformer.py), cond_emb -> prefix.pooled,
output_process -> head. Every clip_model.* key has no counterpart.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.dropout import Dropout
from laban.nn.local import LocalTransformer
from laban.nn.masking import mixed_mask, probe_masks, random_mask
from laban.nn.packed import Folded
from laban.nn.transformer import Head, Transformer, initialise
from laban.systems.momask.condition import Condition, Prefix, joint_validity
from laban.systems.momask.config import MoMaskConfig


class MaskedTransformer(nn.Module):
    """Source: MoMask (Guo et al., CVPR 2024), masked transformer, as released. Deviations: per-word memory tokens
    when TextConfig.tokens is set; with a "local" trunk also what laban/nn/local.py says, the condition and the place
    in the clip added to every token, and embeddings that start as the tokenizer's codes.
    """

    places: Tensor

    def __init__(self, config: MoMaskConfig) -> None:
        super().__init__()
        self.settings = config.masked
        self.codes = config.tokenizer.codes
        self.longest = config.max_tokens if config.masked.mask_by == "longest" else None
        trunk = config.masked.transformer
        self.embedding = nn.Embedding(self.codes + 2, config.tokenizer.code_width)
        self.enter = nn.Linear(config.tokenizer.code_width, trunk.width)
        self.prefix = Prefix(config.text, trunk.width)
        self.local = trunk.kind == "local"
        self.trunk = LocalTransformer(trunk) if self.local else Transformer(trunk)
        self.clip_place = ClipPlace(config, trunk.width) if self.local else None
        self.head = Head(trunk.width, self.codes)
        self.dropout = Dropout(trunk.dropout)
        self.register_buffer("places", sinusoids(max(config.max_tokens, 256), trunk.width), persistent=False)
        self.folded = Folded()
        initialise(self)

    def begin(self, codes: Tensor) -> None:
        """Start the embedding as the tokenizer's codes (K, D) at unit size: near codes are then near tokens."""
        with torch.no_grad():
            self.embedding.weight[: self.codes] = codes / codes.std().clamp_min(1e-6)

    @property
    def mask_id(self) -> int:
        """The id of a hidden token."""
        return self.codes

    @property
    def pad_id(self) -> int:
        """The id of a position beyond the end."""
        return self.codes + 1

    def forward(
        self, ids: Tensor, condition: Condition, valid: Tensor | None = None, place: Tensor | None = None
    ) -> Tensor:
        """Logits of the base layer.

        Args:
            ids: (B, N) int64, MASK and PAD ids included.
            condition: of B texts.
            valid: (B, N) bool, True where real; None: all are.
            place: (B, N, 2) int64 tokens since the clip began and until it ends, -1 where that is unknown; None: the
                ids are a whole clip. Only a local trunk reads it.
        Returns: (B, N, K).
        """
        x = self.enter(self.embedding(ids))
        prefix, prefix_valid = self.prefix(condition)
        if self.clip_place is None:
            x = x + self.places[: ids.shape[1]]
        else:
            x = x + prefix[:, :1] + self.clip_place(whole(ids, valid) if place is None else place)
        x = self.dropout(x)
        if valid is None and prefix_valid is not None:
            valid = torch.ones_like(ids, dtype=torch.bool)
        every = joint_validity(prefix, prefix_valid, valid)
        y = self.trunk(torch.cat([prefix, x], 1), every, prefix.shape[1])
        return self.head(y[:, prefix.shape[1] :])

    def loss(
        self,
        base: Tensor,
        valid: Tensor,
        condition: Condition,
        generator: torch.Generator | None,
        place: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Cross entropy and accuracy on hidden positions; in evaluation also by how much is hidden.

        Args:
            base: (B, N) int64 tokens of layer 0, anything where not valid.
            place: as in `forward`.
        """
        settings = self.settings
        if settings.near > 0:
            hidden = mixed_mask(valid, settings.near, generator)
        else:
            hidden = random_mask(valid, generator, self.longest)
        dice = torch.rand(2, *base.shape, generator=generator, device=base.device)
        other = torch.randint(0, self.codes, base.shape, generator=generator, device=base.device)
        scramble = hidden & (dice[0] < settings.random_token)
        blank = hidden & ~scramble & (dice[1] < settings.mask_token)
        real = torch.where(valid, base, self.pad_id)
        ids = torch.where(blank, self.mask_id, torch.where(scramble, other, real))
        if self.training:
            lost = torch.rand(len(base), generator=generator, device=base.device)
            condition = condition.dropped(lost < settings.condition_dropout)
            if place is not None:
                blind = torch.rand(len(base), generator=generator, device=base.device) < settings.place_dropout
                place = place.masked_fill(blind[:, None, None], -1)
        logits = self(ids, condition, valid, place)[hidden]
        target = base[hidden]
        loss = F.cross_entropy(logits, target, label_smoothing=settings.smoothing if self.training else 0.0)
        accuracy = (logits.detach().argmax(-1) == target).float().mean()
        named = {"loss": loss, "accuracy": accuracy}
        if not self.training:
            for name, probe in probe_masks(valid, generator).items():
                seen = self(torch.where(probe, self.mask_id, real), condition, valid, place)[probe]
                named[f"hidden_{name}"] = F.cross_entropy(seen, base[probe])
        return named


class ClipPlace(nn.Module):
    """Tokens since a clip began and until it ends -> what is added to each token. As KMM's lines have it: a gesture
    begins and ends in a stance, wherever a window of it is cut.
    """

    table: Tensor

    def __init__(self, config: MoMaskConfig, width: int) -> None:
        super().__init__()
        self.limit = config.max_tokens + 15
        self.out = nn.Linear(64, width, bias=False)
        self.register_buffer("table", sinusoids(self.limit + 1, 32), persistent=False)

    def forward(self, place: Tensor) -> Tensor:
        """(B, N, 2) int64, -1 where it is unknown -> (B, N, D)."""
        rows = self.table[place.clamp(0, self.limit)] * (place >= 0)[..., None]
        return self.out(rows.flatten(-2).to(self.out.weight.dtype))


def whole(ids: Tensor, valid: Tensor | None) -> Tensor:
    """(B, N, 2) places of whole clips."""
    since = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    count = torch.full_like(ids[:, :1], ids.shape[1]) if valid is None else valid.sum(-1, keepdim=True)
    return torch.stack([since, (count - since).clamp_min(0)], -1)
