"""What a system is: the contract that training, commands and tests rely on. Imports no torch."""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from laban import config as configuration
from laban.errors import InputError, WeightsError
from laban.systems.requests import MusicRequest, TextRequest

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from laban.checkpoint import Checkpoint
    from laban.data.corpus import Corpus
    from laban.io.frames import Video
    from laban.motion.motion import Motion

SYSTEMS: dict[str, str] = {
    "momask": "laban.systems.momask.system:MoMask",
    "motionclip": "laban.systems.motionclip.system:MotionCLIP",
    "kmm": "laban.systems.kmm.system:KMM",
    "fact": "laban.systems.fact.system:Fact",
    "godiva": "laban.systems.godiva.system:Godiva",
}
"""Name -> 'module:Class'. A new system is one line here."""

JUDGES: dict[str, str] = {
    "evaluator": "laban.systems.evaluator.system:Evaluator",
}
"""The same for what is trained to score motions and makes none."""

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Folder of the shipped checkpoints, one folder per name."""


@dataclass(frozen=True)
class StageSchedule:
    """How one stage is trained. Steps are optimizer steps."""

    steps: int
    batch_size: int
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0  # AdamW; never on parameters with fewer than two dimensions (biases, norms)
    warmup: int = 0  # steps of linear warm-up from 0
    decay: Literal["milestones", "cosine"] = "milestones"
    milestones: tuple[int, ...] = ()  # the rate is multiplied by gamma at each of these steps
    gamma: float = 0.1
    floor: float = 0.0  # cosine ends at this fraction of learning_rate
    clip: float = 0.0  # largest gradient norm; 0: no clipping
    weight_ema: float = 0.0  # decay of the averaged weights that are validated and saved; 0: no averaging

    def __post_init__(self) -> None:
        for name, low, high in (
            ("steps", 0, math.inf), ("batch_size", 1, math.inf), ("learning_rate", 0, math.inf),
            ("weight_decay", 0, math.inf), ("warmup", 0, math.inf), ("gamma", 0, math.inf), ("floor", 0, 1),
            ("clip", 0, math.inf), ("weight_ema", 0, 1 - 1e-9),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"StageSchedule.{name}: got {value}, expected a number from {low} to {high}.")

    def rate(self, step: int) -> float:
        """Learning rate of step `step` (0 is the first): linear warm-up, then milestones or a cosine."""
        scale = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        if self.decay == "cosine":
            part = min(1.0, max(0.0, (step - self.warmup) / max(1, self.steps - self.warmup)))
            scale *= self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * part))
        else:
            scale *= self.gamma ** sum(step >= m for m in self.milestones)
        return self.learning_rate * scale


class Sampler(Protocol):
    """Draws a batch. All randomness comes from `rng`: its state is the sampler's whole state."""

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]: ...


@runtime_checkable
class StatefulSampler(Protocol):
    """A sampler that reads a stream: what it needs beside `rng` to go on from where it stood, JSON-able."""

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: Mapping[str, Any]) -> None: ...


@dataclass
class Provenance:
    """Where a system's weights come from; written to config.json and to every passport."""

    preset: str | None = None
    hash: str | None = None  # sha256 of the tensor files; None: not from a checkpoint
    data: tuple[str, ...] = ()  # names of the corpora
    licence: str | None = None
    trained: set[str] = field(default_factory=set)  # stages whose weights are trained
    corpus: str | None = None  # fingerprint of the prepared corpora that it was trained on, splits included


class System(ABC):
    """A trainable system that makes motions, or videos.

    A subclass sets `name`, `config_class` and `presets`, builds its networks in `__init__` (random, from
    torch's global generator) and keeps `super().__init__(config, stats)` first.

    Args:
        config: an instance of `config_class`.
        stats: feature statistics as float arrays, at least `mean` and `std`; saved with the weights.
    """

    name: ClassVar[str]
    makes: ClassVar[Literal["motion", "video"]] = "motion"
    skeleton: ClassVar[str | None] = "humanml22"
    config_class: ClassVar[type]
    presets: ClassVar[Mapping[str, Any]]  # name -> config; `paper`, `small` and `tiny` at least

    def __init__(self, config: Any, stats: Mapping[str, Any]) -> None:
        import numpy as np
        import torch

        self.config = config
        self.stats: dict[str, Tensor] = {
            k: v.detach().cpu() if isinstance(v, torch.Tensor) else torch.from_numpy(np.array(v))
            for k, v in stats.items()
        }
        self.device = torch.device("cpu")
        self.provenance = Provenance()

    # What a subclass defines.

    @abstractmethod
    def stages(self) -> tuple[str, ...]:
        """Names of the stages in training order."""

    @abstractmethod
    def module(self, stage: str) -> nn.Module:
        """The network trained in `stage`; its state_dict is what the checkpoint keeps."""

    @abstractmethod
    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """A function that draws batches of CPU tensors. InputError if no clip of the split can be used."""

    @abstractmethod
    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch (on `self.device`); `loss` is minimised and the others are logged.

        Randomness comes from `generator` (on the same device), and dropout from torch's global one.
        """

    @abstractmethod
    def schedule(self, stage: str) -> StageSchedule:
        """How the stage is trained under this configuration."""

    @abstractmethod
    def generate(self, requests: Sequence[Any], seed: int, **options: Any) -> list[Any]:
        """One Motion (or Video, see `makes`) per request (TextRequest, or what the system takes), each with a passport.

        Same seed and requests, same results on one machine.
        """

    # What a subclass may refine.

    def requires(self, stage: str) -> tuple[str, ...]:
        """Stages that must be finished before `stage` starts; by default the first one (a tokenizer)."""
        first = self.stages()[0]
        return () if stage == first else (first,)

    def preview(self, seed: int) -> Sequence[Motion | Video]:
        """A few results to look at in training; none while `provenance.trained` does not suffice."""
        return []

    def training_data(self, corpus: Corpus) -> list[str]:
        """Lines of Markdown for the model card: what is trained on, where it is not the whole training split."""
        return []

    def own_tables(self, corpus: Corpus, split: str, seed: int) -> list[str]:
        """Lines of Markdown for the report of `laban evaluate`: figures of what only this system does; none here."""
        return []

    own_protocol: ClassVar[bool] = False
    """Whether `laban evaluate` runs `protocol`, instead of scoring motions beside held-out clips and captions."""
    own_options: ClassVar[tuple[str, ...]] = ()
    """Options of `laban evaluate`, all of them paths, that only `protocol` takes."""

    def protocol(
        self, corpus: Any, out: Path, *, cases: int | None, seed: int, quick: bool,
        progress: Callable[[int, int], None] | None = None, **special: Path,
    ) -> dict[str, Any]:  # fmt: skip
        """The evaluation of a system with `own_protocol`: JSON-able facts, with lines of Markdown in `tables`.

        Args:
            corpus: as `open_data` gives it. out: an existing folder, for pictures.
            cases: so many results instead of the protocol's number. quick: the main table only.
            progress: called with (done, total). special: those of `own_options` that were given.
        """
        raise NotImplementedError(f"{self.name} has no protocol of its own")

    def reconstruct(self, features: np.ndarray) -> Motion | None:
        """Real features (T, W), not normalised, through the system's tokenizer and back; None if it has none."""
        return None

    def describe(self) -> dict[str, Any]:
        """More JSON-able facts for config.json (for example the fingerprint of a text encoder)."""
        return {}

    def verify(self, facts: Mapping[str, Any]) -> None:  # noqa: B027 (most systems have nothing to verify)
        """Called by `load` with what `describe` said at saving; WeightsError if it does not hold here."""

    # What every system has.

    @classmethod
    def configured(cls, preset: str | Any, settings: Iterable[str] = ()) -> tuple[Any, str | None]:
        """The config of a preset's name (or a config) with `field=value` settings, and the name.

        Raises: InputError on an unknown preset or field.
        """
        config, name = preset, None
        if isinstance(preset, str):
            if preset not in cls.presets:
                near = configuration.nearest(preset, cls.presets)
                raise InputError(
                    f"{cls.name}: unknown preset {preset!r}; known: {', '.join(cls.presets)}"
                    + (f"; did you mean {near!r}?" if near else ".")
                )
            config, name = cls.presets[preset], preset
        return configuration.override(config, settings), name

    @classmethod
    def open_data(cls, path: Path, config: Any) -> Any:
        """The training data at a path: what `sampler` and `create` take. By default prepared corpora of motions."""
        from laban.data.corpus import Corpus

        return Corpus.open(path)

    @classmethod
    def create(cls, preset: str | Any, corpus: Corpus, settings: Iterable[str] = ()) -> Self:
        """An untrained system for `corpus`: a preset's name or a config, with `field=value` settings.

        Raises: InputError on an unknown preset or field.
        """
        config, name = cls.configured(preset, settings)
        system = cls(config, {"mean": corpus.mean, "std": corpus.std})
        system.provenance.preset = name
        return system

    def to(self, device: str | torch.device) -> Self:
        """Move every network to `device`, in place."""
        import torch

        self.device = torch.device(device)
        for stage in self.stages():
            self.module(stage).to(self.device)
        return self

    def eval(self) -> Self:
        """Put every network in evaluation mode."""
        for stage in self.stages():
            self.module(stage).eval()
        return self

    def manifest(self) -> dict[str, Any]:
        """What config.json says of this system, without what `checkpoint.save` adds."""
        import laban

        p = self.provenance
        return {
            "system": self.name,
            "preset": p.preset,
            "stages": list(self.stages()),
            "skeleton": self.skeleton,
            "config": configuration.to_dict(self.config),
            "data": list(p.data),
            "licence": p.licence,
            "laban": getattr(laban, "__version__", "unknown"),
            "facts": self.describe(),
            **({"corpus": p.corpus} if p.corpus else {}),
        }

    def passport(self, request: TextRequest | MusicRequest, seed: int, **extra: Any) -> dict[str, Any]:
        """The passport of one result: enough, with the weights, to make it again."""
        import laban

        p = self.provenance
        return {
            "system": self.name,
            "weights": p.hash,
            "seed": seed,
            "request": {"text": request.text, "seconds": request.seconds},
            "data": list(p.data),
            "licence": p.licence,
            "laban": getattr(laban, "__version__", "unknown"),
            **extra,
        }

    def save(self, folder: str | Path, *, half: bool = False, card: str | None = None) -> None:
        """Write a checkpoint folder.

        Args:
            half: store floating tensors as fp16.
            card: the model card, Markdown; None leaves README.md alone.
        """
        from laban import checkpoint

        tensors = {stage: self.module(stage).state_dict() for stage in self.stages()}
        checkpoint.save(folder, self.manifest(), tensors, self.stats, card, half)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> Self:
        """Open a checkpoint folder, in evaluation mode. WeightsError if it is missing or damaged."""
        from laban import checkpoint

        found = checkpoint.load(folder)
        system = cls.restore(found, str(folder))
        for stage in system.stages():
            if stage not in found.stages:
                raise WeightsError(
                    f"{folder}: stage {stage!r} has no weights ({stage}.safetensors is missing); "
                    f"train it with laban train {cls.name} --stage {stage} --out {folder}."
                )
            checkpoint.load_into(system.module(stage), found.stages[stage], f"{folder}/{stage}.safetensors")
            system.provenance.trained.add(stage)
        return system.to(device).eval()

    @classmethod
    def restore(cls, found: Checkpoint, where: str) -> Self:
        """The untrained system that a checkpoint's config.json and statistics describe."""
        facts = found.config
        if facts.get("system") != cls.name:
            raise WeightsError(f"{where}: config.json is of system {facts.get('system')!r}, expected {cls.name!r}.")
        try:
            system = cls(configuration.from_dict(cls.config_class, facts.get("config", {})), found.stats)
        except InputError as error:
            raise WeightsError(f"{where}: config.json does not fit this version of {cls.name}: {error}") from None
        system.provenance = Provenance(
            facts.get("preset"), found.hash, tuple(facts.get("data") or ()), facts.get("licence"),
            corpus=facts.get("corpus"),
        )  # fmt: skip
        system.verify(facts.get("facts") or {})
        return system


def resolve(name: str) -> type[System]:
    """The class of a registered system or judge. InputError names the known ones and the nearest."""
    known = SYSTEMS | JUDGES
    if name not in known:
        near = configuration.nearest(name, known)
        raise InputError(
            f"{name!r} is not a system; known: {', '.join(known)}; "
            + (f"did you mean {near!r}?" if near else "give one of them.")
        )
    module, _, attribute = known[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def locate(name_or_path: str | Path) -> Path:
    """The checkpoint folder of a shipped name or of a path.

    Raises: InputError for a name that is neither; WeightsError if the folder of a known name is not there.
    """
    text = str(name_or_path)
    shipped = sorted(p.parent.name for p in WEIGHTS.glob("*/stats.safetensors"))  # not the text encoder's folder
    if text in SYSTEMS or text in shipped:
        folder = WEIGHTS / text
        if folder.is_dir():
            return folder
        if not Path(text).is_dir():
            raise WeightsError(
                f"{text}: its weights are not in this installation ({folder} is missing); reinstall laban, "
                f"or train with laban train {text} and give the folder."
            )
    path = Path(name_or_path)
    if path.is_dir():
        return path
    if path.is_file():
        raise WeightsError(f"{path}: got a file, expected a checkpoint folder with config.json.")
    known = list(dict.fromkeys([*SYSTEMS, *shipped]))
    near = configuration.nearest(text, known)
    raise InputError(
        f"{text!r} is neither a known model nor a folder; known: {', '.join(known)}; "
        + (f"did you mean {near!r}?" if near else "give one of them or the path of a checkpoint folder.")
    )


def load(name_or_path: str | Path, device: str = "cpu") -> System:
    """Open a shipped model by its name, or any checkpoint folder by its path.

    Args:
        name_or_path: for example `"momask"`, or the folder that `laban train --out` wrote.
        device: `cpu`, `cuda`, `mps` or `auto`.
    Raises: InputError for an unknown name or device; WeightsError for a missing or damaged checkpoint.
    """
    from laban import checkpoint

    folder = locate(name_or_path)
    name = checkpoint.read_config(folder).get("system")
    if name not in SYSTEMS:
        raise WeightsError(
            f"{folder}/config.json: system is {name!r}, expected one of {', '.join(SYSTEMS)}; "
            "it may come from a newer laban."
        )
    return resolve(name).load(folder, device=pick_device(device))


def pick_device(device: str) -> str:
    """`auto` -> cuda when there is one. InputError for an unknown device or a CUDA that is not there."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise InputError(f"device: got {device!r}, expected cpu, cuda, mps or auto.")
    if device.startswith("mps") and not torch.backends.mps.is_available():
        raise InputError("device: mps was asked for and torch sees no Apple GPU; use --device cpu.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("device: cuda was asked for and torch sees no CUDA device; use --device cpu.")
    return device
