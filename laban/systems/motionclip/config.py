"""Settings of MotionCLIP and its presets. No torch. Each deviation from the paper stands at its field.

"Released" is the authors' code and checkpoints, which `paper` follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from laban.errors import InputError
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class NetworkConfig:
    """The auto-encoder. Defaults are the released sizes (42.2 M parameters)."""

    kind: Literal["released", "compact"] = "released"  # "released": one token per frame, see released.py;
    # "compact": ours, one token per `patch` frames and a basis of cosines over the clip, see compact.py
    joints: int = 24  # rotations per frame: SMPL's 24 (released), or the 22 of HumanML3D; a row of translation follows
    latent: int = 512  # width of the latent; released: that of CLIP ViT-B/32
    width: int = 512  # of the transformers
    layers: int = 8  # of the encoder, and as many of the decoder
    heads: int = 4
    feedforward: int = 1024
    dropout: float = 0.1
    patch: int = 1  # frames per token
    basis: int = 0  # cosines over the clip's duration, between tokens and latent (compact)
    basis_width: int = 0  # width of the tokens as the basis sees them
    language: int = 0  # of the latent's dimensions, those that hold the language part (compact)
    travel: Literal["place", "steps"] = "place"  # "steps": the network sees and makes the root's way along the ground
    # as steps from frame to frame, summed up outside; ours, since 10 s of running cover 30 m

    def __post_init__(self) -> None:
        if self.kind == "released" and (self.patch != 1 or self.latent != self.width):
            raise InputError("NetworkConfig: kind 'released' needs patch=1 and latent equal to width.")
        if self.kind == "compact" and min(self.patch, self.basis, self.basis_width - 1, self.language) < 1:
            raise InputError("NetworkConfig: kind 'compact' needs patch, basis, basis_width and language.")
        if self.language >= self.latent:
            raise InputError(f"NetworkConfig.language: got {self.language}, expected less than latent {self.latent}.")
        if self.joints not in (22, 24):
            raise InputError(f"NetworkConfig.joints: got {self.joints}, expected 22 (HumanML3D) or 24 (SMPL).")
        if self.width % self.heads or self.width % 2:
            raise InputError(f"NetworkConfig.width: got {self.width}, expected an even multiple of heads.")

    @property
    def channels(self) -> int:
        """Numbers per frame: six per rotation, and six in the row of translation."""
        return 6 * (self.joints + 1)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss. Defaults are the released ones."""

    reconstruction: float = 100.0  # mean square over the channels
    joints: float = 100.0  # released: SMPL's 6,890 vertices, a licensed mesh. Ours: joints by forward kinematics
    # on an own skeleton, root-centred in `paper`; `place` adds the translation
    velocity: float = 100.0  # mean square of first differences of the channels
    joint_velocity: float = 0.0  # ours: mean distance between joint velocities, m per frame
    text: float = 1.0  # 1 - cosine to the caption's vector
    image: float = 1.0  # 1 - cosine to the vector of a picture of the clip; counts where there is one
    contrast: float = 0.0  # ours: cross-entropy over all captions of the training set by cosine / temperature. The
    # cosine alone is content when different captions share most of their direction, as short ones do
    temperature: float = 0.07
    latent_noise: float = 0.0  # ours: training decodes the latent with noise of this fraction of its length, so that
    # what lies between and beside clips decodes to motion too
    standardise: bool = False  # ours: the network's channels are standardised, so reconstruction is too
    place: bool = False  # joints with translation, in metres, as mean distances instead of mean squares
    joint_frames: int = 1  # joints are computed on every n-th frame (and its successor), at a random phase


@dataclass(frozen=True)
class TextConfig:
    """The language space."""

    encoder: Literal["shipped", "given"] = "given"  # "given": set by the caller (released: CLIP ViT-B/32);
    # "shipped": the small encoder of laban.condition.text
    width: int = 512
    centre: bool = False  # ours: the mean of the training captions is taken off, and the rest brought to unit length.
    # All captions begin with "a person"; what they share would be most of every cosine


@dataclass(frozen=True)
class PriorConfig:
    """Ours: a small flow model that draws a latent for a text and a length.

    Released: the text's vector itself is decoded. A clip's latent is its text's direction and as much again that
    says which of the many such motions it is; without that part the decoder gives their average.
    """

    width: int = 384
    blocks: int = 3
    noise: float = 1.0  # training: noise on the text vector as a fraction of its norm, as for MoMask (docs/text.md)
    steps: int = 24  # Euler steps of sampling
    spread: float = 0.7  # scale of the starting noise in sampling: below 1, likelier latents
    guidance: float = 1.5  # of sampling; 1: none
    draws: int = 5  # training: latents per clip in the pool, each of another window


@dataclass(frozen=True)
class MotionClipConfig:
    """Everything that defines a MotionCLIP model and its training."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    text: TextConfig = field(default_factory=TextConfig)
    prior: PriorConfig | None = None  # None: a text's own vector is decoded, as released
    fps: float = 30.0
    max_frames: int = 600  # longest motion that is generated or encoded at once. Released: trained on 60 frames only,
    # and frozen beyond them
    windows: tuple[int, ...] = (60,)  # longest windows of training; each batch takes one of them
    min_frames: int = 60  # shorter clips are not used
    coverage: float = 0.0  # a caption counts with the share of its clip that the window covers, if this much or more
    balance: float = 0.0  # clips are drawn with weight (clips that share its first caption) ** -balance
    released_place: bool = False  # the weights are the released ones: their root turns and "translation" are in axes
    # of their own, so what they make gets an upright root at the origin, as the released code does
    image_features: str = ""  # file of picture vectors per clip that pictures.py wrote; "": no image loss
    autoencoder_schedule: StageSchedule = field(  # 100 epochs of AMASS windows at batch 20
        default_factory=lambda: StageSchedule(
            steps=100_000, batch_size=20, learning_rate=1e-4, betas=(0.9, 0.999), weight_decay=1e-2
        )
    )
    prior_schedule: StageSchedule = field(default_factory=lambda: StageSchedule(steps=3_000, batch_size=256))

    def __post_init__(self) -> None:
        if not self.windows or min(self.windows) < 1:
            raise InputError(f"MotionClipConfig.windows: got {self.windows}, expected lengths in frames, as (60,).")
        if self.min_frames < 1 or max(self.windows) > self.max_frames:
            raise InputError(
                f"MotionClipConfig: min_frames {self.min_frames}, windows {self.windows} and max_frames "
                f"{self.max_frames} do not fit; expected windows of at most max_frames."
            )
        if self.text.width != self.network.latent:
            raise InputError(
                f"MotionClipConfig: text.width is {self.text.width} and network.latent {self.network.latent}; "
                "the latent lies in the text's space, so they are one number."
            )


PAPER = MotionClipConfig()

SMALL = MotionClipConfig(
    # 5.4 M parameters: 10.9 MB as fp16, trained on one CPU core in half an hour.
    network=NetworkConfig(
        "compact", joints=22, latent=384, width=192, layers=3, heads=4, feedforward=512, dropout=0.0, patch=4,
        basis=16, basis_width=128, language=96, travel="steps",
    ),
    loss=LossConfig(
        reconstruction=2.0, joints=10.0, velocity=0.0, joint_velocity=30.0, text=0.1, image=0.0, contrast=0.1,
        temperature=0.07, standardise=True, place=True, joint_frames=6, latent_noise=0.03,
    ),
    text=TextConfig("shipped", width=384, centre=True),
    prior=PriorConfig(),
    fps=20.0,
    max_frames=196,
    windows=(60, 60, 60, 100, 196, 196),
    min_frames=16,
    coverage=0.3,
    balance=0.5,
    autoencoder_schedule=StageSchedule(
        steps=3_000, batch_size=64, learning_rate=1e-3, warmup=150, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.998,
    ),
    prior_schedule=StageSchedule(
        steps=2_500, batch_size=256, learning_rate=1e-3, warmup=100, decay="cosine", floor=0.02, clip=1.0,
        weight_decay=1e-2, weight_ema=0.998,
    ),
)  # fmt: skip

TINY = MotionClipConfig(
    # For tests: every mechanism of `small`, seconds to train.
    network=NetworkConfig(
        "compact", joints=22, latent=384, width=32, layers=1, heads=2, feedforward=64, dropout=0.0, patch=4,
        basis=8, basis_width=16, language=96, travel="steps",
    ),
    loss=SMALL.loss,
    text=SMALL.text,
    prior=PriorConfig(width=64, blocks=1, steps=4, draws=2),
    fps=20.0,
    max_frames=196,
    windows=(48,),
    min_frames=16,
    coverage=0.3,
    balance=0.5,
    autoencoder_schedule=StageSchedule(steps=20, batch_size=8, learning_rate=2e-3, weight_ema=0.9),
    prior_schedule=StageSchedule(steps=20, batch_size=16, learning_rate=2e-3, weight_ema=0.9),
)  # fmt: skip

PRESETS = {"paper": PAPER, "small": SMALL, "tiny": TINY}
