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
from laban.nn.masking import random_mask
from laban.nn.packed import Folded
from laban.nn.transformer import Head, Transformer, initialise
from laban.systems.momask.condition import Condition, Prefix, joint_validity
from laban.systems.momask.config import MoMaskConfig


class MaskedTransformer(nn.Module):
    """Source: MoMask (Guo et al., CVPR 2024), masked transformer, as released. Deviation: per-word memory tokens
    when TextConfig.tokens is set.
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
        self.trunk = Transformer(trunk)
        self.head = Head(trunk.width, self.codes)
        self.dropout = nn.Dropout(trunk.dropout)
        self.register_buffer("places", sinusoids(max(config.max_tokens, 256), trunk.width), persistent=False)
        self.folded = Folded()
        initialise(self)

    @property
    def mask_id(self) -> int:
        """The id of a hidden token."""
        return self.codes

    @property
    def pad_id(self) -> int:
        """The id of a position beyond the end."""
        return self.codes + 1

    def forward(self, ids: Tensor, condition: Condition, valid: Tensor | None = None) -> Tensor:
        """Logits of the base layer.

        Args:
            ids: (B, N) int64, MASK and PAD ids included.
            valid: (B, N) bool, True where real; None: all are.
        Returns: (B, N, K).
        """
        x = self.dropout(self.enter(self.embedding(ids)) + self.places[: ids.shape[1]])
        prefix, prefix_valid = self.prefix(condition)
        if valid is None and prefix_valid is not None:
            valid = torch.ones_like(ids, dtype=torch.bool)
        every = joint_validity(prefix, prefix_valid, valid)
        y = self.trunk(torch.cat([prefix, x], 1), every)
        return self.head(y[:, prefix.shape[1] :])

    def loss(
        self, base: Tensor, valid: Tensor, condition: Condition, generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Cross entropy and accuracy on hidden positions.

        Args: base: (B, N) int64 tokens of layer 0, anything where not valid.
        """
        settings = self.settings
        hidden = random_mask(valid, generator, self.longest)
        dice = torch.rand(2, *base.shape, generator=generator, device=base.device)
        other = torch.randint(0, self.codes, base.shape, generator=generator, device=base.device)
        scramble = hidden & (dice[0] < settings.random_token)
        blank = hidden & ~scramble & (dice[1] < settings.mask_token)
        ids = torch.where(valid, base, self.pad_id)
        ids = torch.where(scramble, other, ids)
        ids = torch.where(blank, self.mask_id, ids)
        if self.training:
            lost = torch.rand(len(base), generator=generator, device=base.device)
            condition = condition.dropped(lost < settings.condition_dropout)
        logits = self(ids, condition, valid)[hidden]
        target = base[hidden]
        loss = F.cross_entropy(logits, target)
        accuracy = (logits.detach().argmax(-1) == target).float().mean()
        return {"loss": loss, "accuracy": accuracy}
