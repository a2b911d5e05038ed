"""The residual transformer: predicts layer q of the tokens from the layers below it and the text.

Released key layout -> ours: token_embed_weight_ -> first (1, K+1, D), embed_proj_shared_weight -> shared
(Q-2, K+1, D), output_proj_weight_ -> final (1, K+1, D), quant_emb -> layer, the rest as in masked.py.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.dropout import Dropout
from laban.nn.local import LocalTransformer
from laban.nn.packed import Folded
from laban.nn.transformer import Head, Transformer, initialise
from laban.systems.momask.condition import Condition, Prefix, joint_validity
from laban.systems.momask.config import MoMaskConfig


class ResidualTransformer(nn.Module):
    """Layer q = 1 ... Q-1 from layers 0 ... q-1, all positions at once.

    Tying: input tables of layers 0 ... Q-2 are [first, shared...], output tables of layers 1 ... Q-1 are
    [shared..., final], so layer j's embedding is layer j's projection for 1 <= j <= Q-2. Every table has K + 1 rows,
    the last being padding.
    Source: MoMask (Guo et al., CVPR 2024), residual transformer, as released. Deviation: with a "local" trunk
    (laban/nn/local.py) the condition and the layer's number are added to every token too.
    """

    places: Tensor

    def __init__(self, config: MoMaskConfig) -> None:
        super().__init__()
        self.settings = config.residual
        self.codes = config.tokenizer.codes
        self.quantizers = config.tokenizer.quantizers
        trunk = config.residual.transformer
        d, k = config.tokenizer.code_width, self.codes + 1
        self.first = nn.Parameter(torch.empty(1, k, d).normal_(0, 0.02))
        self.shared = nn.Parameter(torch.empty(max(self.quantizers - 2, 0), k, d).normal_(0, 0.02))
        self.final = nn.Parameter(torch.empty(1, k, d).normal_(0, 0.02))
        self.enter = nn.Linear(d, trunk.width)
        self.prefix = Prefix(config.text, trunk.width)
        self.layer = nn.Linear(self.quantizers, trunk.width)
        self.local = trunk.kind == "local"
        self.trunk = LocalTransformer(trunk) if self.local else Transformer(trunk)
        self.head = Head(trunk.width, d)
        self.dropout = Dropout(trunk.dropout)
        self.register_buffer("places", sinusoids(max(config.max_tokens, 256), trunk.width), persistent=False)
        self.folded = Folded()
        initialise(self)

    def begin(self, codes: Tensor) -> None:
        """Start the tables of layers 0 ... Q-2 as the tokenizer's codes (Q, K, D), at the size that they had."""
        with torch.no_grad():
            size = self.first.std() / codes.std((1, 2), keepdim=True).clamp_min(1e-6)
            tables = codes * size
            self.first[0, : self.codes] = tables[0]
            self.shared[:, : self.codes] = tables[1:-1]
            self.final[0, : self.codes] = tables[-1]

    @property
    def pad_id(self) -> int:
        """The class of a position beyond the end."""
        return self.codes

    def inputs(self) -> Tensor:
        """(Q-1, K+1, D) tables that embed layers 0 ... Q-2."""
        return torch.cat([self.first, self.shared])

    def outputs(self) -> Tensor:
        """(Q-1, K+1, D) tables that score layers 1 ... Q-1."""
        return torch.cat([self.shared, self.final])

    def output(self, q: int) -> Tensor:
        """(K+1, D) the table that scores layer q."""
        return self.shared[q - 1] if q <= len(self.shared) else self.final[0]

    def embed(self, codes: Tensor, q: int) -> Tensor:
        """(B, N) int64 ids of layer q, PAD included -> (B, N, D)."""
        return F.embedding(codes, self.first[0] if q == 0 else self.shared[q - 1])

    def forward(self, below: Tensor, q: Tensor, condition: Condition, valid: Tensor | None = None) -> Tensor:
        """Logits of layer q.

        Args:
            below: (B, N, D) sum of the embeddings of layers 0 ... q-1.
            q: (B,) int64 in 1 ... Q-1.
            condition: of B texts.
            valid: (B, N) bool, True where real; None: all are.
        Returns: (B, N, K + 1).
        """
        prefix, prefix_valid = self.prefix(condition)
        place = prefix[:, :1] if self.local else self.places[: below.shape[1]]
        x = self.dropout(self.enter(below) + place)
        which = self.layer(F.one_hot(q, self.quantizers).to(below.dtype))[:, None]
        if valid is None and prefix_valid is not None:
            valid = torch.ones(below.shape[:2], dtype=torch.bool, device=below.device)
        if valid is not None:
            valid = torch.cat([torch.ones_like(valid[:, :1]), valid], 1)
        every = joint_validity(prefix, prefix_valid, valid)
        if self.local:
            x = x + which
        y = self.trunk(torch.cat([prefix, which, x], 1), every, prefix.shape[1] + 1)
        hidden = self.head(y[:, prefix.shape[1] + 1 :])
        return hidden @ self.outputs()[q - 1].transpose(1, 2)

    def loss(
        self, codes: Tensor, valid: Tensor, condition: Condition, generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Cross entropy and accuracy of one layer per sample, lower layers preferred.

        Args:
            codes: (B, N, Q) int64, anything where not valid.
        """
        b = len(codes)
        u = torch.rand(b, generator=generator, device=codes.device)
        q = ((1 - torch.cos(u * (math.pi / 2))) * (self.quantizers - 2)).round().to(torch.int64) + 1
        ids = torch.where(valid[..., None], codes, self.pad_id)
        tables = self.inputs()
        layers = torch.stack([F.embedding(ids[..., j], tables[j]) for j in range(self.quantizers - 1)], 1)
        wanted = torch.arange(self.quantizers - 1, device=codes.device) < q[:, None]
        below = (layers * wanted[:, :, None, None]).sum(1)
        if self.training:
            lost = torch.rand(b, generator=generator, device=codes.device)
            condition = condition.dropped(lost < self.settings.condition_dropout)
        logits = self(below, q, condition, valid)[valid]
        target = ids.gather(2, q[:, None, None].expand(-1, ids.shape[1], 1))[..., 0][valid]
        loss = F.cross_entropy(logits, target)
        accuracy = (logits.detach().argmax(-1) == target).float().mean()
        return {"loss": loss, "accuracy": accuracy}
