"""A trained motion tokenizer out of another model's checkpoint folder, to build on and never to train.

A model over somebody else's tokens stores neither the tokenizer nor a copy of its statistics: it names the folder and
the digest, and is refused where that tokenizer is not the one it was trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from laban import checkpoint
from laban.config import from_dict
from laban.errors import InputError, WeightsError
from laban.motion import humanml
from laban.nn.config import TokenizerConfig
from laban.nn.quantize import RUNNING
from laban.nn.tokenizer import Tokenizer

ALIKE, MORE = 2, 4
"""Tokens that are compared, and that are thought to follow, at either end of a clip."""
STAGE = "tokenizer"
"""Buffers of the codebooks that only training uses; shipped weights lack them."""


class FrozenTokenizer:
    """Features in their own units to tokens and back.

    Attributes: tokenizer; mean, std (W,) of its normalisation; layout of the features; digest of weights and stats.
    """

    def __init__(self, tokenizer: Tokenizer, mean: Tensor, std: Tensor) -> None:
        self.tokenizer = tokenizer.eval().requires_grad_(False)
        self.mean, self.std = mean.float(), std.float()
        self.layout = humanml.layout_of(tokenizer.config.feature_width)
        kept = {k: v for k, v in tokenizer.state_dict().items() if not k.endswith(RUNNING)}
        self.digest = checkpoint.digest({**kept, "mean": self.mean, "std": self.std})
        config = tokenizer.config
        # How far the decoder sees to either side, in tokens: a frame depends on no token farther off.
        reach = sum(config.dilation_growth**i for i in range(config.depth))
        frames = config.stride + 2
        for i in range(config.halvings):
            frames += reach * (config.stride >> i) + (config.stride >> (i + 1))
        self.reach = -(-(frames + config.stride - 1) // config.stride)

    @classmethod
    def load(cls, folder: str | Path) -> FrozenTokenizer:
        """The tokenizer stage of a checkpoint folder, as `laban train momask` and the shipped weights have it.

        Raises: WeightsError if the folder has none, or it is damaged.
        """
        facts = checkpoint.read_config(folder)
        described = facts.get("config")
        if STAGE not in facts["stages"] or not isinstance(described, dict) or STAGE not in described:
            raise WeightsError(f"{folder}: holds no motion tokenizer; give the folder of a MoMask model.")
        try:
            config = from_dict(TokenizerConfig, described[STAGE])
            bias = float(described.get("feature_bias", 1.0))
        except (InputError, TypeError, ValueError) as error:
            raise WeightsError(f"{folder}: its tokenizer does not fit this version of laban: {error}") from None
        tensors = checkpoint.load_stage(folder, STAGE)
        for name in [k for k in tensors if k.endswith(".codes")]:
            stem = name.removesuffix("codes")
            tensors.setdefault(stem + "code_sum", tensors[name].clone())
            tensors.setdefault(stem + "code_count", torch.ones(tensors[name].shape[:1]))
        stats = checkpoint.load_stage(folder, "stats")
        layout = humanml.layout_of(config.feature_width)
        for key in ("mean", "std"):
            if key not in stats or stats[key].shape != (layout.width,):
                raise WeightsError(f"{folder}: stats.safetensors has no {key!r} of {layout.width} columns.")
        tokenizer = Tokenizer(config)
        checkpoint.load_into(tokenizer, tensors, f"{folder}/{STAGE}.safetensors")
        weight = torch.ones(layout.width)
        for columns in (layout.yaw_rate, layout.root_velocity, layout.root_height, layout.contacts):
            weight[columns] = bias
        return cls(tokenizer, stats["mean"], stats["std"].float() / weight)

    @classmethod
    @torch.no_grad()
    def random(cls, config: TokenizerConfig, mean: Tensor, std: Tensor, seed: int = 0) -> FrozenTokenizer:
        """An untrained one, for tests: weights and codes from a seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            tokenizer = Tokenizer(config)
            motion, last = torch.randn(8, 16 * config.stride, config.feature_width), tokenizer.encoder.last
            latents = tokenizer.encoder(motion)
            middle, size = latents.mean((0, 1)), latents.std()
            last.weight.div_(size)  # latents and, below, features that differ from token to token
            last.bias.sub_(middle).div_(size)  # type: ignore[union-attr]
            latents = tokenizer.encoder(motion)
            rest = latents.reshape(-1, config.code_width)
            for book in tokenizer.quantizer.layers:
                book.codes.copy_(rest[torch.randint(len(rest), (config.codes,))])  # type: ignore[operator]
                rest = rest - book.codes[book.nearest(rest)]  # type: ignore[operator, index]
                book.started.fill_(True)  # type: ignore[operator]
            tokenizer.decoder.last.weight.div_(tokenizer.decoder(latents).std(1).mean())
        return cls(tokenizer, mean, std)

    def to(self, device: torch.device) -> FrozenTokenizer:
        """Move, in place."""
        self.tokenizer.to(device)
        return self

    @property
    def config(self) -> TokenizerConfig:
        """Sizes of the tokenizer."""
        return self.tokenizer.config

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.tokenizer.parameters()).device

    @torch.no_grad()
    def encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens, and the latents before quantization.

        Args:
            features: (B, T, W) in their own units, T a multiple of the stride.
        Returns: (B, N, Q) int64 and (B, N, D) float32, on the CPU.
        """
        normal = ((features.float() - self.mean) / self.std).to(self.device)
        latents = self.tokenizer.encoder(normal)
        return self.tokenizer.quantizer(latents).codes.cpu(), latents.float().cpu()

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(N, Q) tokens -> (N * stride, W) features in their own units, on the CPU."""
        return self.tokenizer.decode(codes[None].to(self.device))[0].float().cpu() * self.std + self.mean

    def continued(self, codes: Tensor) -> Tensor:
        """(N, Q) tokens -> (MORE, Q) that may follow: what followed where the clip was most like its last tokens.

        So a walk steps on, and whoever stands goes on standing. Turned about in time, it is what may come before.
        """
        rows = self.rows(codes[None])[0]
        ends = range(ALIKE, len(codes))
        apart = [float((rows[end - ALIKE : end] - rows[len(rows) - ALIKE :]).norm()) for end in ends]
        start = ends[min(range(len(apart)), key=lambda i: (apart[i], -i))] if apart else len(codes) - 1
        found = codes[start : start + MORE]
        return torch.cat([found, found[-1:].expand(MORE - len(found), -1)])

    def rows(self, codes: Tensor, layers: Sequence[int] | None = None) -> Tensor:
        """(B, N, Q) tokens -> (B, N, D) sum of the code rows of `layers` (None: all of them); no gradient."""
        books = self.tokenizer.quantizer.layers
        which = range(codes.shape[-1]) if layers is None else layers
        return torch.stack([books[q].codes[codes[..., q]] for q in which]).sum(0)  # type: ignore[index]

    def tables(self) -> Tensor:
        """(Q, K, D) the code rows."""
        return torch.stack([book.codes for book in self.tokenizer.quantizer.layers])  # type: ignore[misc]


class DecoderStream:
    """Frames from tokens that come in parts; in parts of any size the same frames, to rounding.

    A frame is given out when the `reach` tokens after it are known (1.8 s for the shipped tokenizer), or at the end;
    nothing older than `reach` tokens is kept. Before the first and behind the last token the decoder sees a few more,
    by `continued`, whose frames are not given out. With zeros in their place, as convolutions pad, gestures began and
    ended with three times the acceleration that they have inside (benchmarks/ends.py).
    """

    def __init__(self, frozen: FrozenTokenizer) -> None:
        self.frozen = frozen
        self.held: Tensor | None = None  # the last tokens, of which `left` are context
        self.left = 0
        self._begun = False

    def push(self, codes: Tensor) -> Tensor:
        """(N, Q) further tokens -> (F, W) the frames that are now certain, maybe none."""
        self.held = codes if self.held is None else torch.cat([self.held, codes])
        return self._give(max(self.left, len(self.held) - self.frozen.reach))

    def finish(self) -> Tensor:
        """The remaining frames."""
        if self.held is None:
            return torch.empty(0, self.frozen.layout.width)
        return self._give(len(self.held), self.frozen.continued(self.held[-2 * self.frozen.reach :]))

    def _give(self, ready: int, after: Tensor | None = None) -> Tensor:
        stride, reach = self.frozen.config.stride, self.frozen.reach
        if self.held is None or ready <= self.left:
            return torch.empty(0, self.frozen.layout.width)
        if not self._begun:
            before = self.frozen.continued(self.held[:reach].flip(0)).flip(0)
            self.held, self._begun = torch.cat([before, self.held]), True
            self.left, ready = len(before), ready + len(before)
        seen = self.held if after is None else torch.cat([self.held, after])
        frames = self.frozen.decode(seen)[self.left * stride : ready * stride]
        drop = max(0, ready - reach)
        self.held, self.left = self.held[drop:], ready - drop
        return frames
