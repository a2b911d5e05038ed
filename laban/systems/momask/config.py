"""Settings of MoMask and its presets. No torch. Each deviation from the paper stands at its field.

"Released" is the authors' published models and code, which differ from the paper's text in places; users have
those, so `paper` follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from laban.errors import InputError
from laban.nn.config import TokenizerConfig, TransformerConfig
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class TokenizerLossConfig:
    """Weights of the tokenizer's loss. The terms below the line are ours and 0 in `paper`."""

    local: float = 0.5  # SmoothL1 on local joint positions (the released code names this term "vel")
    commit: float = 0.02
    # --- on joints decoded to metres, the root's path and heading integrated, so that drift costs something
    joints: float = 0.0  # mean distance in m: what a viewer sees, where feature errors only correlate with it
    velocity: float = 0.0  # mean difference of joint velocities in m/frame
    acceleration: float = 0.0  # the same of second differences: keeps the jerk at the level of real motion
    foot: float = 0.0  # mean difference of the feet's velocities in frames where the real foot is in contact
    integrate: bool = True  # decode along the predicted path; False: local positions only

    @property
    def decodes(self) -> bool:
        """Whether any term needs joints."""
        return max(self.joints, self.velocity, self.acceleration, self.foot) > 0


@dataclass(frozen=True)
class TextConfig:
    """The condition."""

    encoder: Literal["shipped", "hashed", "given"] = "given"  # "given": set by the caller (released: CLIP); "hashed":
    # words as random vectors, no weights (tests); "shipped": the small encoder of laban.condition.text
    width: int = 512  # pooled feature; released: CLIP ViT-B/32
    tokens: bool = False  # also prepend one memory token per word; released: only the pooled one
    token_width: int = 0  # width of the per-word features
    max_tokens: int = 32  # words beyond this are not seen by the transformers (the pooled feature has them)
    pooled: bool = True  # the transformers see the pooled feature; False: only the words (the length estimator
    # always sees it)
    noise: float = 0.0  # training: Gaussian noise on word features, as a fraction of their norm. Ours: the captions
    # of a small corpus are few points in the feature space, and paraphrases fall between them
    pooled_noise: float = 0.0  # the same on the pooled feature, which then gets its norm back
    token_dropout: float = 0.0  # training: chance that a word's token is hidden

    def __post_init__(self) -> None:
        if self.tokens and self.token_width < 1:
            raise InputError(
                f"TextConfig.token_width: got {self.token_width} with tokens=True, expected the encoder's token width."
            )
        if not self.tokens and not self.pooled:
            raise InputError("TextConfig: got neither tokens nor pooled, expected at least one of them True.")


@dataclass(frozen=True)
class MaskedConfig:
    """Masked transformer of the base layer (released: 12.05 M parameters)."""

    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    condition_dropout: float = 0.1  # for classifier-free guidance: the text feature is zeroed
    random_token: float = 0.1  # share of masked positions that get a random token
    mask_token: float = 0.88  # of the others, the share that gets MASK (the rest stays as it is)
    near: float = 0.0  # share of samples in which one run of 1 to 8 tokens is hidden and all others are seen; the rest
    # as released, over the clip's own length. Ours: context is what few steps learn last
    place_dropout: float = 0.0  # training: chance that a sample's place in its clip is withheld ("local" trunks)
    smoothing: float = 0.0  # of the targets. Released: 0
    mask_by: Literal["longest", "own"] = "longest"  # released: number of masked positions is counted over
    # max_tokens positions, padding included, so short clips are masked by chance alone; "own": over the clip


@dataclass(frozen=True)
class ResidualConfig:
    """Residual transformer of the layers above the base (released: 13.36 M parameters)."""

    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    condition_dropout: float = 0.2


@dataclass(frozen=True)
class LengthConfig:
    """Length estimator (released: 0.435 M parameters). Its classes are tokens, 0 included."""

    widths: tuple[int, ...] = (512, 256, 128)
    dropout: float = 0.2


@dataclass(frozen=True)
class SamplingConfig:
    """Defaults of `generate`."""

    steps: int = 10  # the paper evaluates with 10; the released command line defaults to 18
    guidance: float = 4.0  # t2m; released KIT evaluation: 2
    residual_guidance: float = 5.0
    temperature: float = 1.0  # of the base layer, constant over the steps as released
    residual_temperature: float = 1.0
    filter: float = 0.9  # only the ceil((1 - filter) * K) best tokens can be drawn
    pad_class: bool = False  # released: the residual transformer may emit its padding class inside a clip, which
    # decodes to nothing (0.6 % with random weights). Ours never does; True restores it
    length: Literal["sample", "middle", "expected"] = "sample"  # released: sampled, class 0 (an empty motion) included;
    # ours never takes class 0. "middle": from the middle half, see nn/length.py
    batch: int = 16  # samples per forward pass


@dataclass(frozen=True)
class MoMaskConfig:
    """Everything that defines a MoMask model and its training."""

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    tokenizer_loss: TokenizerLossConfig = field(default_factory=TokenizerLossConfig)
    text: TextConfig = field(default_factory=TextConfig)
    masked: MaskedConfig = field(default_factory=MaskedConfig)
    residual: ResidualConfig = field(default_factory=ResidualConfig)
    length: LengthConfig = field(default_factory=LengthConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    fps: float = 20.0  # of the features (KIT-ML: 12.5)
    max_tokens: int = 49  # 196 frames
    windows: tuple[int, ...] = (64,)  # frames of the tokenizer's training windows; each batch takes one of them
    min_frames: int = 40  # shorter clips are not used for the transformers (KIT: 24)
    shorten: float = 1 / 3  # chance that a training clip is one token shorter
    windows_of_clips: float = 0.0  # chance that the transformers see a window of a clip (16 tokens or more) and not the
    # whole. Released: 0
    by_length: bool = False  # clips are drawn with weight (their length) besides. Released: no. Ours: batches are of
    # clips of like lengths and their losses weigh alike, so that a token of a kick had five times the weight of one of
    # a walk, and walks were not learnt
    tempi: tuple[float, ...] = (1.0,)  # speeds at which the transformers' training clips are also played
    balance: float = 0.0  # clips are drawn with weight (clips that share its first caption) ** -balance
    energy: float = 0.0  # the tokenizer's windows are drawn with weight (mean joint speed) ** energy. Ours: half
    # of Bandai-Namco's frames are of people who stand, and running legs are what a tokenizer gets wrong first
    rarity: float = 0.0  # and with weight (frames of the clip's action) ** -rarity. Ours: many actions have one clip
    feature_bias: float = 25.0  # std of root and contact columns is divided by this, which raises their weight.
    # Released: meant 5, applied twice, so 25 in every published model. Imported statistics have it already: 1
    tokenizer_schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(
            steps=300_000, batch_size=256, warmup=2000, milestones=(150_000, 250_000), gamma=0.05
        )
    )
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
    length_schedule: StageSchedule = field(  # released: Adam 1e-4, clip 0.5, batch 64, 300 epochs
        default_factory=lambda: StageSchedule(
            steps=100_000, batch_size=64, learning_rate=1e-4, betas=(0.9, 0.999), clip=0.5
        )
    )

    def __post_init__(self) -> None:
        stride = self.tokenizer.stride
        for window in self.windows:
            if window < stride or window % stride:
                raise InputError(f"MoMaskConfig.windows: got {window}, expected a multiple of {stride} frames.")
        if not self.windows:
            raise InputError("MoMaskConfig.windows: got none, expected at least one, for example (64,).")
        if self.min_frames < stride * 2:
            raise InputError(f"MoMaskConfig.min_frames: got {self.min_frames}, expected at least {stride * 2}.")

    @property
    def max_frames(self) -> int:
        """The longest motion, in frames."""
        return self.max_tokens * self.tokenizer.stride


PAPER = MoMaskConfig()

SMALL = MoMaskConfig(
    # 8.4 M parameters and codes in all: 17 MB as fp16, trained on one or two CPU cores.
    tokenizer=TokenizerConfig(
        width=224, code_width=128, depth=2, dropout=0.0, reset_below=0.3, reset_restarts=True
    ),
    tokenizer_loss=TokenizerLossConfig(joints=3.0, velocity=10.0, acceleration=5.0, foot=5.0),
    # The pooled feature alone, with noise as long as itself: probes trained on captions and tested on 70 paraphrases
    # (tools/text_encoder/probe_text.py) placed .97 of contents and .86 of styles, .97 and .83 through noisy word
    # tokens; and the words would make every sequence a third longer.
    text=TextConfig("shipped", width=384, token_width=128, pooled_noise=1.0),
    masked=MaskedConfig(
        transformer=TransformerConfig(256, 4, 4, 768, dropout=0.1, attention_dropout=0.0, kind="local"),
        near=0.25, place_dropout=0.2, mask_by="own",
    ),
    residual=ResidualConfig(
        transformer=TransformerConfig(224, 3, 4, 576, dropout=0.1, attention_dropout=0.0, kind="local"),
        condition_dropout=0.1,
    ),
    length=LengthConfig(widths=(128, 64), dropout=0.2),
    # Residual guidance 5 flattens the swing of running legs; guidance 4 turns long backward walks forward.
    # Stronger guidance pulls the tokens of a stride apart (docs/gait.md, benchmarks/studies/guidance.py).
    sampling=SamplingConfig(steps=20, guidance=1.4, residual_guidance=2.0, temperature=0.8, length="middle"),
    windows=(64, 64, 32, 20),  # a quarter of the clips is shorter than 64 frames, keyed ones often than 32
    min_frames=16,
    windows_of_clips=0.3,
    by_length=True,
    tempi=(0.9, 1.0, 1.11),
    balance=0.5,
    energy=0.7,
    rarity=0.4,
    feature_bias=5.0,  # what the authors meant
    tokenizer_schedule=StageSchedule(
        steps=6_500, batch_size=32, learning_rate=4e-4, warmup=300, decay="cosine", floor=0.02, clip=1.0,
        weight_ema=0.999,
    ),
    masked_schedule=StageSchedule(
        steps=4_200, batch_size=64, learning_rate=5e-4, warmup=500, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.999,
    ),
    residual_schedule=StageSchedule(
        steps=5_000, batch_size=64, learning_rate=5e-4, warmup=500, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.999,
    ),
    length_schedule=StageSchedule(
        steps=1_500, batch_size=128, learning_rate=5e-4, warmup=100, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.99,
    ),
)  # fmt: skip

TINY = replace(
    # For tests: every mechanism of `small`, seconds to train.
    SMALL,
    tokenizer=TokenizerConfig(width=32, code_width=16, codes=32, quantizers=3, depth=1, reset_restarts=True),
    text=TextConfig("hashed", width=24, tokens=True, token_width=24, max_tokens=8, noise=0.1, pooled_noise=0.1),
    masked=MaskedConfig(
        transformer=TransformerConfig(32, 2, 2, 64, kind="local"), near=0.3, place_dropout=0.2, mask_by="own"
    ),
    residual=ResidualConfig(transformer=TransformerConfig(32, 2, 2, 64, kind="local")),
    length=LengthConfig(widths=(32,), dropout=0.0),
    windows=(32,),
    min_frames=24,
    tempi=(1.0,),
    tokenizer_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    masked_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    residual_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    length_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
)

PRESETS = {"paper": PAPER, "small": SMALL, "tiny": TINY}
