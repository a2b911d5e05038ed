"""Settings of the evaluator: plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from laban.errors import InputError
from laban.nn.config import TransformerConfig
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class EvaluatorConfig:
    """A motion encoder and a text encoder that meet in one space."""

    features: int = 263  # HumanML3D vector; KIT-ML has 251
    patch: int = 4  # frames per token of the motion encoder
    longest: int = 196  # frames; the rest of a longer clip is not seen
    shortest: int = 16  # frames of the shortest clip that is used, and of the shortest crop
    motion: TransformerConfig = field(default_factory=lambda: TransformerConfig(192, 3, 4, 512, 0.1, 0.0))
    text: TransformerConfig = field(default_factory=lambda: TransformerConfig(128, 1, 4, 256, 0.1, 0.0))
    buckets: int = 2048  # rows of the table of words and letter groups
    words: int = 32  # of a caption; later ones are not seen
    groups: int = 16  # of a word: itself and its first groups of three letters
    embedding: int = 64  # width of the common space; vectors have length 1
    temperature: float = 0.1  # at the start; it is learned
    crop: float = 0.5  # chance that a clip is cut in training
    crop_least: float = 0.6  # share of the clip that a crop keeps at least
    schedule: StageSchedule = field(
        default_factory=lambda: StageSchedule(
            1000, 128, 1e-3, (0.9, 0.99), weight_decay=0.05, warmup=50, decay="cosine", floor=0.02, clip=1.0,
            weight_ema=0.99,
        )
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name in ("features", "patch", "buckets", "words", "groups", "embedding"):
            if getattr(self, name) < 1:
                raise InputError(f"EvaluatorConfig.{name}: got {getattr(self, name)}, expected at least 1.")
        if not self.patch <= self.shortest <= self.longest:
            raise InputError(
                f"EvaluatorConfig.shortest: got {self.shortest}, expected from patch {self.patch} to longest "
                f"{self.longest}."
            )
        if self.temperature <= 0 or not 0 <= self.crop <= 1 or not 0 < self.crop_least <= 1:
            raise InputError("EvaluatorConfig: temperature must be positive, crop 0 to 1, crop_least over 0 up to 1.")


SMALL = EvaluatorConfig()
# For tests: seconds to train.
TINY = EvaluatorConfig(
    motion=TransformerConfig(32, 1, 2, 64, 0.0, 0.0),
    text=TransformerConfig(32, 1, 2, 64, 0.0, 0.0),
    buckets=256,
    embedding=16,
    schedule=StageSchedule(20, 16, 3e-3, (0.9, 0.99), warmup=2, decay="cosine", clip=1.0, weight_ema=0.9),
)
PRESETS = {"small": SMALL, "tiny": TINY}
