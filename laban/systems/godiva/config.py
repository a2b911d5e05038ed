"""Settings of GODIVA and its presets. No torch. Each deviation from the paper stands at its field.

Tags: [C] stated in the paper, [I] not stated there and chosen here. No released code exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from laban.data.corpora.mnist import DigitsConfig
from laban.errors import InputError
from laban.nn.config import TokenizerConfig
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class FramesConfig:
    """What a video is."""

    count: int = 10  # frames, L [C]
    size: int = 64  # pixels, height and width; 128 is another model [C]
    channels: int = 3  # 3: RGB [C]; 1: grey
    fps: float = 5.0  # of what is written, and of what is cut out of longer films [I]

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise InputError(f"FramesConfig.channels: got {self.channels}, expected 1 or 3.")
        if self.count < 1 or self.size < 8 or not 0 < self.fps <= 240:
            raise InputError(
                f"FramesConfig: got {self.count} frames of {self.size} pixels at {self.fps:g} fps, expected at least "
                "1 frame, 8 pixels, and a rate up to 240."
            )


@dataclass(frozen=True)
class FrameCoderConfig:
    """The convolutions of the frame-wise VQ-VAE, and its codebook (the shared quantizer, one layer)."""

    halvings: int = 2  # convolutions of kernel 4, stride 2: 64 -> 16 [C]
    width: int = 128  # channels between them [I]
    blocks: int = 0  # residual blocks at the lowest resolution, before the decoder's convolutions [C: none]
    blocks_in: int = 0  # the same after the encoder's [C: none]. A cell then sees its neighbours, and an empty cell's
    # code tells of strokes beside it, which the decoder of codes has to learn as if it were chance
    padding: Literal["zeros", "replicate"] = "zeros"  # of the encoder's convolutions [I]; "replicate": an empty cell at
    # the border looks like one inside
    code_width: int = 128  # d_B [C]
    codes: int = 10_000  # K [C]
    commit: float = 0.25  # beta [I]
    decay: float = 0.99  # of the codebook's moving averages, in place of a codebook loss [I]
    reset_below: float = 0.02  # uses per step, averaged, below which a code is replaced [I]
    rate: float = 0.0  # what a code's rarity costs, TokenizerConfig.rate [I]

    @property
    def quantizer(self) -> TokenizerConfig:
        """The shared quantizer's settings: one layer, nearest codes."""
        return TokenizerConfig(
            code_width=self.code_width, codes=self.codes, quantizers=1, decay=self.decay, sample_temperature=0.0,
            quantize_dropout=0.0, reset_below=self.reset_below, reset_restarts=True, rate=self.rate,
        )  # fmt: skip


@dataclass(frozen=True)
class TextConfig:
    """An embedding table with learned positions; no text transformer and no pretrained encoder [C]."""

    max_words: int = 35  # N [C]; what follows is cut, and said
    words: tuple[str, ...] = ()  # the vocabulary, taken from the data's captions; splitting into words [I]
    dropout: float = 0.0  # share of training captions that are blanked; 1.0: a model without captions [I]


@dataclass(frozen=True)
class DecoderConfig:
    """The autoregressive decoder."""

    width: int = 1024  # D [C]
    heads: int = 16  # [C]
    layers: int = 12  # T, R, C, T, ... C [C]
    feedforward: int = 4  # times the width [I]
    axes: tuple[Literal["T", "R", "C"], ...] = ("T", "R", "C")  # the order of the layers; fewer: the paper's Table 1
    mask: Literal["godiva", "axial_full"] = "godiva"  # "godiva": Eq. 10; a token then sees only (<=i, <=j, <=l), on
    # average a third of what came before it. "axial_full": ours, everything that came before it
    positions: Literal["table", "axes"] = "table"  # one row per place [C]; "axes": a sum of three rows [I]
    chunk: int = 8192  # places whose logits are held at once in training

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InputError(f"DecoderConfig.width: got {self.width}, expected a multiple of {self.heads} heads.")
        if not self.axes or len(set(self.axes)) != len(self.axes):
            raise InputError(f"DecoderConfig.axes: got {self.axes}, expected some of 'T', 'R', 'C', each once.")
        if self.layers < 1:
            raise InputError(f"DecoderConfig.layers: got {self.layers}, expected at least 1.")
        if self.mask == "axial_full" and (self.layers % 6 or self.axes != ("T", "R", "C")):
            raise InputError(
                f"DecoderConfig: got mask 'axial_full' with {self.layers} layers along {self.axes}, expected a "
                "multiple of 6 layers along ('T', 'R', 'C')."
            )


@dataclass(frozen=True)
class ScoreConfig:
    """Our own small text-video score, which ranks samples where no CLIP is given [I]. Not CLIP."""

    width: int = 24  # channels of the first convolution
    embedding: int = 64
    temperature: float = 0.1


@dataclass(frozen=True)
class SamplingConfig:
    """Defaults of `generate`."""

    top_k: int = 10  # the paper's ranked row draws from the ten most probable codes [C]
    temperature: float = 1.0  # [I]
    guidance: float = 1.0  # classifier-free, ours; 1: none [C]. Above it words count for more; costs twice.
    # Needs a model that was trained with text.dropout
    batch: int = 16  # samples at a time


@dataclass(frozen=True)
class GodivaConfig:
    """Everything that defines a GODIVA model and its training."""

    frames: FramesConfig = field(default_factory=FramesConfig)
    coder: FrameCoderConfig = field(default_factory=FrameCoderConfig)
    text: TextConfig = field(default_factory=TextConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    digits: DigitsConfig = field(default_factory=DigitsConfig)  # used where --data is MNIST
    prefixes: tuple[int, ...] = ()  # the decoder trains on the first so many frames, drawn per batch, with as many more
    # videos; (): whole videos, as in the paper. The model is causal, so a prefix has the same loss as in its video
    tokenizer_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(steps=200_000, batch_size=32, learning_rate=1e-3)  # batch of frames [C]
    )
    decoder_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(  # 32 videos, 5e-4 [C]; AdamW, warm-up, steps [I]
            steps=500_000, batch_size=32, learning_rate=5e-4, warmup=2000, weight_decay=1e-2, clip=1.0
        )
    )
    score_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(steps=20_000, batch_size=64, learning_rate=1e-3, warmup=200, clip=1.0)
    )

    def __post_init__(self) -> None:
        stride = 2**self.coder.halvings
        if self.frames.size % stride or self.frames.size < stride:
            raise InputError(f"FramesConfig.size: got {self.frames.size}, expected a multiple of {stride} pixels.")
        for length in self.prefixes:
            if not 1 <= length <= self.frames.count:
                raise InputError(f"GodivaConfig.prefixes: got {length}, expected 1 to {self.frames.count} frames.")

    @property
    def grid(self) -> tuple[int, int, int]:
        """(L, h, w) tokens of a video."""
        side = self.frames.size // 2**self.coder.halvings
        return self.frames.count, side, side

    @property
    def tokens(self) -> int:
        """M, tokens of a video."""
        frames, height, width = self.grid
        return frames * height * width


PAPER = GodivaConfig()  # 2,560 tokens

PAPER128 = replace(PAPER, frames=FramesConfig(size=128))  # 10,240 tokens

SMALL = replace(
    # The paper's grid of 2,560 tokens and its mask, at a size that a laptop trains.
    PAPER,
    frames=FramesConfig(channels=1),
    coder=FrameCoderConfig(width=64, blocks=1, code_width=64, codes=256, decay=0.97, reset_below=0.1),
    decoder=DecoderConfig(width=256, heads=8, layers=6, positions="axes"),
    prefixes=(2, 10),
    tokenizer_schedule=StageSchedule(
        steps=3_000, batch_size=48, learning_rate=1e-3, warmup=100, decay="cosine", floor=0.02, clip=1.0,
        weight_ema=0.995,
    ),
    decoder_schedule=StageSchedule(
        steps=8_000, batch_size=4, learning_rate=1e-3, warmup=300, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.999,
    ),
    score_schedule=StageSchedule(
        steps=800, batch_size=32, learning_rate=1e-3, warmup=50, decay="cosine", floor=0.05, clip=1.0
    ),
)  # fmt: skip

TINY = replace(
    # 640 tokens: what ships, and what the ablation runs at. An hour and a half on one core at 70 GFLOPS.
    SMALL,
    coder=FrameCoderConfig(
        halvings=3,
        width=48,
        blocks=1,
        code_width=64,
        codes=1024,
        decay=0.98,
        reset_below=0.03,
        rate=0.01,
        padding="replicate",
    ),
    text=TextConfig(dropout=0.1),
    decoder=DecoderConfig(width=160, heads=5, layers=6, mask="axial_full", positions="axes"),
    sampling=SamplingConfig(guidance=1.5),
    tokenizer_schedule=replace(SMALL.tokenizer_schedule, steps=3_000),
    decoder_schedule=replace(
        SMALL.decoder_schedule, steps=9_000, batch_size=5, learning_rate=1.5e-3, warmup=100, weight_ema=0.998
    ),
    prefixes=(1, 1, 2, 10),  # first frames, where the digit takes shape, are half of the batches
    score_schedule=replace(SMALL.score_schedule, steps=1_500),
)

PRESETS = {"paper": PAPER, "paper128": PAPER128, "small": SMALL, "tiny": TINY}
