"""FACT as a system: one network, and generation from music and a seed motion to a dance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from laban.condition.music import WIDTH
from laban.data.synthesis import tracks
from laban.data.synthesis.choreography import MIRRORED, before_the_song, fingerprint, phrases
from laban.errors import InputError
from laban.motion import cleanup
from laban.motion.motion import Motion, Segment
from laban.nn.sampling import generators
from laban.systems.capabilities import Dances
from laban.systems.fact import data, decoding
from laban.systems.fact.config import PRESETS, FactConfig
from laban.systems.fact.losses import FactLoss
from laban.systems.fact.network import FactNetwork, fade
from laban.systems.fact.representation import FPS, representation, seed_rows
from laban.systems.options import check_seed, options_of
from laban.systems.requests import MAX_DANCE_SECONDS, MusicRequest
from laban.systems.schedule import Sampler, StageSchedule

if TYPE_CHECKING:
    from laban.data.corpus import Corpus
    from laban.data.synthesis.choreography import Dance

WANDER = 20  # frames between the knots of slow noise
SEED = Path(__file__).with_name("seed.npz")


@lru_cache(maxsize=1)
def shipped_seed() -> Motion:
    """The seed motion that is used when nobody gives one: two seconds and a bit of a CMU dance (free for any use)."""
    from laban.io import arrays

    return arrays.read(SEED)


@dataclass(frozen=True)
class GenerationOptions:
    """Options of `Fact.generate`.

    Attributes:
        block: frames committed per pass (k); 1 is the released loop.
        clean: hold standing feet (`laban.motion.cleanup`).
    """

    block: int
    clean: bool = True


class Fact(Dances):
    """Music to dance.

    Args:
        config: see config.py.
        stats: "mean" and "std" of motion rows, "audio_mean" and "audio_std" of the 35 or 37 music columns. Where the
            configuration does not normalise they are zeros and ones; other keys are ignored.
    """

    name: ClassVar[str] = "fact"
    config_class: ClassVar[type] = FactConfig
    presets: ClassVar[Mapping[str, FactConfig]] = PRESETS
    config: FactConfig

    def __init__(self, config: FactConfig, stats: Mapping[str, Any]) -> None:
        self.kind = representation(config.representation)
        width, music = self.kind.width, WIDTH + 2 * config.clock
        if not config.normalise:
            stats = {"mean": np.zeros(width, np.float32), "std": np.ones(width, np.float32),
                     "audio_mean": np.zeros(music, np.float32), "audio_std": np.ones(music, np.float32)}  # fmt: skip
        super().__init__(config, stats)
        for key, size in (("mean", width), ("std", width), ("audio_mean", music), ("audio_std", music)):
            if key not in self.stats or self.stats[key].shape != (size,):
                raise InputError(f"fact: stats need {key!r} of shape ({size},); Fact.create makes them from a corpus.")
        self.stats = {k: self.stats[k].float() for k in ("mean", "std", "audio_mean", "audio_std")}
        self.network = FactNetwork(config, width, music)
        self.criterion = FactLoss(
            config.loss, self.stats["mean"], self.stats["std"], relative=config.representation == "relative"
        )
        self._own: dict[str, list[Dance]] = {}

    @classmethod
    def create(cls, preset: str | FactConfig, corpus: Corpus, settings: Iterable[str] = ()) -> Self:
        """As every system; the statistics are those of the synthesised training dances, not the corpus's."""
        config, name = cls.configured(preset, settings)
        stats = {}
        if config.normalise:
            dances = data.dances(corpus, "train", config.data)
            stats = data.statistics(dances, representation(config.representation), clock=config.clock)
        made = cls(config, stats)
        made.provenance.preset = name
        return made

    def use(self, dances: Sequence[Dance], split: str = "train") -> None:
        """Train on these dances (an AIST++ copy, see laban.data.corpora.aist) instead of synthesised tracks."""
        self._own[split] = list(dances)

    def to(self, device: str | torch.device) -> Self:
        """Move the network and the loss."""
        self.criterion.to(torch.device(device))
        return super().to(device)

    def describe(self) -> dict[str, Any]:
        """A hash of the choreographies, so that a run is not resumed on others."""
        return {"choreography": fingerprint()}

    # Training

    def stages(self) -> tuple[str, ...]:
        """One: dance."""
        return ("dance",)

    def module(self, stage: str) -> nn.Module:
        """The network."""
        if stage != "dance":
            raise InputError(f"fact: unknown stage {stage!r}; expected dance.")
        return self.network

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return self.config.schedule

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """Windows of dances, see data.py. Raises InputError if no dance is long enough."""
        pairs = self._own.get(split) or data.dances(corpus, split, self.config.data)
        desync = self.config.loss.desync if split == "train" else 0.0
        return data.WindowSampler(pairs, self.kind, self.config, self.stats, desync)

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch, as the sampler draws it.

        The first block follows the real history, with noise on it in training; each of the
        `rollout` further ones follows the network's own predictions, which carry no gradient. All blocks count alike.
        """
        c, step = self.config, self.config.supervised
        blocks = (batch["motion"].shape[1] - c.history) // c.future
        history = batch["motion"][:, : c.history]
        sums: dict[str, Tensor] = {}
        for number in range(blocks):
            start = number * step
            seen = self._noisy(history, generator)
            music = batch["audio"][:, start : start + c.audio]
            outputs = self.network.outputs(seen, music, self.network.audio(music))
            rows = self.network.rows(outputs, seen)[:, :step]
            target = batch["motion"][:, c.history + start : c.history + start + step]
            if c.residual == "fading":  # from where the history seems to end, not in a leap to where it should have
                target = target + (seen[:, -1:] - history[:, -1:]) * fade(c.future)[:step].to(target)
            for name, value in self.criterion(rows, target, seen[:, -1:]).items():
                sums[name] = sums.get(name, 0.0) + value / blocks
            if self.network.late is not None and not number:
                angle = 2 * math.pi * batch["late"]
                sync = (self.network.late(outputs[:, 0]) - torch.stack([angle.sin(), angle.cos()], -1)).square().mean()
                sums["sync"] = sync
                sums["loss"] = sums["loss"] + c.loss.sync * sync
            history = torch.cat([history, rows.detach().to(history.dtype)], 1)[:, -c.history :]
        return sums

    def _noisy(self, history: Tensor, generator: torch.Generator) -> Tensor:
        """(B, H, W) as own predictions would have it, in training: see LossConfig."""
        loss, (count, frames, width), device = self.config.loss, history.shape, history.device
        if not self.network.training:
            return history
        if loss.shrink:
            share = loss.shrink * torch.rand((count, 1, 1), generator=generator, device=device)
            history = torch.lerp(history, history.mean(dim=1, keepdim=True), share)
        if loss.wander:
            knots = torch.randn((count, width, frames // WANDER + 1), generator=generator, device=device)
            slow = nn.functional.interpolate(knots, frames, mode="linear", align_corners=True).transpose(1, 2)
            history = history + loss.wander * torch.rand((count, 1, 1), generator=generator, device=device) * slow
        if loss.noise:
            history = history + loss.noise * torch.randn(history.shape, generator=generator, device=device)
        return history

    # Generation

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[MusicRequest],
        seed: int,
        *,
        first_index: int = 0,
        progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> list[Motion]:
        """One dance per request, at 60 fps, beginning with row 0 of the music.

        Args:
            requests: see MusicRequest; music of at most MAX_DANCE_SECONDS.
            seed: sample i draws its noise from a generator seeded by (seed, first_index + i) alone.
            first_index: number of the first sample.
            options: fields of `GenerationOptions`; None, or not given: the configuration's.
            progress: called with the number of frames done, of each request anew.
        Returns: motions, each with one segment and a passport.
        Raises: InputError naming what is out of range.
        """
        chosen = options_of(GenerationOptions, "fact.generate", options, self.config.sampling)
        if not 1 <= chosen.block <= self.config.supervised:
            raise InputError(
                f"fact.generate: block is {chosen.block!r}, expected 1 to {self.config.supervised}, the frames it was "
                "trained to predict."
            )
        check_seed("fact.generate", seed, first_index)
        for number, request in enumerate(requests, start=1):
            if not isinstance(request, MusicRequest):
                raise InputError(
                    f"fact.generate: request {number} is a {type(request).__name__}; FACT dances to music and reads no "
                    "text. Use laban dance, or a MusicRequest."
                )
        counts = [self._frames(i, request) for i, request in enumerate(requests, start=1)]
        with self.still():
            return [
                self._dance(request, frames, seed, first_index + i, chosen, progress)
                for i, (request, frames) in enumerate(zip(requests, counts, strict=True))
            ]

    def dance(
        self, request: MusicRequest, seed: int, *, progress: Callable[[int], None] | None = None, **options: Any
    ) -> Motion:
        """One dance; see `generate`."""
        return self.generate([request], seed, progress=progress, **options)[0]

    def _frames(self, number: int, request: MusicRequest) -> int:
        """Frames of a request. Raises InputError for music or lengths that cannot be danced to."""
        music = np.asarray(request.music)
        where = f"fact.generate: request {number}"
        if music.ndim != 2 or music.shape[1] != WIDTH or not len(music) or not np.isfinite(music).all():
            raise InputError(f"{where}: music is {music.shape}, expected (M, {WIDTH}) finite numbers at 60 fps.")
        seconds = len(music) / FPS if request.seconds is None else request.seconds
        if not (math.isfinite(seconds) and 0 < seconds <= MAX_DANCE_SECONDS):
            raise InputError(
                f"{where}: seconds is {seconds:g}, expected more than 0 and at most {MAX_DANCE_SECONDS:g}."
            )
        frames = max(1, round(seconds * FPS))
        if len(music) < frames:
            raise InputError(f"{where}: music lasts {len(music) / FPS:.2f} s, {seconds:g} s are wanted. Ask for less.")
        return frames

    def _dance(
        self, request: MusicRequest, frames: int, seed: int, index: int, options: GenerationOptions,
        progress: Callable[[int], None] | None,
    ) -> Motion:  # fmt: skip
        [source] = generators(seed, 1, index)
        c, s = self.config, self.stats
        given = request.seed_motion or shipped_seed()
        rows, begin = seed_rows(given, self.kind, c.history)
        normal = torch.from_numpy(((rows - s["mean"].numpy()) / s["std"].numpy()).astype(np.float32))
        music = np.asarray(request.music, np.float32)
        before = music[:0] if request.before is None else np.asarray(request.before, np.float32)[-c.history :]
        lead = before_the_song(before if len(before) else music, c.history - len(before))
        heard = torch.from_numpy(data.heard(np.concatenate([lead, before, music]), clock=c.clock))
        heard = (heard - s["audio_mean"]) / s["audio_std"]
        made = decoding.decode(
            self.network, c, normal.to(self.device), heard.to(self.device), frames, options.block, source, progress
        )
        made = decoding.smoothed(made, normal, c.sampling.smooth)
        values = (made * s["std"] + s["mean"]).numpy().astype(np.float64)
        if c.representation == "relative":
            values = decoding.on_stage(values, c.sampling.stage)
        motion = self.kind.decode(values, begin)
        if options.clean:
            motion = cleanup.clean(motion)
        text = request.text or "a dance"
        passport = self.passport(
            request,
            seed,
            index=index,
            frames=frames,
            fps=FPS,
            options=asdict(options),
            music=_digest(heard.numpy()),
            seed_motion="shipped" if request.seed_motion is None else _digest(rows),
        )
        return Motion(
            motion.skeleton, motion.rotations, motion.root, FPS, (Segment(text, 0.0, frames / FPS),), passport
        )

    def training_data(self, corpus: Corpus) -> list[str]:
        """The phrases and the tracks they are put on."""
        if "train" in self._own:
            return [f"Trained on {len(self._own['train'])} dances that were given."]
        cast = {groove: phrases(corpus, groove) for groove in tracks.TRAINING}
        taken = [i for items in cast.values() for i in items if not i.name.startswith(MIRRORED)]
        lasts, names = sum(i.motion.seconds for i in taken), sorted({f"`{i.name}`" for i in taken})
        chosen = self.config.data
        return [
            f"Trained on {chosen.tracks} synthesised tracks of {chosen.seconds:g} s with phrases on their beats: "
            f"{lasts:.0f} s of captured motion and their mirror images, of these clips:",
            f"{', '.join(names)}.",
        ]

    def preview(self, seed: int) -> list[Motion]:
        """Two dances to synthesised tracks in tempi that training does not have."""
        from laban.condition.music import analyse

        songs = [tracks.synthesise(groove, bpm, 8.0, 1) for groove, bpm in (("house", 125.0), ("waltz", 106.0))]
        requests = [
            MusicRequest(analyse(song.samples, song.bpm).features, 8.0, text=f"{song.groove}, {song.bpm:.0f} bpm")
            for song in songs
        ]
        return self.generate(requests, seed)


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array, np.float32).tobytes()).hexdigest()[:16]
