"""Settings of KMM and its presets. No torch. What is known of the paper and what is ours stands at each field.

KMM's code was never published. [P] is the paper's own text or tables (v1), [N] a second-hand summary of v2; all else
is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from laban.data.synthesis.compose import ComposeSettings
from laban.errors import InputError
from laban.nn.config import TokenizerConfig
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class TrunkConfig:
    """The stack that mixes over time. 4 masked bidirectional Mamba layers [N]; every size is ours."""

    backbone: Literal["ssd", "causal", "transformer"] = "ssd"  # "ssd": forward scan without end, backward scan inside
    # each block. A full bidirectional scan could not be streamed. "causal": forward scan only. "transformer": attends
    # to its own block and all before it, for comparison
    width: int = 512
    layers: int = 4  # [N]
    inner: int = 1024  # of the scan, or of the transformer's feed-forward layer
    heads: int = 16
    state: int = 64
    conv: int = 4
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.backbone not in ("ssd", "causal", "transformer"):
            raise InputError(f"TrunkConfig.backbone: got {self.backbone!r}, expected ssd, causal or transformer.")
        if self.layers < 1 or self.width % self.heads and self.backbone == "transformer":
            raise InputError(
                f"TrunkConfig: got {self.layers} layers, width {self.width} and {self.heads} heads; expected at least "
                "one layer and, for a transformer, a width that is a multiple of heads."
            )


@dataclass(frozen=True)
class TextConfig:
    """The condition: the text of a line stands at every token of that line ("masked motion tokens concatenated with
    the text embedding" [N]; adding a projection is the same as concatenating before a linear layer).
    """

    encoder: Literal["shipped", "hashed", "given"] = "given"
    width: int = 512  # pooled feature
    latent: int = 256  # what the text tower makes of it; the trunk and the contrastive loss both read this
    noise: float = 0.0  # training: Gaussian noise on the feature, as a fraction of its norm, which it then gets back
    clock: int = 64  # tokens since the line began and tokens until it ends are told up to this many. Ours: lines have
    # a length, and the paper only says that length can be conditioned [P]


@dataclass(frozen=True)
class AlignConfig:
    """Text-motion alignment: symmetric cross entropy of similarities T'M / tau, averaged with 1/2 [P]."""

    weight: float = 0.5  # lambda [N]
    width: int = 128  # of the shared space
    temperature: float = 0.07  # at the start; learned [N]
    shortest: int = 4  # tokens: shorter stretches of a crop are left out


@dataclass(frozen=True)
class MaskConfig:
    """What is hidden in training."""

    kind: Literal["random", "keyframe", "inverse", "speed", "matched"] = "keyframe"  # the paper's is keyframe
    share: float = 1.0  # of the blocks; the others are masked at random
    ratio: float | None = None  # share of a block that the named kind hides; None, and always in the blocks that are
    # masked at random: cos(pi u / 2), u ~ U(0, 1), as MoMask
    clean: float = 0.15  # chance that a block but the last is shown whole: in generation, the past is
    random_token: float = 0.1  # of the hidden tokens, this share gets a random token instead,
    mask_token: float = 0.88  # and of the others this share the mask token (MoMask's)
    window: int = 24  # tokens among which densities are compared


@dataclass(frozen=True)
class LengthConfig:
    """How long a single sentence without seconds lasts: MoMask's estimator. Ours; scripts say their lengths."""

    widths: tuple[int, ...] = (128, 64)
    dropout: float = 0.2
    most: int = 49  # tokens


@dataclass(frozen=True)
class SamplingConfig:
    """Defaults of generation."""

    steps: int = 8  # rounds per block
    guidance: float = 2.5
    residual_guidance: float = 2.0
    temperature: float = 1.0
    residual_temperature: float = 1.0
    filter: float = 0.9  # only the ceil((1 - filter) * K) best tokens can be drawn
    seconds: float = 4.0  # of a line of a script that says no length


@dataclass(frozen=True)
class KMMConfig:
    """Everything that defines a KMM model and its training."""

    tokenizer_from: str = "momask"  # shipped weights by name, or a folder, whose motion tokenizer is used as it is
    random_tokenizer: TokenizerConfig | None = None  # for tests: an untrained one instead
    text: TextConfig = field(default_factory=TextConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    residual: TrunkConfig = field(default_factory=TrunkConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    mask: MaskConfig = field(default_factory=MaskConfig)
    length: LengthConfig = field(default_factory=LengthConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    fps: float = 20.0
    block: int = 24  # most tokens that are generated at once, and scanned backward
    margin: int = 4  # tokens: a block does not end nearer than this to a seam, so that a seam sees both sides
    crop: int = 96  # tokens of a training sequence
    blocks: tuple[int, ...] = (16, 24, 32)  # of a training batch, one of them; each divides crop
    pool_hours: float = 12.0  # long sequences made before training
    pool_seconds: float = 96.0  # of one of them
    balance: float = 0.6  # clips are drawn with weight (clips that share its first caption) ** -balance
    mirrored: bool = True  # train on mirror images too
    condition_dropout: float = 0.1
    longest_line: float = 600.0  # seconds
    part: int = 40  # tokens: a longer line is performed as equal parts of this length or less
    masked_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(
            steps=180_000, batch_size=64, warmup=2000, milestones=(50_000,), gamma=0.1, weight_decay=1e-5
        )
    )
    residual_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(
            steps=180_000, batch_size=64, warmup=2000, milestones=(50_000,), gamma=0.1, weight_decay=1e-5
        )
    )

    length_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(
            steps=1_500, batch_size=128, learning_rate=5e-4, warmup=100, decay="cosine", floor=0.02, clip=1.0,
            weight_decay=1e-2, weight_ema=0.99,
        )
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not self.blocks or any(b < 1 or self.crop % b for b in self.blocks):
            raise InputError(f"KMMConfig.blocks: got {self.blocks}, expected divisors of crop ({self.crop}).")
        if self.block <= 2 * self.margin:
            raise InputError(f"KMMConfig.block: got {self.block}, expected more than twice the margin ({self.margin}).")
        if self.pool_seconds * self.fps < 8 * self.crop:
            raise InputError(
                f"KMMConfig.pool_seconds: got {self.pool_seconds:g}, expected at least two crops of {self.crop} tokens."
            )


PAPER = KMMConfig()  # sizes are ours: the paper gives none that we could read

SMALL = KMMConfig(
    text=TextConfig("shipped", width=384, noise=1.0),
    trunk=TrunkConfig(width=384, layers=4, inner=384, heads=6, state=32),
    residual=TrunkConfig(width=256, layers=3, inner=256, heads=4, state=16),
    # Runs bend the knee by 88 degrees at temperature 0.8 and by 77 at 1, and their strides vary half as much.
    sampling=SamplingConfig(temperature=0.8),
    mask=MaskConfig(share=0.3),  # generation starts from nothing but the text, which random masks are nearer to
    masked_schedule=StageSchedule(
        steps=2_600, batch_size=16, learning_rate=8e-4, warmup=150, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.998,
    ),
    residual_schedule=StageSchedule(
        steps=1_500, batch_size=16, learning_rate=1e-3, warmup=60, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.997,
    ),
)  # fmt: skip

TINY = replace(
    # For tests: every mechanism of `small`, seconds to train.
    SMALL,
    random_tokenizer=TokenizerConfig(width=32, code_width=16, codes=32, quantizers=3, depth=1, reset_restarts=True),
    text=TextConfig("hashed", width=24, latent=16, noise=0.1, clock=16),
    trunk=TrunkConfig(width=32, layers=2, inner=32, heads=2, state=8, dropout=0.0),
    residual=TrunkConfig(width=32, layers=1, inner=32, heads=2, state=8, dropout=0.0),
    align=AlignConfig(width=16),
    mask=MaskConfig(share=0.5, window=8),
    sampling=SamplingConfig(steps=3),
    block=8,
    margin=2,
    crop=16,
    blocks=(4, 8),
    part=16,
    pool_hours=0.02,
    pool_seconds=12.0,
    masked_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    residual_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    length_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
)

PRESETS = {"paper": PAPER, "small": SMALL, "tiny": TINY}
