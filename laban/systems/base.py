"""What a system is: the contract that training, commands and tests rely on. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from laban import config as configuration
from laban.errors import InputError, WeightsError
from laban.systems.requests import MusicRequest, TextRequest
from laban.systems.schedule import Sampler, StageSchedule
from laban.version import __version__

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from laban.checkpoint import Checkpoint
    from laban.data.corpus import Corpus
    from laban.io.frames import Video
    from laban.motion.motion import Motion


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
    takes: ClassVar[type] = TextRequest  # what `generate` is asked with
    sweeps: ClassVar[tuple[str, ...]] = ()  # options of `generate` that an evaluation varies one at a time
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

    def begin(self, stage: str) -> None:  # noqa: B027 (most systems have nothing to do)
        """Called once before a stage is trained from nothing, when the stages that it needs are finished."""

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
        """One Motion (or Video, see `makes`) per request (of the class `takes`), each with a passport.

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

    def networks(self) -> list[nn.Module]:
        """The network of each stage."""
        return [self.module(stage) for stage in self.stages()]

    def to(self, device: str | torch.device) -> Self:
        """Move every network to `device`, in place."""
        import torch

        self.device = torch.device(device)
        for network in self.networks():
            network.to(self.device)
        return self

    def eval(self) -> Self:
        """Put every network in evaluation mode."""
        for network in self.networks():
            network.eval()
        return self

    def still(self) -> AbstractContextManager[None]:
        """Inside `with`, every network is in evaluation mode; afterwards each is in its former mode."""
        from laban.nn.modes import evaluating

        return evaluating(self.networks())

    def recalled(self, passport: Mapping[str, Any]) -> tuple[TextRequest, int, int, dict[str, Any]]:
        """What a passport says was asked of `generate`: the request, the seed, the sample's index, and the options.

        Raises: InputError if the passport lacks something; WeightsError if it names other weights.
        """
        try:
            wanted, seed, asked = passport["weights"], passport["seed"], passport["request"]
            request = TextRequest(asked["text"], asked["seconds"])
            index, options = passport["index"], dict(passport["options"])
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{self.name}.replay: the passport has no {error}; it must come from {self.name}.generate."
            ) from None
        self.check_weights(wanted)
        return request, seed, index, options

    def check_weights(self, wanted: str | None) -> None:
        """Raises WeightsError unless the weights that a passport names are those of this system."""
        if wanted != self.provenance.hash:
            raise WeightsError(
                f"{self.name}.replay: the passport names weights {wanted}, loaded are {self.provenance.hash}."
            )

    def manifest(self) -> dict[str, Any]:
        """What config.json says of this system, without what `checkpoint.save` adds."""
        p = self.provenance
        return {
            "system": self.name,
            "preset": p.preset,
            "stages": list(self.stages()),
            "skeleton": self.skeleton,
            "config": configuration.to_dict(self.config),
            "data": list(p.data),
            "licence": p.licence,
            "laban": __version__,
            "facts": self.describe(),
            **({"corpus": p.corpus} if p.corpus else {}),
        }

    def passport(self, request: TextRequest | MusicRequest, seed: int, **extra: Any) -> dict[str, Any]:
        """The passport of one result: enough, with the weights, to make it again."""
        p = self.provenance
        return {
            "system": self.name,
            "weights": p.hash,
            "seed": seed,
            "request": {"text": request.text, "seconds": request.seconds},
            "data": list(p.data),
            "licence": p.licence,
            "laban": __version__,
            **extra,
        }

    def save(self, folder: str | Path, *, half: bool = False, card: str | None = None) -> None:
        """Write a checkpoint folder.

        Args:
            folder: made if absent.
            half: store floating tensors as fp16.
            card: the model card, Markdown; None leaves README.md alone.
        """
        from laban import checkpoint

        tensors = {stage: self.module(stage).state_dict() for stage in self.stages()}
        checkpoint.save(folder, self.manifest(), tensors, self.stats, card, half=half)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu", facts: Mapping[str, Any] | None = None) -> Self:
        """Open a checkpoint folder, in evaluation mode.

        Args:
            folder: with config.json and the tensors of every stage.
            device: of torch.
            facts: what config.json holds, if it has been read before.
        Raises: WeightsError if it is missing or damaged.
        """
        from laban import checkpoint

        found = checkpoint.load(folder, facts)
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
