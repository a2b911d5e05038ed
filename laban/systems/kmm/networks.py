"""KMM's networks: the masked model of the base layer with its text alignment, and the residual model above it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.dropout import dropout
from laban.nn.frozen import FrozenTokenizer
from laban.nn.transformer import Head
from laban.systems.kmm import masks
from laban.systems.kmm.config import KMMConfig, TextConfig
from laban.systems.kmm.trunk import State, Trunk


@dataclass
class Conditions:
    """The condition of every token: latent (B, L, T) of its line's text, since and left (B, L) int64 tokens.

    since counts the tokens of the line before it, left those from it to the line's end, itself included.
    """

    latent: Tensor
    since: Tensor
    left: Tensor

    def part(self, start: int, stop: int) -> Conditions:
        """Some of the tokens."""
        return Conditions(self.latent[:, start:stop], self.since[:, start:stop], self.left[:, start:stop])


class TextTower(nn.Module):
    """Pooled text features to the latents that trunk and contrastive loss read; a learned latent stands for no text."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.width, config.latent)
        self.out = nn.Linear(config.latent, config.latent)
        self.blank = nn.Parameter(torch.zeros(config.latent))

    def forward(self, pooled: Tensor) -> Tensor:
        """(..., W) -> (..., T)."""
        return self.out(F.gelu(self.up(pooled)))


class Conditioning(nn.Module):
    """Conditions -> (B, L, D) to add to the tokens."""

    table: Tensor

    def __init__(self, config: TextConfig, width: int) -> None:
        super().__init__()
        self.limit = config.clock
        self.latent = nn.Linear(config.latent, width)
        self.clock = nn.Linear(64, width, bias=False)
        self.register_buffer("table", sinusoids(config.clock + 1, 32), persistent=False)

    def forward(self, conditions: Conditions) -> Tensor:
        since, left = (self.table[t.clamp(0, self.limit)] for t in (conditions.since, conditions.left))
        return self.latent(conditions.latent) + self.clock(torch.cat([since, left], -1))


class MaskedModel(nn.Module):
    """Hidden tokens of the base layer from the others, the text of every line, and the past.

    Source: KMM (arXiv 2411.06481). Everything that the paper leaves open is said in config.py.
    """

    def __init__(self, config: KMMConfig, frozen: FrozenTokenizer) -> None:
        super().__init__()
        self.config = config
        self.codes = frozen.config.codes
        width, code = config.trunk.width, frozen.config.code_width
        tables = frozen.tables()
        self.embedding = nn.Embedding(self.codes + 1, code)
        with torch.no_grad():  # start from the tokenizer's own rows, at unit size
            self.embedding.weight[: self.codes] = tables[0] / tables[0].std().clamp_min(1e-6)
        self.enter = nn.Linear(code, width)
        self.text = TextTower(config.text)
        self.told = Conditioning(config.text, width)
        self.trunk = Trunk(config.trunk)
        self.head = Head(width, self.codes)
        self.align = Alignment(config, code) if config.align.weight > 0 else None

    @property
    def mask_id(self) -> int:
        """The id of a hidden token."""
        return self.codes

    def forward(
        self, ids: Tensor, conditions: Conditions, state: State | None = None, block: int | None = None
    ) -> tuple[Tensor, State]:
        """Args:
            ids: (B, L) int64, the mask's id included.
        Returns: logits (B, L, K) and the state after.
        """
        x = dropout(
            self.enter(self.embedding(ids)) + self.told(conditions), self.config.trunk.dropout, training=self.training
        )
        y, after = self.trunk(x, state, block)
        return self.head(y), after

    def loss(self, batch: dict[str, Tensor], rows: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Cross entropy on hidden tokens and the contrastive loss.

        Args:
            batch: as data.py draws it.
            rows: (B, L, D) code rows of all layers, for the motion tower.
            generator: of masks and dropped texts.
        """
        settings, config = self.config.mask, self.config
        base = batch["codes"][..., 0]
        b, length = base.shape
        device = base.device
        pick = int(torch.randint(len(config.blocks), (1,), generator=generator, device=device))
        block = config.blocks[pick]
        hidden = self._hidden(batch, block, generator)
        dice = torch.rand(2, b, length, generator=generator, device=device)
        other = torch.randint(0, self.codes, base.shape, generator=generator, device=device)
        scramble = hidden & (dice[0] < settings.random_token)
        blank = hidden & ~scramble & (dice[1] < settings.mask_token)
        ids = torch.where(blank, self.mask_id, torch.where(scramble, other, base))
        latent = self.text(batch["pooled"])
        conditions = self._conditions(batch, latent, generator)
        logits, _ = self(ids, conditions, None, block)
        chosen, target = logits[hidden], base[hidden]
        loss = F.cross_entropy(chosen, target)
        accuracy = (chosen.detach().argmax(-1) == target).float().mean()
        named = {"accuracy": accuracy, "tokens": loss.detach()}
        if self.align is not None:
            contrast = self.align(rows, batch["segment"], batch["group"], latent)
            named["contrast"] = contrast.detach()
            loss = loss + config.align.weight * contrast
        return {"loss": loss, **named}

    def _conditions(self, batch: dict[str, Tensor], latent: Tensor, generator: torch.Generator | None) -> Conditions:
        if self.training:
            lost = torch.rand(len(latent), generator=generator, device=latent.device) < self.config.condition_dropout
            latent = torch.where(lost[:, None, None], self.text.blank.to(latent.dtype), latent)
        which = batch["segment"][..., None].expand(-1, -1, latent.shape[-1])
        return Conditions(latent.gather(1, which), batch["since"], batch["left"])

    def _hidden(self, batch: dict[str, Tensor], block: int, generator: torch.Generator | None) -> Tensor:
        """(B, L) bool: each block by itself; some blocks are shown whole, but never the last."""
        settings = self.config.mask
        base = batch["codes"][..., 0]
        b, length = base.shape
        rows = b * (length // block)
        count = masks.counts(rows, block, None, generator, base.device)
        score, speed, codes = (t.reshape(rows, block) for t in (batch["score"], batch["speed"], base))
        hidden = masks.mask("random", count, score, speed, codes, generator)
        if settings.share > 0 and (settings.kind != "random" or settings.ratio is not None):
            if settings.ratio is not None:
                count = masks.counts(rows, block, settings.ratio, generator, base.device)
            named = masks.mask(settings.kind, count, score, speed, codes, generator)
            some = torch.rand(rows, generator=generator, device=base.device) < settings.share
            hidden = torch.where(some[:, None], named, hidden)
        shown = torch.rand(b, length // block, generator=generator, device=base.device) < settings.clean
        shown[:, -1] = False
        return (hidden.reshape(b, length // block, block) & ~shown[..., None]).reshape(b, length)


class Alignment(nn.Module):
    """Pulls the text of a stretch and its motion together, and other stretches apart.

    The motion tower reads the tokens alone: a state of the trunk would already hold the text. It has one convolution
    and is used in training only; what stays is the text tower, which the trunk shares. Stretches whose clips have the
    same captions are no negatives of each other.
    Source: the paper's sim = T'M / tau, symmetric cross entropy, 1/2 each; tau is learned. Which text layers train is
    not known: ours is the text tower, over frozen features.
    """

    def __init__(self, config: KMMConfig, code: int) -> None:
        super().__init__()
        self.shortest = config.align.shortest
        wide = config.text.latent
        self.enter = nn.Linear(code, wide)
        self.around = nn.Linear(3 * wide, wide)
        self.motion = nn.Linear(wide, config.align.width)
        self.text = nn.Linear(wide, config.align.width)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / config.align.temperature)))

    def towers(self, rows: Tensor, segment: Tensor, latent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Unit vectors of motion and text (B, S, A), and how many tokens (B, S) each stretch has.

        Args:
            rows: (B, L, D) code rows.
            segment: (B, L) which stretch a token belongs to.
            latent: (B, S, T).
        """
        x = F.gelu(self.enter(rows))
        edge = torch.zeros_like(x[:, :1])
        x = torch.cat([torch.cat([edge, x[:, :-1]], 1), x, torch.cat([x[:, 1:], edge], 1)], -1)
        x = F.gelu(self.around(x))
        member = F.one_hot(segment, latent.shape[1]).to(x.dtype)  # (B, L, S)
        size = member.sum(1)
        mean = member.transpose(1, 2) @ x / size[..., None].clamp_min(1)
        return F.normalize(self.motion(mean), dim=-1), F.normalize(self.text(latent), dim=-1), size

    def forward(self, rows: Tensor, segment: Tensor, group: Tensor, latent: Tensor) -> Tensor:
        """Scalar. group: (B, S) int64, equal for stretches with the same captions, -1 where there is no stretch."""
        motion, text, size = self.towers(rows, segment, latent)
        real = (group >= 0) & (size >= min(self.shortest, segment.shape[1]))
        motion, text, group = motion[real].float(), text[real].float(), group[real]
        if len(group) < 2:
            return motion.sum() * 0
        logits = self.log_scale.exp().clamp(max=100) * text @ motion.T
        same = (group[:, None] == group[None]) & ~torch.eye(len(group), dtype=torch.bool, device=group.device)
        logits = logits.masked_fill(same, float("-inf"))
        target = torch.arange(len(group), device=group.device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


class ResidualModel(nn.Module):
    """Layer q = 1 ... Q-1 of the tokens from the layers below it, the text and the past; all positions at once.

    Below are the tokenizer's own code rows, summed: what the decoder would see so far. The scores of a layer start as
    inner products with that layer's rows. Source: ours; MoMask's residual stage with this trunk.
    """

    rows: Tensor

    def __init__(self, config: KMMConfig, frozen: FrozenTokenizer) -> None:
        super().__init__()
        self.config = config
        self.codes, self.quantizers = frozen.config.codes, frozen.config.quantizers
        tables = frozen.tables()
        width = config.residual.width
        self.scale = float(1 / tables[0].std().clamp_min(1e-6))
        self.register_buffer("rows", tables.clone(), persistent=False)
        self.enter = nn.Linear(frozen.config.code_width, width)
        self.layer = nn.Embedding(self.quantizers, width)
        self.text = TextTower(config.text)
        self.told = Conditioning(config.text, width)
        self.trunk = Trunk(config.residual)
        self.head = Head(width, frozen.config.code_width)
        sizes = tables.std((1, 2), keepdim=True).clamp_min(1e-6)
        self.tables = nn.Parameter((tables / sizes)[1:].clone())  # (Q-1, K, D)
        self.bias = nn.Parameter(torch.zeros(self.quantizers - 1, self.codes))

    def embed(self, codes: Tensor, q: int) -> Tensor:
        """(B, L) tokens of layer q -> (B, L, D) their rows."""
        return F.embedding(codes, self.rows[q])

    def forward(
        self, below: Tensor, q: Tensor, conditions: Conditions, state: State | None = None, block: int | None = None
    ) -> tuple[Tensor, State]:
        """Args:
            below: (B, L, D) sum of rows of layers 0 ... q-1.
            q: (B,) int64.
        Returns: logits (B, L, K), state.
        """
        x = self.enter(below * self.scale) + self.told(conditions) + self.layer(q)[:, None]
        x = dropout(x, self.config.residual.dropout, training=self.training)
        y, after = self.trunk(x, state, block)
        wanted = self.head(y) / self.tables.shape[-1] ** 0.5
        logits = wanted @ self.tables[q - 1].transpose(1, 2) + self.bias[q - 1][:, None]
        return logits, after

    def loss(self, batch: dict[str, Tensor], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Cross entropy and accuracy of one layer per sample, lower layers preferred (MoMask's law)."""
        codes, config = batch["codes"], self.config
        b = len(codes)
        pick = int(torch.randint(len(config.blocks), (1,), generator=generator, device=codes.device))
        u = torch.rand(b, generator=generator, device=codes.device)
        q = ((1 - torch.cos(u * (math.pi / 2))) * (self.quantizers - 2)).round().to(torch.int64) + 1
        below = torch.zeros((), device=codes.device)
        for j in range(self.quantizers - 1):
            below = below + self.embed(codes[..., j], j) * (j < q)[:, None, None]
        latent = self.text(batch["pooled"])
        if self.training:
            lost = torch.rand(b, generator=generator, device=codes.device) < config.condition_dropout
            latent = torch.where(lost[:, None, None], self.text.blank.to(latent.dtype), latent)
        which = batch["segment"][..., None].expand(-1, -1, latent.shape[-1])
        conditions = Conditions(latent.gather(1, which), batch["since"], batch["left"])
        logits, _ = self(below, q, conditions, None, config.blocks[pick])
        target = codes.gather(2, q[:, None, None].expand(-1, codes.shape[1], 1))[..., 0]
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
        accuracy = (logits.detach().argmax(-1) == target).float().mean()
        return {"loss": loss, "accuracy": accuracy}
