"""Settings of FACT and its presets. No torch. Each deviation from the paper stands at its field.

"Released" is the authors' TensorFlow code, which differs from the paper's text in places; `paper` follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from laban.errors import InputError
from laban.systems.schedule import StageSchedule

PAPER_SCHEDULE = StageSchedule(
    steps=240_000,  # released: 2.4 M by default, the checkpoint is of step 214,501; the paper's text says 300 k
    batch_size=32,
    learning_rate=1e-4,
    betas=(0.9, 0.999),  # released: Keras' Adam; its epsilon is 1e-7, torch's 1e-8
    milestones=(100_000, 150_000),
)


@dataclass(frozen=True)
class NetworkConfig:
    """Two encoders and a cross-modal transformer. Defaults are the released model's (120.4 M parameters)."""

    width: int = 800
    heads: int = 10
    feedforward: int = 3072
    motion_layers: int = 2
    audio_layers: int = 2
    cross_layers: int = 12
    scale: Literal["width", "head"] = "width"  # released: logits times width^-0.5, not head_width^-0.5: attention
    # starts out softer by a factor of sqrt(heads). "head" is the usual scale
    attention: Literal["full", "causal"] = "full"  # "causal": every token sees itself and what is before it (motion
    # before music), and the predictions are read at the last tokens, the only ones that then see everything
    final_norm: bool = False  # LayerNorm before the head. Released: none, though all layers are pre-norm
    motion_patch: int = 1  # frames per motion token, stacked; released: 1. Ten frames a token make attention and
    # feed-forward ten times cheaper, which a CPU needs; predictions come in as many patches
    audio_patch: int = 1  # the same of the music
    drift: bool = False  # adds to each motion token the beat's phase and how far the history's rests are from the
    # beat, see `drift` in network.py; needs FactConfig.clock. Released: none

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InputError(f"NetworkConfig.width: got {self.width}, expected a multiple of {self.heads} heads.")
        if min(self.motion_patch, self.audio_patch, self.cross_layers) < 1:
            raise InputError("NetworkConfig: patches and cross_layers must be at least 1.")


@dataclass(frozen=True)
class LossConfig:
    """Beside the mean squared error of the rows. Released: nothing else."""

    root: float = 1.0  # weight of the four root columns of "relative" rows: 3 % of the columns, which lead the path
    joints: float = 0.0  # mean squared error of the joints about the root, metres, times this
    velocity: float = 0.0  # the same of their steps from frame to frame, the root's path included
    noise: float = 0.0  # Gaussian noise on the history in training, in standard deviations of each column
    wander: float = 0.0  # the same of slow noise (WANDER in system.py), of a strength between 0 and this per window.
    # Errors of own predictions are slow; white noise is averaged away by tokens of many frames and teaches nothing
    shrink: float = 0.0  # histories are drawn towards their own mean by a share between 0 and this, targets are not:
    # small motion is answered by full motion. Without it dances settle into small loops
    rollout: int = 0  # so many more blocks are predicted from the network's own predictions, each with its loss (no
    # gradient from block to block). Released: none; users see dances freeze or drift, which the author lays on this
    desync: float = 0.0  # seconds by which the history may run early or late against music and target, uniformly;
    # the target comes back in step (RETURN in data.py). Without it the beat can be read off the motion alone
    sync: float = 0.0  # weight of saying, from what the head sees, by how much of a beat the history runs early or late
    # (sine and cosine, squared error). Training only; it makes the network compare its rests with the beats
    dropout: float = 0.0  # after attention and feed-forward. Released: the setting exists and is never used


@dataclass(frozen=True)
class DataConfig:
    """Synthesised tracks with phrases on their beats (laban/data/synthesis/choreography.py)."""

    tracks: int = 40
    seconds: float = 45.0
    seed: int = 0


@dataclass(frozen=True)
class SamplingConfig:
    """Defaults of `generate`."""

    block: int = 10  # frames committed per forward pass (k); released: 1
    blend: int = 10  # frames in which what a pass predicted beyond its block fades into the next one: no seams. Longer
    # is smoother, and what the next pass hears of the beat comes later. Released: none
    noise: float = 0.02  # on the history at each pass, as in training; it is what `seed` varies
    smooth: float = 0.0  # frames: standard deviation of a Gaussian over time on the rows, which takes the tremble that
    # noise and passes leave. Released: none
    stage: float = 2.5  # metres: when the path leads further from where it began, the dancer is turned back, slowly


@dataclass(frozen=True)
class FactConfig:
    """Everything that defines a FACT model and its training."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    representation: Literal["absolute", "relative"] = "absolute"  # released: "absolute", 225 numbers a frame (6 zeros,
    # translation, 24 rotation matrices of SMPL's joints). "relative": motion.root_relative on HumanML3D's 22 joints
    history: int = 120  # motion frames seen
    audio: int = 240  # music frames seen: those of the history and as many of the future
    future: int = 20  # frames predicted (the paper's N)
    supervised: int = 20  # of these, how many the loss sees; 1 is the paper's next-frame variant
    clock: bool = False  # two columns beside the 35 of the music: sine and cosine of the phase of the beat, from the
    # column of beats. Released: none; a small network does not learn in hours to count from beat to beat
    normalise: bool = False  # released: neither motion nor music is; music's columns then range over hundreds
    residual: Literal["none", "fading"] = "none"  # "fading": the last frame of the history is added to what is
    # predicted, less and less (all of it to the first frame, none after 20): no seam, and errors of the history
    # fade instead of adding up. The head then starts at zero. Released: "none"
    loss: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    schedule: StageSchedule = PAPER_SCHEDULE

    def __post_init__(self) -> None:
        net = self.network
        if net.drift and not self.clock:
            raise InputError("FactConfig: network.drift needs clock=true; it compares rests with that clock.")
        for name, patch in (("history", net.motion_patch), ("future", net.motion_patch), ("audio", net.audio_patch)):
            if getattr(self, name) % patch:
                raise InputError(f"FactConfig.{name}: got {getattr(self, name)}, expected a multiple of {patch}.")
        if not 1 <= self.supervised <= self.future <= self.history:
            raise InputError(
                f"FactConfig.supervised: got {self.supervised}, expected 1 to future ({self.future}), and future at "
                f"most history ({self.history})."
            )
        if not 1 <= self.sampling.block <= self.supervised:
            raise InputError(
                f"FactConfig.sampling.block: got {self.sampling.block}, expected 1 to the {self.supervised} frames "
                "that are supervised."
            )
        if self.audio < self.history:
            raise InputError(f"FactConfig.audio: got {self.audio}, expected at least history, {self.history}.")


PAPER = FactConfig(sampling=SamplingConfig(block=1, blend=0, noise=0.0, stage=0.0))

SMALL = FactConfig(
    network=NetworkConfig(
        width=192,
        heads=6,
        feedforward=768,
        motion_layers=1,
        audio_layers=1,
        cross_layers=4,
        scale="head",
        final_norm=True,
        motion_patch=10,
        audio_patch=20,
        drift=True,
    ),
    representation="relative",
    normalise=True,
    residual="fading",
    clock=True,
    future=40,  # twice the paper's N: more to learn from each window, and windows out of step come back within it
    supervised=40,
    sampling=SamplingConfig(block=10, blend=8, noise=0.15, smooth=2.0, stage=2.0),
    loss=LossConfig(root=4.0, joints=4.0, velocity=200.0, noise=0.05, wander=0.3, shrink=0.4, desync=0.25, sync=0.3),
    data=DataConfig(tracks=60),
    schedule=StageSchedule(
        steps=20_000,
        batch_size=32,
        learning_rate=1.5e-3,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        warmup=100,
        decay="cosine",
        floor=0.02,
        clip=1.0,
        weight_ema=0.998,
    ),
)

TINY = replace(
    SMALL,
    network=NetworkConfig(
        width=32, heads=2, feedforward=64, motion_layers=1, audio_layers=1, cross_layers=1, scale="head",
        final_norm=True, motion_patch=4, audio_patch=4,
    ),
    clock=False,
    future=20,
    supervised=20,
    loss=replace(SMALL.loss, joints=8.0, velocity=400.0, noise=0.1, rollout=2),
    sampling=SamplingConfig(),
    data=DataConfig(tracks=3, seconds=8.0),
    schedule=StageSchedule(steps=40, batch_size=4, learning_rate=3e-3),
)  # fmt: skip

PRESETS = {"paper": PAPER, "small": SMALL, "tiny": TINY}
